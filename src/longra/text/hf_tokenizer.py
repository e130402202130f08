"""Reads the tokenizer of a Hugging Face folder: tokenizer.json, vocab.json with merges.txt, or tokenizer.model."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from longra.errors import FormatError
from longra.text import pretokenizers
from longra.text.folder import optional_object, token_text
from longra.text.parts import END_TOKENS, Spelling, TokenizerParts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_FILE_BYTES = 1 << 28
"""A tokenizer.json of 262,144 tokens has 33 MB."""


def read_hf_tokenizer(folder: Path, config: Mapping[str, Any]) -> TokenizerParts:
    """Build the tokenizer of a folder.

    Args:
        folder: where the tokenizer's files are.
        config: the object of config.json, for its eos_token_id and model_type.

    Raises:
        FormatError: there is no tokenizer, a file is wrong, or its kind is not known.
    """
    settings = optional_object(folder / "special_tokens_map.json")
    settings |= {k: v for k, v in optional_object(folder / "tokenizer_config.json").items() if v is not None}
    if (folder / "tokenizer.json").is_file():
        core = _from_json(folder / "tokenizer.json")
        _add_tokens(core, folder, settings)
        prefix, suffix = _ends(core)
    elif (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        core = _from_vocab(folder, settings, str(config.get("model_type", "")))
        _add_tokens(core, folder, settings)
        prefix, suffix = _named_ends(core, settings)
    elif (folder / "tokenizer.model").is_file():
        from longra.text.sentencepiece_model import read_sentencepiece_model

        return read_sentencepiece_model(folder / "tokenizer.model", folder, settings, config)
    else:
        raise FormatError(
            f"{folder} has no tokenizer.json, vocab.json with merges.txt, or tokenizer.model; install the model again"
        )
    added = core.get_added_tokens_decoder()
    special = frozenset(i for i, token in added.items() if token.special)
    spelling, strip_space = _decoding(core, folder)
    return TokenizerParts(
        lambda _: core,
        _CoreTokens(core),
        spelling,
        special=special,
        added=frozenset(added),
        strip_space=strip_space,
        prefix=prefix,
        suffix=suffix,
        bos_id=first_id(core, settings.get("bos_token"), config.get("bos_token_id")),
        eos_ids=end_ids(core, special, folder, settings, config),
    )


def _from_json(path: Path) -> "Tokenizer":
    from tokenizers import Tokenizer

    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise FormatError(f"{path} has {size:,} bytes, which no tokenizer needs; install the model again")
    with library_errors(str(path)):
        core: Tokenizer = Tokenizer.from_file(str(path))
    core.no_truncation()  # what a prompt loses must be said, not done by a setting in a file
    core.no_padding()
    return core


def _from_vocab(folder: Path, settings: Mapping[str, Any], model_type: str) -> "Tokenizer":
    """Byte-level BPE in the two files that GPT-2 was published with."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    with library_errors(f"{folder}/vocab.json or merges.txt"):
        core = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    if model_type.startswith("qwen"):
        core.normalizer = normalizers.NFC()
        core.pre_tokenizer = pretokenizers.byte_level("qwen2")
    else:
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=bool(settings.get("add_prefix_space", False)))
    core.decoder = decoders.ByteLevel()
    return core


def _add_tokens(core: "Tokenizer", folder: Path, settings: Mapping[str, Any]) -> None:
    """Tokens that the files beside the vocabulary name, in the order of their ids."""
    from tokenizers import AddedToken

    known = {token.content for token in core.get_added_tokens_decoder().values()}
    named = {text for key in ("bos", "eos", "unk", "pad") if (text := token_text(settings.get(f"{key}_token")))}
    extra = settings.get("additional_special_tokens") or ()
    named |= {text for token in extra if (text := token_text(token))}

    wanted: dict[str, AddedToken] = {}
    stored = settings.get("added_tokens_decoder")
    for _, token in sorted(_by_id(stored if isinstance(stored, dict) else {}), key=lambda pair: pair[0]):
        if text := token_text(token):
            flags = ("lstrip", "rstrip", "normalized", "single_word", "special")
            options = {flag: bool(token[flag]) for flag in flags if flag in token} if isinstance(token, dict) else {}
            wanted[text] = AddedToken(text, **options)
    listed = optional_object(folder / "added_tokens.json")
    for text in sorted((t for t, i in listed.items() if isinstance(i, int)), key=lambda t: int(listed[t])):
        wanted.setdefault(text, AddedToken(text, special=text in named, normalized=text not in named))
    for text in sorted(named):
        wanted.setdefault(text, AddedToken(text, special=True, normalized=False))
    core.add_tokens([token for text, token in wanted.items() if text not in known])


def _by_id(stored: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
    for key, token in stored.items():
        if key.isdecimal():
            yield int(key), token


def _ends(core: "Tokenizer") -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ids that tokenizer.json's post-processor puts before and after a text."""
    bare = core.encode("a", add_special_tokens=False).ids
    full = core.encode("a", add_special_tokens=True).ids
    for start in range(len(full) - len(bare) + 1):
        if full[start : start + len(bare)] == bare:
            return tuple(full[:start]), tuple(full[start + len(bare) :])
    return (), ()


def _named_ends(core: "Tokenizer", settings: Mapping[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ids that tokenizer_config.json wants before and after a text."""
    ids = []
    for name in ("bos", "eos"):
        token = first_id(core, settings.get(f"{name}_token"))
        ids.append((token,) if settings.get(f"add_{name}_token") is True and token is not None else ())
    return ids[0], ids[1]


def first_id(core: "Tokenizer", *stored: Any) -> int | None:
    """The first of some tokens, given by text or by id, that the vocabulary has."""
    for value in stored:
        if type(value) is int:
            if 0 <= value < 1 << 32 and core.id_to_token(value) is not None:
                return value
            continue
        text = token_text(value)
        if text is not None and (found := core.token_to_id(text)) is not None:
            return int(found)
    return None


def end_ids(
    core: "Tokenizer", special: frozenset[int], folder: Path, settings: Mapping[str, Any], config: Mapping[str, Any]
) -> frozenset[int]:
    """Every token that ends a text or a turn, from whichever file names it."""
    found = {i for i in special if core.id_to_token(i) in END_TOKENS}
    generation = optional_object(folder / "generation_config.json")
    named: list[Any] = [token_text(settings.get("eos_token"))]
    for value in (config.get("eos_token_id"), generation.get("eos_token_id")):
        named += [one for one in (value if isinstance(value, list) else [value]) if type(one) is int]
    return frozenset(found | {i for one in named if (i := first_id(core, one)) is not None})


def _decoding(core: "Tokenizer", folder: Path) -> tuple[Spelling, bool]:
    """How tokens spell bytes, and whether the tokenizer puts a space before a text, from the decoder's settings."""
    if core.decoder is None:
        raise FormatError(f"the tokenizer.json in {folder} has no decoder, so its tokens cannot become text")
    steps = list(_steps(json.loads(core.decoder.__getstate__())))
    kinds = {step.get("type") for step in steps}
    if "ByteLevel" in kinds:
        return "byte_level", False
    if kinds & {"Metaspace", "ByteFallback"}:
        return "sentencepiece", any(_strips(step) for step in steps)
    raise FormatError(
        f"the tokenizer.json in {folder} decodes by {', '.join(sorted(map(str, kinds)))}, which is not known; "
        "known are ByteLevel, Metaspace and ByteFallback"
    )


def _steps(decoder: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if decoder.get("type") == "Sequence":
        for step in decoder["decoders"]:
            yield from _steps(step)
    else:
        yield decoder


def _strips(step: Mapping[str, Any]) -> bool:
    if step.get("type") == "Metaspace":
        return bool(step.get("prepend_scheme", "always") != "never")
    return bool(step.get("type") == "Strip" and step.get("content") == " " and step.get("start"))


class _CoreTokens(Sequence[str]):
    """The spellings of all ids, asked of the library one by one: a list of them all would cost a tenth of a second."""

    def __init__(self, core: "Tokenizer") -> None:
        self._core = core
        self._count = max(core.get_vocab_size(), *(i + 1 for i in core.get_added_tokens_decoder()), 0)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._count))]
        return self._core.id_to_token(index) or ""


@contextmanager
def library_errors(what: str) -> Iterator[None]:
    """Errors of the tokenizers library, which raises plain Exception and, in a panic, even less."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise FormatError(f"{what} cannot be read: {error}; install the model again") from error
