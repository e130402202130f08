"""What a tokenizer is made of once its files are read, whatever their format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import tokenizers

Spelling = Literal["byte_level", "sentencepiece"]
"""How the text of a token spells bytes: GPT-2's printable alphabet, or pieces with U+2581 for a space and <0xNN>."""


SHORT = 2000
"""Characters of a text up to which looking for its tokens is cheaper than making the whole tokenizer."""


@dataclass(frozen=True, eq=False)
class TokenizerParts:
    """A tokenizer as it was read from a model's files.

    Attributes:
        make: makes what encodes text and adds nothing at the ends, cuts nothing and pads nothing: all of it (None), or
            as much as one text needs, which is made in a tenth of the time.
        tokens: the text of each id as the vocabulary spells it.
        spelling: how that text becomes bytes.
        special: ids of control tokens, which `decode` leaves out.
        added: ids of tokens that are found in a text as they are, before it is split (control tokens among them).
        strip_space: whether the space that begins a decoded text was put there by the tokenizer.
        prefix, suffix: ids that the tokenizer adds by itself before and after a text.
        bos_id: the token that begins a text, if the model has one.
        eos_ids: every token that ends a text or a turn.
    """

    make: "Callable[[str | None], tokenizers.Tokenizer]"
    tokens: Sequence[str]
    spelling: Spelling
    special: frozenset[int]
    added: frozenset[int]
    strip_space: bool = False
    prefix: tuple[int, ...] = ()
    suffix: tuple[int, ...] = ()
    bos_id: int | None = None
    eos_ids: frozenset[int] = field(default_factory=frozenset)

    @cached_property
    def core(self) -> "tokenizers.Tokenizer":
        """Encodes any text."""
        return self.make(None)

    def core_for(self, text: str) -> "tokenizers.Tokenizer":
        """Encodes this text at least: a small one for a short text, as long as the whole one has not been needed."""
        return self.make(text) if len(text) <= SHORT and "core" not in vars(self) else self.core


END_TOKENS = frozenset(
    {
        "</s>",
        "<eos>",
        "<|endoftext|>",
        "<|end_of_text|>",
        "<|im_end|>",
        "<|end|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|EOT|>",
        "<EOT>",
        "[EOT]",
        "[EOS]",
        "<|return|>",
        "<|end_of_turn|>",
        "<end_of_turn>",
        "<end_of_utterance>",
        "<｜end▁of▁sentence｜>",
    }
)
"""Control tokens that end a text or a turn in the models of this field, whichever of them a file names as its one."""
