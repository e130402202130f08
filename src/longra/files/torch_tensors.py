"""Tensors as torch.save pickles them: a storage (a named run of bytes) and a strided window on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from longra.arrays import UInt8
from longra.errors import FormatError
from longra.files.blocks import BLOCKS
from longra.files.mapped import AGAIN, shown
from longra.files.pickles import Global, plain_dict
from longra.files.tensor import Tensor

MAX_DIMENSIONS = 8
MAX_DICT_CALLS = 64

STORAGES = {
    "torch.DoubleStorage": "F64",
    "torch.FloatStorage": "F32",
    "torch.HalfStorage": "F16",
    "torch.BFloat16Storage": "BF16",
    "torch.LongStorage": "I64",
    "torch.IntStorage": "I32",
    "torch.ShortStorage": "I16",
    "torch.CharStorage": "I8",
    "torch.ByteStorage": "U8",
    "torch.BoolStorage": "BOOL",
}


@dataclass(frozen=True)
class Storage:
    """A run of `count` elements of a stored type, from element `start` of the file's storage `key`."""

    key: str
    kind: str
    count: int
    start: int = 0


@dataclass(frozen=True, eq=False)
class Window:
    """A tensor on a storage: offset, shape and strides in elements, not checked yet."""

    storage: Any
    offset: Any
    shape: Any
    strides: Any


def torch_names() -> Mapping[str, Global]:
    """The names that a state dict's pickle uses, and what Longra does in their place.

    A parameter is its tensor. Storages' classes are marks, which a persistent id holds.
    """
    calls = 0

    def ordered_dict(*pairs: Any) -> dict[str | int, Any]:
        # Called with items by Python 2's pickles only. The limit keeps a pickle from copying a long list many times.
        nonlocal calls
        calls += bool(pairs)
        if calls > MAX_DICT_CALLS or len(pairs) > 1:
            raise TypeError(f"more than {MAX_DICT_CALLS} dicts made of lists")
        return plain_dict(*pairs) if pairs else {}

    def rebuild(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Window:
        return Window(storage, offset, shape, strides)

    def parameter(data: Any, *_: Any) -> Any:
        return data

    def size(extents: Any) -> Any:
        return extents

    functions: dict[str, Callable[..., Any]] = {
        "collections.OrderedDict": ordered_dict,
        "torch.Size": size,
        "torch._utils._rebuild_tensor": rebuild,
        "torch._utils._rebuild_tensor_v2": rebuild,
        "torch._utils._rebuild_parameter": parameter,
    }
    marks = {name: Global(name) for name in STORAGES}
    return marks | {name: Global(name, function) for name, function in functions.items()}


def storage_of(identity: Any) -> Storage:
    """The storage that a persistent id describes: ("storage", class, key, location, count[, view]).

    Raises:
        TypeError: it describes something else.
    """
    if not isinstance(identity, tuple) or len(identity) not in (5, 6) or identity[0] != "storage":
        raise TypeError("a persistent id that is not a storage's")
    mark, key, _, count = identity[1:5]
    if not isinstance(mark, Global) or mark.name not in STORAGES:
        raise TypeError("a storage of a class that is not one")
    if not isinstance(key, str) or not is_count(count):
        raise TypeError("a storage without a key or a size")
    return Storage(key, STORAGES[mark.name], count)


def is_count(value: Any) -> bool:
    """Whether a value is an integer from 0 to 2^63 - 1."""
    return type(value) is int and 0 <= value < 1 << 63


class TensorReader:
    """Makes stored tensors of a state dict's windows, copying only those that are not contiguous.

    Args:
        path: the file, for errors.
        size: its bytes; copies may take as many in all, so that a small file cannot fill the memory.
        storage: gives the bytes of a whole storage (its view applied).
    """

    def __init__(self, path: Path, size: int, storage: Callable[[Storage], UInt8]) -> None:
        self._path = path
        self._left = size
        self._storage = storage

    def read(self, state: Any) -> dict[str, Tensor]:
        """All tensors of a state dict, by name.

        Raises:
            FormatError: it is not a dict of tensors, or one of them does not lie in its storage.
        """
        if not isinstance(state, dict):
            raise self._fail(f"it holds {shown(state)}, a dict of tensors is needed", "save model.state_dict()")
        tensors: dict[str, Tensor] = {}
        for name, window in state.items():
            if not isinstance(name, str) or not name or not name.isprintable():
                raise self._fail(f"a tensor's name is not text or has control characters: {shown(name)}")
            if not isinstance(window, Window):
                raise self._fail(f"{shown(name)} is {shown(window)} and not a tensor", "save model.state_dict()")
            tensors[name] = self._tensor(name, window)
        return tensors

    def _fail(self, cause: str, next_step: str = AGAIN) -> FormatError:
        return FormatError(f"{self._path}: {cause}; {next_step}")

    def _tensor(self, name: str, window: Window) -> Tensor:
        storage, offset, shape, strides = window.storage, window.offset, window.shape, window.strides
        if not isinstance(storage, Storage) or not is_count(offset) or not _counts(shape) or not _counts(strides):
            raise self._fail(f"tensor {shown(name)} is not described by a storage, an offset, a shape and strides")
        if len(shape) != len(strides) or len(shape) > MAX_DIMENSIONS:
            raise self._fail(f"tensor {shown(name)} has {len(shape)} dimensions and {len(strides)} strides")
        data = self._storage(storage)
        step = BLOCKS[storage.kind][1]
        count = 1
        for extent in shape:
            count *= extent
        last = offset + sum((extent - 1) * stride for extent, stride in zip(shape, strides, strict=True))
        if count and last >= storage.count:
            raise self._fail(
                f"tensor {shown(name)} reaches element {shown(last)} of a storage that has {storage.count:,}"
            )
        if count == 0 or _contiguous(shape, strides):
            return Tensor(name, storage.kind, shape, data[offset * step : (offset + count) * step])
        return Tensor(name, storage.kind, shape, self._gather(name, data[offset * step :], step, shape, strides))

    def _gather(self, name: str, data: UInt8, step: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> UInt8:
        """A strided window's elements in row-major order, copied; its bounds are checked already."""
        needed = step
        for extent in shape:
            needed *= extent
        self._left -= needed
        if self._left < 0:
            raise self._fail(
                f"tensor {shown(name)} takes {shown(needed)} bytes out of order or repeated, more than the file has",
                "save the weights again with .contiguous()",
            )
        jumps = (stride * step if extent > 1 else 0 for extent, stride in zip(shape, strides, strict=True))
        cells = np.lib.stride_tricks.as_strided(data, (*shape, step), (*jumps, 1), writeable=False)
        return np.ascontiguousarray(cells).reshape(-1)


def _counts(value: Any) -> bool:
    return isinstance(value, tuple) and all(map(is_count, value))


def _contiguous(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether elements follow each other in row-major order; the stride of an extent of 1 does not matter."""
    expected = 1
    for extent, stride in zip(reversed(shape), reversed(strides), strict=True):
        if extent != 1 and stride != expected:
            return False
        expected *= extent
    return True
