"""Which part of a vocabulary one text needs.

Byte-pair encoding only ever makes stretches of its text, so tokens that do not occur in the text, and merges that make
them, change nothing: without them a short text is encoded to the same ids, and what encodes it is made in a tenth of
the time. More tokens than occur do no harm either.
"""

import numpy as np
import numpy.typing as npt


def occurring(tokens: list[str], text: str) -> npt.NDArray[np.bool_]:
    """For each token whether it is a stretch of the text, bool [tokens]."""
    return np.fromiter((token in text for token in tokens), np.bool_, len(tokens))
