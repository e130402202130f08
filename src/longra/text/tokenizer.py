"""A model's tokenizer: text to token ids and back."""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from longra.errors import UsageError
from longra.text.byte_level import BYTE_OF, byte_level_bytes
from longra.text.parts import TokenizerParts
from longra.text.stream import StreamDecoder
from longra.text.tokens_with import TokensWith

if TYPE_CHECKING:
    import tokenizers

    from longra.files.checkpoint import Checkpoint


def load_tokenizer(checkpoint: "Checkpoint", lazy: bool = False) -> "Tokenizer":
    """The tokenizer of an opened model: from a GGUF file's metadata, or from the files of a Hugging Face folder.

    Args:
        lazy: of a GGUF file, make what encodes long texts when there is one; what is wrong with it shows then.

    Raises:
        FormatError: there is no tokenizer, it is of an unknown kind, or it contradicts itself.
    """
    if checkpoint.format == "gguf":
        from longra.text.gguf_tokenizer import read_gguf_tokenizer

        return Tokenizer(read_gguf_tokenizer(checkpoint.config, lazy))
    from longra.text.hf_tokenizer import read_hf_tokenizer

    return Tokenizer(read_hf_tokenizer(checkpoint.folder, checkpoint.config))


class Tokenizer:
    """Encodes and decodes text.

    Attributes:
        vocabulary: the number of token ids.
        bos_id: the token that begins a text, if the model has one.
        eos_ids: every token that ends a text or a turn.
        special_ids: control tokens, which `decode` leaves out.
    """

    def __init__(self, parts: TokenizerParts) -> None:
        self._parts = parts
        self._bytes: dict[int, bytes] = {}
        self.vocabulary = len(parts.tokens)
        self.bos_id = parts.bos_id
        self.eos_ids = parts.eos_ids
        self.special_ids = parts.special

    def encode(self, text: str, special: bool = True, add_special: bool = True) -> list[int]:
        """Token ids of a text.

        Args:
            text: any text; nothing is cut.
            special: read the names of control tokens in the text ("<|im_end|>") as these tokens; else as plain text,
                which is what text that nobody has checked wants.
            add_special: add what the tokenizer adds by itself, such as the token that begins a text. A chat template
                writes these itself.

        Raises:
            UsageError: the text holds half of a surrogate pair, which no file of text can.
        """
        try:
            core = self._parts.core_for(text) if special else self._plain_core
            ids: list[int] = core.encode(text, add_special_tokens=False).ids
        except (TypeError, UnicodeEncodeError) as error:
            raise _not_text(text, error) from error
        return [*self._parts.prefix, *ids, *self._parts.suffix] if add_special else ids

    def decode(self, ids: Iterable[int], skip_special: bool = True, continues: bool = False) -> str:
        """The text of tokens; U+FFFD stands for bytes that are no UTF-8, ids beyond the vocabulary for nothing.

        Args:
            ids: token ids.
            skip_special: leave control tokens out.
            continues: the tokens follow others, so a space that begins them is part of the text.
        """
        text_bytes = self._shown_bytes if skip_special else self.token_bytes
        text = b"".join(map(text_bytes, ids)).decode("utf-8", "replace")
        return text.removeprefix(" ") if self._parts.strip_space and not continues else text

    def stream(self, skip_special: bool = True, continues: bool = False) -> StreamDecoder:
        """A decoder for tokens that come one by one; its arguments are those of `decode`."""
        text_bytes = self._shown_bytes if skip_special else self.token_bytes
        return StreamDecoder(text_bytes, self._parts.strip_space and not continues)

    def lost(self, text: str) -> list[str]:
        """The characters of a text that `encode` leaves out because the vocabulary lacks a byte of them.

        Some small vocabularies have no token for a few control characters and for planes of Unicode that are empty.
        """
        if not self._missing_bytes:
            return []
        return [character for character in sorted(set(text)) if self._missing_bytes.intersection(character.encode())]

    def token_bytes(self, token: int) -> bytes:
        """The bytes that a token stands for, which may be part of a character; none beyond the vocabulary."""
        found = self._bytes.get(token)
        if found is None:
            found = self._bytes[token] = self._spell(token)
        return found

    def tokens_with(self, marks: Iterable[str]) -> TokensWith:
        """Every token whose text holds one of these."""
        return TokensWith(self.token_bytes, marks)

    def token_text(self, token: int) -> str:
        """The token as its vocabulary spells it, for people to look at; empty beyond the vocabulary."""
        return self._parts.tokens[token] if 0 <= token < self.vocabulary else ""

    def token_id(self, text: str) -> int | None:
        """The id of a token by its spelling in the vocabulary, or None."""
        found: int | None = self._parts.core.token_to_id(text)
        return found

    def _shown_bytes(self, token: int) -> bytes:
        return b"" if token in self._parts.special else self.token_bytes(token)

    def _spell(self, token: int) -> bytes:
        if not 0 <= token < self.vocabulary:
            return b""
        text = self._parts.tokens[token]
        if self._parts.spelling == "sentencepiece":
            return piece_bytes(text)
        return text.encode() if token in self._parts.added else byte_level_bytes(text)

    @cached_property
    def _missing_bytes(self) -> frozenset[int]:
        if self._parts.spelling != "byte_level":
            return frozenset()
        return frozenset(byte for character, byte in BYTE_OF.items() if self.token_id(character) is None)

    @cached_property
    def _plain_core(self) -> "tokenizers.Tokenizer":
        """Encodes like the core, but takes the names of control tokens for text. It shares the core's vocabulary."""
        from tokenizers import Tokenizer as Core

        core = self._parts.core
        plain = Core(core.model)
        if core.normalizer is not None:
            plain.normalizer = core.normalizer
        if core.pre_tokenizer is not None:
            plain.pre_tokenizer = core.pre_tokenizer
        added = core.get_added_tokens_decoder()
        plain.add_tokens([token for _, token in sorted(added.items())])
        if any(plain.token_to_id(token.content) != i for i, token in added.items()):  # ids with gaps; rare and slow
            plain = Core.from_str(core.to_str())
        plain.encode_special_tokens = True
        return plain


def piece_bytes(piece: str) -> bytes:
    """Bytes of a SentencePiece piece: <0xNN> is one byte, U+2581 a space."""
    if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        try:
            return bytes([int(piece[3:5], 16)])
        except ValueError:
            pass
    return piece.replace("\u2581", " ").encode()


def _not_text(text: str, error: Exception) -> Exception:
    """The error for a text that cannot be written as UTF-8, or the library's own error if that was not why."""
    place = next((i for i, character in enumerate(text) if "\ud800" <= character <= "\udfff"), None)
    if place is None:
        return error
    return UsageError(
        f"character {place + 1:,} of the text is half of a surrogate pair (U+{ord(text[place]):04X}), not text; "
        "read the file as UTF-8 with errors='replace', or take the character out"
    )
