"""Reads what torch.save writes (pytorch_model.bin), in both of its formats, without executing the pickle.

Since torch 1.6 it is a zip file: NAME/data.pkl, and NAME/data/KEY for each storage. Before, it was a row of pickles (a
magic number, a version, facts about the machine, the state dict, the storages' keys), then for each key the number of
elements (64 bits) and the elements (torch/serialization.py).
"""

import io
from pathlib import Path
from typing import Any

from longra.arrays import UInt8
from longra.errors import FormatError
from longra.files.blocks import BLOCKS
from longra.files.mapped import AGAIN, MappedFile, shown
from longra.files.pickles import PickleMachine
from longra.files.tensor import Tensor
from longra.files.torch_tensors import Storage, TensorReader, is_count, storage_of, torch_names
from longra.files.zip_directory import read_directory

MAX_PICKLE_BYTES = 1 << 24
"""The pickle of a model of 1,000 tensors takes some 100,000."""
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_VERSION = 1001


def read_torch(path: Path) -> tuple[MappedFile, dict[str, Tensor]]:
    """Open a file that torch.save wrote of a state dict.

    Returns:
        The mapped file, and its tensors by name: views of it, or copies of those that are not contiguous.

    Raises:
        ModelNotFoundError: there is no such file.
        FormatError: it is cut off or corrupt, of another kind, or its pickle asks for anything but tensors.
    """
    file = MappedFile(path)
    if file.map[:2] == b"PK":
        return file, _read_zip(file)
    if file.map[0] in b"\x80(}]c":  # operations that begin a pickle, of the first protocols too
        return file, _read_legacy(file)
    raise FormatError(f"{path} was not written by torch.save: it begins with {shown(file.map[:8])}; {AGAIN}")


def _read_zip(file: MappedFile) -> dict[str, Tensor]:
    members = read_directory(file)
    pickles = [name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise FormatError(f"{file.path} has {len(pickles)} members NAME/data.pkl, torch.save writes one; {AGAIN}")
    folder = pickles[0].removesuffix("data.pkl")
    start, stop = members[pickles[0]]
    if stop - start > MAX_PICKLE_BYTES:
        raise FormatError(f"{file.path}: its pickle has {stop - start:,} bytes, at most {MAX_PICKLE_BYTES:,} are read")
    if f"{folder}byteorder" in members:
        first, last = members[f"{folder}byteorder"]
        _check_order(file, file.map[first : min(last, first + 16)] == b"little")
    machine = PickleMachine(torch_names(), storage_of, str(file.path))
    state = machine.run(io.BytesIO(file.map[start:stop]))

    def storage(wanted: Storage) -> UInt8:
        begin, end = members.get(f"{folder}data/{wanted.key}", (0, -1))
        needed = wanted.count * BLOCKS[wanted.kind][1]
        if end - begin < needed:
            there = f"{end - begin:,} bytes" if end >= begin else "not there"
            raise FormatError(f"{file.path}: storage {shown(wanted.key)} is {there}, {needed:,} are needed; {AGAIN}")
        return file.data[begin : begin + needed]

    return TensorReader(file.path, file.size, storage).read(state)


def _check_order(file: MappedFile, little: bool) -> None:
    if not little:
        raise FormatError(f"{file.path} was saved on a big-endian machine; save it again on a little-endian one")


def _read_legacy(file: MappedFile) -> dict[str, Tensor]:
    path, stream = file.path, io.BytesIO(file.map[:MAX_PICKLE_BYTES])
    roots: dict[str, Storage] = {}

    def persistent(identity: Any) -> Storage:
        root = storage_of(identity)
        known = roots.setdefault(root.key, root)
        if known != root:
            raise TypeError(f"storage {shown(root.key)} described in two ways")
        return root if len(identity) == 5 or identity[5] is None else _view(root, identity[5])

    def pickle() -> Any:
        return PickleMachine(torch_names(), persistent, str(path)).run(stream)

    magic = pickle()
    if magic != LEGACY_MAGIC:
        raise FormatError(f"{path} was not written by torch.save: its first pickle is {shown(magic)}; {AGAIN}")
    version, machine = pickle(), pickle()
    if version != LEGACY_VERSION or not isinstance(machine, dict):
        raise FormatError(f"{path}: version {shown(version)} of torch.save is not known, {LEGACY_VERSION} is; {AGAIN}")
    _check_order(file, machine.get("little_endian") is True)
    state, keys = pickle(), pickle()
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise FormatError(f"{path}: the list of its storages is not one; {AGAIN}")
    places = _legacy_storages(file, roots, keys, stream.tell())

    def storage(wanted: Storage) -> UInt8:
        if wanted.key not in places:
            raise FormatError(f"{path}: storage {shown(wanted.key)} is not there; {AGAIN}")
        step = BLOCKS[wanted.kind][1]
        start = places[wanted.key] + wanted.start * step
        return file.data[start : start + wanted.count * step]

    return TensorReader(path, file.size, storage).read(state)


def _view(root: Storage, view: Any) -> Storage:
    """A storage that is part of another: view is (key, first element, elements)."""
    if not isinstance(view, tuple) or len(view) != 3 or not is_count(view[1]) or not is_count(view[2]):
        raise TypeError("a view of a storage that is not one")
    if view[1] + view[2] > root.count:
        raise TypeError("a view that ends beyond its storage")
    return Storage(root.key, root.kind, view[2], view[1])


def _legacy_storages(file: MappedFile, roots: dict[str, Storage], keys: list[str], position: int) -> dict[str, int]:
    """First byte of each storage's elements, from the position after the last pickle."""
    places: dict[str, int] = {}
    for key in keys:
        root = roots.get(key)
        if root is None or key in places:
            raise FormatError(f"{file.path}: storage {shown(key)} is listed twice, or no tensor has it; {AGAIN}")
        count = int.from_bytes(file.map[position : position + 8], "little")
        stop = position + 8 + count * BLOCKS[root.kind][1]
        if count != root.count or stop > file.size:
            raise FormatError(
                f"{file.path} is cut off or corrupt: storage {shown(key)} has {count:,} elements of {root.count:,} and "
                f"ends at byte {stop:,}, the file at {file.size:,}; {AGAIN}"
            )
        places[key] = position + 8
        position = stop
    return places
