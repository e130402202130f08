"""What a tokenizer is made of once its files are read, whatever their format."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import tokenizers

Spelling = Literal["byte_level", "sentencepiece"]
"""How the text of a token spells bytes: GPT-2's printable alphabet, or pieces with U+2581 for a space and <0xNN>."""


@dataclass(frozen=True, eq=False)
class TokenizerParts:
    """A tokenizer as it was read from a model's files.

    Attributes:
        core: encodes text; it adds nothing at the ends, cuts nothing and pads nothing.
        tokens: the text of each id as the vocabulary spells it.
        spelling: how that text becomes bytes.
        special: ids of control tokens, which `decode` leaves out.
        added: ids of tokens that are found in a text as they are, before it is split (control tokens among them).
        strip_space: whether the space that begins a decoded text was put there by the tokenizer.
        prefix, suffix: ids that the tokenizer adds by itself before and after a text.
        bos_id: the token that begins a text, if the model has one.
        eos_ids: every token that ends a text or a turn.
    """

    core: "tokenizers.Tokenizer"
    tokens: Sequence[str]
    spelling: Spelling
    special: frozenset[int]
    added: frozenset[int]
    strip_space: bool = False
    prefix: tuple[int, ...] = ()
    suffix: tuple[int, ...] = ()
    bos_id: int | None = None
    eos_ids: frozenset[int] = field(default_factory=frozenset)


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
