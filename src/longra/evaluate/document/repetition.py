"""How much of a text was said before in it, from runs of words and from its compressed size."""

import zlib
from collections.abc import Sequence


def rep(tokens: Sequence[str], order: int) -> float:
    """rep-n: the share of runs of n tokens that came before, 0 for none.

    `1 - distinct runs / runs` (Welleck et al., Neural text generation with unlikelihood training, 2020, seq-rep-n).
    """
    runs = _runs(tokens, order)
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def distinct(tokens: Sequence[str], order: int) -> float:
    """distinct-n: different runs of n tokens for each token, 1 for a text of which nothing comes twice.

    (Li et al., A diversity-promoting objective function for neural conversation models, 2016.)
    """
    return len(set(_runs(tokens, order))) / len(tokens) if tokens else 0.0


def compression_ratio(text: str) -> float:
    """Bytes of the text for each byte of what zlib makes of it; the more it repeats, the more (0 for no text).

    (Shaib et al., Standardizing the measurement of text diversity, 2024.)
    """
    data = text.encode("utf-8", "replace")
    return len(data) / len(zlib.compress(data, 9)) if data else 0.0


def _runs(tokens: Sequence[str], order: int) -> list[tuple[str, ...]]:
    return list(zip(*(tokens[i:] for i in range(order)), strict=False))
