"""A named tensor as it is stored: a view of the mapped file, its stored type and its logical shape."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from longra.arrays import Float32, UInt8
from longra.files.blocks import BLOCKS, FLOATS


@dataclass(frozen=True, eq=False)
class Tensor:
    """A stored tensor.

    Attributes:
        name: the name in its file.
        kind: the stored type, a key of BLOCKS.
        shape: logical shape, row-major: a matrix is (rows, columns) = (outputs, inputs).
        data: the stored bytes, uint8 [nbytes], C-contiguous, usually a read-only view of the mapped file.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    data: UInt8

    @property
    def size(self) -> int:
        """Number of weights."""
        count = 1
        for extent in self.shape:
            count *= extent
        return count

    @property
    def row_bytes(self) -> int:
        """Bytes of one row (the last axis), which is a whole number of blocks."""
        weights, size = BLOCKS[self.kind]
        return self.shape[-1] // weights * size

    def rows(self, start: int, stop: int) -> "Tensor":
        """Rows [start, stop) of a matrix or elements of a vector of floats, without a copy."""
        step = self.row_bytes if len(self.shape) > 1 else BLOCKS[self.kind][1]
        return Tensor(
            f"{self.name}[{start}:{stop}]",
            self.kind,
            (stop - start, *self.shape[1:]),
            self.data[start * step : stop * step],
        )

    def take_rows(self, index: npt.NDArray[np.intp]) -> "Tensor":
        """The rows (or elements of a vector) named by index [n], copied in that order."""
        step = self.row_bytes if len(self.shape) > 1 else BLOCKS[self.kind][1]
        picked = self.data.reshape(self.shape[0], step)[index].reshape(-1)
        return Tensor(f"{self.name}[...]", self.kind, (len(index), *self.shape[1:]), picked)

    def float32(self) -> Float32:
        """The weights as float32 of this tensor's shape; quantised types by the reference arithmetic."""
        from longra.files.dequantise import dequantise

        return dequantise(self.kind, self.data).reshape(self.shape)

    def transposed(self) -> "Tensor":
        """A float matrix with its axes exchanged, copied (GPT-2 stores its matrices as [inputs, outputs])."""
        assert self.kind in FLOATS
        assert len(self.shape) == 2
        step = BLOCKS[self.kind][1]
        cells = self.data.reshape(*self.shape, step).transpose(1, 0, 2)
        return Tensor(f"{self.name}.T", self.kind, self.shape[::-1], np.ascontiguousarray(cells).reshape(-1))
