"""Opens what a model is on disk, whatever its format: a description and named tensors."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from longra.errors import FormatError, ModelNotFoundError
from longra.files.gguf import SPLIT_NAME, read_gguf
from longra.files.json_object import read_json
from longra.files.mapped import MappedFile, shown
from longra.files.shards import Reader, read_shards
from longra.files.tensor import Tensor

_SAFETENSORS = "model.safetensors"
_TORCH = "pytorch_model.bin"
_SHARD_NAME = re.compile(r"(.+)-\d{5}-of-\d{5}(\.safetensors|\.bin)")
_SUFFIXES = {"safetensors": (".safetensors",), "torch": (".bin", ".pt", ".pth")}


@dataclass(eq=False)
class Checkpoint:
    """An opened model. Use it as a context manager, or `close` it.

    Attributes:
        format: "gguf", "safetensors" or "torch".
        path: the file or folder that was opened.
        folder: where the files beside the weights (a tokenizer's) are.
        config: the object of config.json, or the metadata of a GGUF file under its own keys.
        tensors: the stored tensors by name; their data are read-only views of mapped files.
        files: the mapped files.
    """

    format: str
    path: Path
    folder: Path
    config: dict[str, Any]
    tensors: dict[str, Tensor]
    files: list[MappedFile] = field(default_factory=list)

    def drop(self) -> None:
        """Give the memory of the mapped files back to the system. Tensors stay valid and are read from disk anew."""
        for file in self.files:
            file.drop()

    def close(self) -> None:
        """Drop the memory and let go of tensors and files; a map ends with the last tensor that someone still holds."""
        self.drop()
        self.tensors = {}
        self.files = []

    def __enter__(self) -> "Checkpoint":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_checkpoint(path: Path) -> Checkpoint:
    """Open a model: its folder, or its file.

    A folder holds *.gguf, or config.json with *.safetensors or pytorch_model.bin, sharded (with an index) or not; of
    several formats the first of safetensors, torch, gguf is taken. A file of weights has config.json beside it.

    Raises:
        ModelNotFoundError: there is nothing at the path.
        FormatError: there are no weights, or several that could be meant; a file is cut off, corrupt, hostile or of an
            unknown kind.
    """
    try:
        there, is_folder = path.exists(), path.is_dir()
    except (OSError, ValueError) as error:
        raise FormatError(f"{shown(str(path))} cannot be read: {error}; check the path") from error
    if not there:
        raise ModelNotFoundError(f"there is no file or folder {path}; check the path, or see `longra models`")
    return _open_folder(path) if is_folder else _open_file(path)


def _open_folder(folder: Path) -> Checkpoint:
    weights = _weights_of(folder)
    checkpoint = _open_file(weights)
    checkpoint.path = folder
    return checkpoint


def _weights_of(folder: Path) -> Path:
    """The file (or index) of weights in a folder."""
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise FormatError(f"{folder} cannot be read: {error}; check its permissions") from error
    for name in (_SAFETENSORS, f"{_SAFETENSORS}.index.json"):
        if name in names:
            return folder / name
    found = [name for name in names if name.endswith(".safetensors")]
    if not found:
        found = [name for name in (_TORCH, f"{_TORCH}.index.json") if name in names][:1]
    if not found:
        found = _first_parts([name for name in names if name.endswith(".gguf")])
    if len(found) == 1:
        return folder / found[0]
    if found:
        listed = ", ".join(found[:8]) + (", ..." if len(found) > 8 else "")
        raise FormatError(f"{folder} holds {len(found)} files of weights: {listed}; give the path of one of them")
    raise FormatError(
        f"{folder} holds no weights among its {len(names)} files (looked for *.safetensors, {_TORCH}, *.gguf); "
        "give a model's folder or its .gguf file"
    )


def _first_parts(names: list[str]) -> list[str]:
    """The names of GGUF files less the later parts of split ones whose first part is among them."""
    parts = {name: SPLIT_NAME.fullmatch(name) for name in names}
    first = {match[1] for match in parts.values() if match is not None and int(match[2]) == 1}
    return [name for name, match in parts.items() if match is None or int(match[2]) == 1 or match[1] not in first]


def _open_file(path: Path) -> Checkpoint:
    name = path.name
    if name.endswith(".gguf"):
        gguf = read_gguf(path)
        return Checkpoint("gguf", path, path.parent, gguf.metadata, gguf.tensors, gguf.files)
    for kind, suffixes in _SUFFIXES.items():
        if name.endswith(suffixes):
            return _open_with_config(path, kind)
        if name.endswith(tuple(f"{suffix}.index.json" for suffix in suffixes)):
            return _open_with_config(path, kind, path)
    if _starts_with(path, b"GGUF"):
        gguf = read_gguf(path)
        return Checkpoint("gguf", path, path.parent, gguf.metadata, gguf.tensors, gguf.files)
    raise FormatError(f"{path} is of an unknown kind; give a .gguf, .safetensors or .bin file, or a model's folder")


def _open_with_config(path: Path, kind: str, index: Path | None = None) -> Checkpoint:
    """Weights with config.json beside them; index is given, or found if it lists this file among others."""
    config_path = path.parent / "config.json"
    if not config_path.exists():
        raise FormatError(f"{path} has no config.json beside it, which describes the model; put it there")
    config = read_json(config_path)
    index = index or _index_of(path)
    reader = _reader_of(kind)
    if index is None:
        file, tensors = reader(path)
        return Checkpoint(kind, path, path.parent, config, tensors, [file])
    files, tensors = read_shards(index, reader)
    return Checkpoint(kind, path, path.parent, config, tensors, files)


def _reader_of(kind: str) -> Reader:
    """What reads a file of a kind; a model in GGUF needs none of them, and starts sooner without."""
    if kind == "safetensors":
        from longra.files.safetensors import read_safetensors

        return read_safetensors
    from longra.files.torch_zip import read_torch

    return read_torch


def _index_of(path: Path) -> Path | None:
    """The index beside a shard (`model-00001-of-00003.safetensors`), if there is one."""
    match = _SHARD_NAME.fullmatch(path.name)
    index = path.with_name(f"{match[1]}{match[2]}.index.json") if match else None
    return index if index is not None and index.is_file() else None


def _starts_with(path: Path, magic: bytes) -> bool:
    file = MappedFile(path)
    return file.map[: len(magic)] == magic
