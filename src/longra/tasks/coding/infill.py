"""Filling a gap in code, with the tokens that models were trained to do so with (Bavarian et al. 2022, FIM).

Each family has three: the code before follows the first, the code after the second, and the model writes behind the third.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from longra.errors import UsageError

if TYPE_CHECKING:
    from longra.model import Model
    from longra.text.tokenizer import Tokenizer

MARK = "<FILL_ME>"
"""What marks the gap in a file; the mark of CodeLlama's tokenizer."""

_FAMILIES = (
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),  # Qwen-Coder, CodeGemma
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),  # StarCoder, Granite
    ("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),  # SantaCoder
    ("▁<PRE>", "▁<SUF>", "▁<MID>"),  # CodeLlama
    ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),  # DeepSeek-Coder
)


@dataclass(frozen=True)
class Infill:
    """The ids of the three tokens."""

    prefix: int
    suffix: int
    middle: int

    def prompt(self, tokenizer: "Tokenizer", before: str, after: str) -> list[int]:
        """The token ids that ask for what stands between two pieces of code."""

        def ids(code: str) -> list[int]:
            return tokenizer.encode(code, special=False, add_special=False)

        return [*tokenizer.encode(""), self.prefix, *ids(before), self.suffix, *ids(after), self.middle]


def infill_of(model: "Model") -> Infill:
    """The tokens for filling gaps that a model has.

    Raises:
        UsageError: it has none.
    """
    for family in _FAMILIES:
        ids = [model.tokenizer.token_id(token) for token in family]
        if None not in ids:
            return Infill(*(token for token in ids if token is not None))
    raise UsageError(
        f"{model.name} has no tokens for filling a gap; leave the code after it away, or take a model that was trained "
        "for it, such as qwen2.5-coder-0.5b-instruct"
    )


def split_at_mark(code: str) -> tuple[str, str]:
    """Code before and after the mark; all of it and nothing where there is none.

    Raises:
        UsageError: there is more than one mark.
    """
    if code.count(MARK) > 1:
        raise UsageError(f"the code has {code.count(MARK)} marks {MARK}; one gap is filled at a time")
    before, _, after = code.partition(MARK)
    return before, after
