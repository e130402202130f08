"""`--logit-bias ID=BIAS`, where the token may also be given by its text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from longra.errors import UsageError

if TYPE_CHECKING:
    from longra.text.tokenizer import Tokenizer

Bias = tuple[str, float]
"""A token as the user wrote it, and its bias."""


def parse_biases(words: Sequence[str]) -> list[Bias]:
    """Split each word at its last "=".

    Raises:
        UsageError: there is no "=" with a number after it.
    """
    pairs: list[Bias] = []
    for word in words:
        token, _, bias = word.rpartition("=")
        try:
            pairs.append((token, float(bias)))
        except ValueError:
            raise UsageError(f"--logit-bias is {word!r}; write ID=BIAS, such as 284=-100") from None
        if not token:
            raise UsageError(f"--logit-bias {word!r} names no token; write ID=BIAS, such as 284=-100")
    return pairs


def token_biases(biases: Sequence[Bias], tokenizer: "Tokenizer") -> dict[int, float]:
    """Token id -> bias.

    Raises:
        UsageError: a text is not exactly one token.
    """
    return {_token(token, tokenizer): bias for token, bias in biases}


def _token(word: str, tokenizer: "Tokenizer") -> int:
    """A number is an id; else the word as text, or as the vocabulary spells it."""
    if word.isdecimal() and word.isascii():
        return int(word)
    ids = tokenizer.encode(word, add_special=False)
    if len(ids) == 1:
        return ids[0]
    spelled = tokenizer.token_id(word)
    if spelled is None:
        raise UsageError(
            f"--logit-bias: {word!r} is {len(ids)} tokens ({', '.join(map(str, ids))}); give one option for each id"
        )
    return spelled
