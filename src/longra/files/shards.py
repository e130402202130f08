"""Models whose weights are in several files, which an index lists (MODEL.safetensors.index.json and its like)."""

from collections.abc import Callable
from pathlib import Path

from longra.errors import FormatError
from longra.files.json_object import read_json
from longra.files.mapped import AGAIN, MappedFile, shown
from longra.files.tensor import Tensor

Reader = Callable[[Path], tuple[MappedFile, dict[str, Tensor]]]

MAX_SHARDS = 1 << 12


def read_shards(index: Path, reader: Reader) -> tuple[list[MappedFile], dict[str, Tensor]]:
    """All tensors of the shards that an index names, each opened by `reader`.

    Raises:
        FormatError: a shard is missing or outside of the index's folder, a tensor is in two shards or not in its own.
    """
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise FormatError(f"{index}: weight_map is {shown(places)}, an object of tensor to file is needed; {AGAIN}")
    names = _shard_names(index, places)
    files: list[MappedFile] = []
    tensors: dict[str, Tensor] = {}
    home: dict[str, str] = {}
    for name in names:
        file, opened = reader(index.parent / name)
        twice = tensors.keys() & opened.keys()
        if twice:
            tensor = min(twice)
            raise FormatError(f"{index.parent}: tensor {shown(tensor)} is in {home[tensor]} and in {name}; {AGAIN}")
        files.append(file)
        tensors |= opened
        home |= dict.fromkeys(opened, name)
    for tensor, name in places.items():
        if home.get(tensor) != name:
            raise FormatError(f"{index} has tensor {shown(tensor)} in {name}, and it is not there; {AGAIN}")
    return files, tensors


def _shard_names(index: Path, places: dict[str, object]) -> list[str]:
    """The shards' file names in order, each a plain name of a file that is there."""
    names: set[str] = set()
    for name in places.values():
        if not isinstance(name, str) or not is_plain_name(name):
            raise FormatError(f"{index} names {shown(name)}, which is not a file beside it; do not trust this model")
        names.add(name)
    if len(names) > MAX_SHARDS:
        raise FormatError(f"{index} names {len(names):,} files, at most {MAX_SHARDS:,} are read; {AGAIN}")
    missing = sorted(name for name in names if not (index.parent / name).is_file())
    if missing:
        listed = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise FormatError(
            f"{len(missing)} of the {len(names)} files of weights in {index.parent} are missing: {listed}; "
            "fetch them, or install the model again"
        )
    return sorted(names)


def is_plain_name(name: str) -> bool:
    """Whether a text is the name of a file in a folder, and not a way out of it."""
    return (
        name.isprintable() and len(name.encode()) < 256 and not set(name) & set("/\\:") and name not in ("", ".", "..")
    )
