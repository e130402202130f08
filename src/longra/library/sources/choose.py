"""Which files of a repository make the model: one copy of its weights, and what is read beside them."""

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from longra.errors import SourceError
from longra.sizes import human_bytes


@dataclass(frozen=True)
class Candidate:
    """A file of a repository: path with '/', size in bytes, and its hashes as far as the repository gives them."""

    path: str
    bytes: int | None = None
    sha256: str | None = None
    git_sha1: str | None = None


_C = TypeVar("_C", bound=Candidate)

_BESIDE = frozenset(
    (
        *("config.json", "generation_config.json", "chat_template.jinja", "chat_template.json"),
        *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
        *("vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model"),
        *("LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", "NOTICE.txt"),
    )
)
# Weights, and the index of their pieces, under the names that the transformers library loads; best form first.
# The last line is for folders with names of their own; "consolidated" is a second copy in its authors' layout.
_FORMS = (
    (re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors"), "model.safetensors.index.json"),
    (re.compile(r"pytorch_model(-\d{5}-of-\d{5})?\.bin"), "pytorch_model.bin.index.json"),
    (re.compile(r"(?!consolidated|adapter).*\.safetensors"), ""),
)
_GGUF_PIECE = re.compile(r"(.*)-\d{5}-of-(\d{5})\.gguf")


def choose_files(candidates: Sequence[_C], wanted: str | None, repository: str) -> list[_C]:
    """The files to install of a repository: `wanted` (a path, its end, or a pattern with *), else its model.

    A model is config.json, the tokenizer and one form of the weights: safetensors, else .bin, else the only GGUF file.
    Raises SourceError, saying what is there, if that is nothing or more than one."""
    for candidate in candidates:
        _require_safe(candidate.path, repository)
    if wanted is not None:
        return _choose_wanted(candidates, wanted, repository)
    root = [candidate for candidate in candidates if "/" not in candidate.path]
    if any(candidate.path == "config.json" for candidate in root):
        for pattern, index in _FORMS:
            weights = _one_form([c for c in root if pattern.fullmatch(c.path)])
            if weights:
                beside = [c for c in root if c.path in _BESIDE or (len(weights) > 1 and c.path == index)]
                return beside + weights
    ggufs = [candidate for candidate in candidates if candidate.path.endswith(".gguf")]
    if len(ggufs) == 1 or (ggufs and _is_one_split_file(ggufs)):
        return ggufs
    if ggufs:
        raise SourceError(
            f"{repository} has {len(ggufs)} GGUF files; say which, as in {repository}:{ggufs[0].path}\n"
            + _listing(ggufs)
        )
    raise SourceError(
        f"{repository} has no model that can be read: it needs config.json with *.safetensors or pytorch_model*.bin,"
        " or a GGUF file; it has\n" + _listing(candidates)
    )


def _choose_wanted(candidates: Sequence[_C], wanted: str, repository: str) -> list[_C]:
    found = [c for c in candidates if c.path == wanted]
    found = found or [c for c in candidates if fnmatch.fnmatchcase(c.path, wanted) or c.path.endswith(wanted)]
    if not found:
        raise SourceError(f"{repository} has no file {wanted!r}; it has\n" + _listing(candidates))
    if len(found) > 1 and not _is_one_split_file(found):
        raise SourceError(f"{wanted!r} fits {len(found)} files of {repository}; say which\n" + _listing(found))
    if not found[0].path.endswith(".gguf"):
        raise SourceError(
            f"{found[0].path} alone is not a model; name a GGUF file, or leave the file out: {repository}"
        )
    return found


def _one_form(weights: Sequence[_C]) -> list[_C]:
    """The single file where there is one, else the pieces: some repositories carry both."""
    single = [c for c in weights if "-of-" not in c.path]
    return single or list(weights)


def _is_one_split_file(ggufs: Sequence[Candidate]) -> bool:
    pieces = [_GGUF_PIECE.fullmatch(c.path) for c in ggufs]
    if not all(pieces):
        return False
    return len({piece.groups() for piece in pieces if piece}) == 1


def _require_safe(path: str, repository: str) -> None:
    """Raise SourceError for a path that could leave the model's folder on any system."""
    parts = path.replace("\\", "/").split("/")
    if "" in parts or ".." in parts or ":" in path or "\0" in path:
        raise SourceError(f"{repository} lists a file with the hostile name {path!r}; nothing was installed")


def _listing(candidates: Sequence[Candidate]) -> str:
    shown = sorted(candidates, key=lambda c: -(c.bytes or 0))[:20]
    lines = [f"  {c.path}" + (f" ({human_bytes(c.bytes)})" if c.bytes else "") for c in shown]
    if len(candidates) > len(shown):
        lines.append(f"  and {len(candidates) - len(shown)} more")
    return "\n".join(lines) if lines else "  no files"
