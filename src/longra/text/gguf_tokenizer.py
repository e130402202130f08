"""Reads the tokenizer that a GGUF file carries in its metadata."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from longra.errors import FormatError
from longra.files.mapped import shown
from longra.text import pretokenizers
from longra.text.byte_level import byte_level_text
from longra.text.merges import merges_of
from longra.text.occurring import occurring
from longra.text.parts import END_TOKENS, TokenizerParts

if TYPE_CHECKING:
    import tokenizers

Metadata = Mapping[str, Any]
TokenTypes = npt.NDArray[np.int64]

# tokenizer.ggml.token_type, as in the GGUF specification.
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
SPACE = "\u2581"
_PREFIX = "tokenizer.ggml."


def read_gguf_tokenizer(metadata: Metadata, lazy: bool = False) -> TokenizerParts:
    """Build the tokenizer that GGUF metadata describe.

    Args:
        metadata: the file's keys and values; those that begin with "tokenizer.ggml." are read.
        lazy: leave the core until it is needed; errors in merges and scores show then.

    Raises:
        FormatError: the vocabulary is missing, of an unknown kind, or contradicts itself.
    """
    model = metadata.get(_PREFIX + "model", "")
    builders = {"gpt2": _byte_level, "llama": _sentencepiece}
    if not isinstance(model, str) or model not in builders:
        raise FormatError(
            f"tokenizer.ggml.model is {shown(model)}; known are {', '.join(builders)}; "
            "use another copy of the model, for example its Hugging Face folder"
        )
    tokens = _strings(metadata, "tokens")
    if not tokens:
        raise FormatError("tokenizer.ggml.tokens is missing or empty; get the file again")
    parts = builders[model](metadata, tokens, _token_types(metadata, len(tokens)))
    if not lazy:
        _ = parts.core
    return parts


def _byte_level(metadata: Metadata, tokens: list[str], types: TokenTypes) -> TokenizerParts:
    """Byte-level BPE: tokens in GPT-2's alphabet and a list of merges."""
    pre = pretokenizers.canonical(_text(metadata, "pre", "default"))
    return TokenizerParts(
        partial(_byte_level_core, metadata, tokens, types, pre),
        tokens,
        "byte_level",
        special=_where(types == CONTROL),
        added=_where(np.isin(types, (CONTROL, USER_DEFINED))),
        **_ends(metadata, tokens, types, add_bos=pre in pretokenizers.BEGINS_WITH_BOS),
    )


def _byte_level_core(
    metadata: Metadata, tokens: list[str], types: TokenTypes, pre: str, text: str | None
) -> "tokenizers.Tokenizer":
    from tokenizers import Tokenizer, decoders, models

    merges = _strings(metadata, "merges")
    kept = np.full(len(tokens), True)
    if text is not None:
        haystack = f"{byte_level_text(text)}\n{text}"
        kept = occurring(tokens, haystack)
        merges = [merge for merge in merges if merge.replace(" ", "", 1) in haystack]
    try:
        with _without_collector():
            model = models.BPE(_ids(tokens, kept), _pairs(merges), ignore_merges=pre in pretokenizers.WHOLE_WORDS)
    except Exception as error:  # the library raises plain Exception
        raise FormatError(f"tokenizer.ggml.merges do not fit the tokens: {error}; get the file again") from error
    core = Tokenizer(model)
    core.pre_tokenizer = pretokenizers.byte_level(pre)
    core.decoder = decoders.ByteLevel()
    _add(core, tokens, types, kept & np.isin(types, (CONTROL, USER_DEFINED)), rstrip=False)
    return core


def _sentencepiece(metadata: Metadata, tokens: list[str], types: TokenTypes) -> TokenizerParts:
    """SentencePiece BPE: pieces with scores, U+2581 for a space, and pieces for single bytes."""
    pieces = [token.replace(" ", SPACE) if " " in token else token for token in tokens]
    # Runs of spaces are stored as user-defined pieces; they come about by merging, after spaces became U+2581.
    is_run = np.zeros(len(pieces), np.bool_)
    user = np.flatnonzero(types == USER_DEFINED)
    is_run[user] = [not pieces[i].strip(SPACE) for i in user]
    added = ((types == CONTROL) | (types == USER_DEFINED)) & ~is_run
    return TokenizerParts(
        partial(_sentencepiece_core, metadata, tokens, pieces, types, added),
        tokens,
        "sentencepiece",
        special=_where((types == CONTROL) | (types == UNKNOWN)),
        added=_where(added),
        strip_space=_prepends_space(metadata),
        **_ends(metadata, tokens, types, add_bos=True),
    )


def _sentencepiece_core(
    metadata: Metadata,
    tokens: list[str],
    pieces: list[str],
    types: TokenTypes,
    added: npt.NDArray[np.bool_],
    text: str | None,
) -> "tokenizers.Tokenizer":
    from tokenizers import Tokenizer, models, normalizers

    unknown = _id(metadata, "unknown_token_id", len(tokens))
    kept = np.full(len(tokens), True)
    if text is not None:
        # A space may be put before any stretch of the text, so a piece's own first space proves nothing.
        kept = occurring([piece.removeprefix(SPACE) for piece in pieces], f"{text.replace(' ', SPACE)}\n{text}")
        kept |= types == BYTE
        kept[[] if unknown is None else [unknown]] = True
    try:
        with _without_collector():
            model = models.BPE(
                _ids(pieces, kept),
                _sentencepiece_merges(metadata, pieces, types, np.flatnonzero(kept)),
                unk_token=None if unknown is None else pieces[unknown],
                fuse_unk=True,
                byte_fallback=bool((types == BYTE).any()),
            )
    except FormatError:
        raise
    except Exception as error:  # the library raises plain Exception
        raise FormatError(f"the tokenizer's pieces contradict each other: {error}; get the file again") from error
    core = Tokenizer(model)
    spaces = normalizers.Replace(" ", SPACE)
    prepends = _prepends_space(metadata)
    core.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), spaces]) if prepends else spaces
    # Phi-3's publisher lets its control tokens swallow the white space after them; no key of the file says so.
    _add(core, tokens, types, kept & added, rstrip=metadata.get("general.architecture") == "phi3")
    return core


def _prepends_space(metadata: Metadata) -> bool:
    return _flag(metadata, "add_space_prefix", True)


def _sentencepiece_merges(
    metadata: Metadata, pieces: list[str], types: TokenTypes, kept: npt.NDArray[np.intp]
) -> list[tuple[str, str]]:
    """The merges among the pieces whose ids are `kept`, in rising order."""
    if stored := _strings(metadata, "merges"):
        there = {pieces[i] for i in kept.tolist()}
        return _pairs([merge for merge in stored if merge.replace(" ", "", 1) in there])
    scores = _numbers(metadata, "scores", len(pieces)).astype(np.float64)[kept]
    mergeable = np.isin(types[kept], (NORMAL, USER_DEFINED, UNUSED))
    if str(metadata.get("general.architecture", "")).startswith("gemma"):
        scores = -kept.astype(np.float64)  # Gemma's merges follow the ids, its scores do not
    ranked = np.argsort(-scores, kind="stable")
    return merges_of([pieces[i] for i in kept.tolist()], ranked[mergeable[ranked]], mergeable)


def _pairs(merges: list[str]) -> list[tuple[str, str]]:
    """The two tokens of each of tokenizer.ggml.merges, best first."""
    pairs = [tuple(merge.split(" ", 1)) for merge in merges]
    for rank, pair in enumerate(pairs):
        if len(pair) != 2:
            raise FormatError(
                f"merge {rank:,} of the tokenizer is {shown(pair[0])}, not two tokens; get the file again"
            )
    return cast("list[tuple[str, str]]", pairs)


def _add(
    core: "tokenizers.Tokenizer", tokens: list[str], types: TokenTypes, added: npt.NDArray[np.bool_], rstrip: bool
) -> None:
    """Let the core find control and user-defined tokens in a text before anything splits it."""
    from tokenizers import AddedToken

    for kind, register in ((CONTROL, core.add_special_tokens), (USER_DEFINED, core.add_tokens)):
        special = kind == CONTROL
        chosen = np.flatnonzero(added & (types == kind))
        register([AddedToken(tokens[i], normalized=False, special=special, rstrip=rstrip) for i in chosen if tokens[i]])


def _ends(metadata: Metadata, tokens: list[str], types: TokenTypes, add_bos: bool) -> dict[str, Any]:
    """What begins and ends a text: the fields prefix, suffix, bos_id and eos_ids of TokenizerParts."""
    count = len(tokens)
    bos = _id(metadata, "bos_token_id", count)
    eos = _id(metadata, "eos_token_id", count)
    named = {_id(metadata, f"{name}_token_id", count) for name in ("eos", "eot", "eom")} - {None}
    known = {int(i) for i in np.flatnonzero(types == CONTROL) if tokens[i] in END_TOKENS}
    prefix = () if bos is None or not _flag(metadata, "add_bos_token", add_bos) else (bos,)
    suffix = () if eos is None or not _flag(metadata, "add_eos_token", False) else (eos,)
    return {"prefix": prefix, "suffix": suffix, "bos_id": bos, "eos_ids": frozenset(named | known)}


def _token_types(metadata: Metadata, count: int) -> TokenTypes:
    stored = metadata.get(_PREFIX + "token_type")
    if stored is None:
        return np.full(count, NORMAL, np.int64)
    types = np.asarray(stored)
    if types.shape != (count,) or types.dtype.kind not in "iu":
        raise FormatError(
            f"tokenizer.ggml.token_type has {types.size:,} values for {count:,} tokens; get the file again"
        )
    return types.astype(np.int64)


def _numbers(metadata: Metadata, name: str, count: int) -> npt.NDArray[Any]:
    """An array of one number for each token."""
    stored = metadata.get(_PREFIX + name, ())
    if not isinstance(stored, Sequence | np.ndarray) or len(stored) != count:
        have = f"{len(stored):,} values" if isinstance(stored, Sequence | np.ndarray) else shown(stored)
        raise FormatError(f"tokenizer.ggml.{name} has {have} for {count:,} tokens; get the file again")
    try:
        numbers = np.asarray(stored)
    except (ValueError, OverflowError) as error:
        raise FormatError(f"tokenizer.ggml.{name} holds no numbers: {error}; get the file again") from error
    if numbers.dtype.kind not in "iuf" or numbers.ndim != 1:
        raise FormatError(f"tokenizer.ggml.{name} holds {numbers.dtype}, not numbers; get the file again")
    return numbers


def _strings(metadata: Metadata, name: str) -> list[str]:
    stored = metadata.get(_PREFIX + name, ())
    if not isinstance(stored, Sequence) or isinstance(stored, str) or any(not isinstance(s, str) for s in stored[:1]):
        raise FormatError(f"tokenizer.ggml.{name} holds {type(stored).__name__}, not strings; get the file again")
    return list(stored)


def _text(metadata: Metadata, name: str, default: str) -> str:
    value = metadata.get(_PREFIX + name, default)
    if not isinstance(value, str):
        raise FormatError(f"tokenizer.ggml.{name} is {shown(value)}, not a text")
    return value


def _flag(metadata: Metadata, name: str, default: bool) -> bool:
    value = metadata.get(_PREFIX + name, default)
    if not isinstance(value, int):
        raise FormatError(f"tokenizer.ggml.{name} is {shown(value)}, not true or false")
    return bool(value)


def _id(metadata: Metadata, name: str, count: int) -> int | None:
    value = metadata.get(_PREFIX + name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < count:
        raise FormatError(f"tokenizer.ggml.{name} is {shown(value)}, and the vocabulary has {count:,} tokens")
    return value


def _ids(tokens: list[str], kept: npt.NDArray[np.bool_]) -> dict[str, int]:
    return {tokens[i]: i for i in np.flatnonzero(kept).tolist()}


def _where(mask: npt.NDArray[np.bool_]) -> frozenset[int]:
    return frozenset(np.flatnonzero(mask).tolist())


@contextmanager
def _without_collector() -> Iterator[None]:
    """Half a million small tuples would make the garbage collector run a hundred times for nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
