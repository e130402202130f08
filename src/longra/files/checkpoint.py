"""Opens what a model is on disk, whatever its format: a description and named tensors."""

from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from longra.errors import FormatError, ModelNotFoundError
from longra.files.gguf import read_gguf
from longra.files.mapped import MappedFile
from longra.files.tensor import Tensor


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
    """Open a .gguf file.

    Raises:
        ModelNotFoundError: there is nothing at the path.
        FormatError: a file is cut off, corrupt, hostile or of an unknown kind.
    """
    if not path.exists():
        raise ModelNotFoundError(f"there is no file or folder {path}; check the path, or see `longra models`")
    if path.suffix == ".gguf":
        gguf = read_gguf(path)
        return Checkpoint("gguf", path, path.parent, gguf.metadata, gguf.tensors, gguf.files)
    raise FormatError(f"{path} is of an unknown kind")
