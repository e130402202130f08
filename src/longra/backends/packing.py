"""A graph's tensors as a plan holds them: each is packed once."""

from collections.abc import Callable

import numpy as np

from longra._native import Plan
from longra.arrays import Float32
from longra.files.blocks import FLOATS
from longra.files.tensor import Tensor
from longra.graph import Rope

_RELEASED_AT = 16 << 20
"""Bytes of the mapped file that are read before their memory is given back."""

_COMPARED_FROM = 1 << 24
"""Weights from which a matrix is looked for among those that are packed already."""


class Packing:
    """Puts tensors into a plan; what it returns are the plan's numbers for them, -1 for none.

    Args:
        plan: the plan.
        weights: the stored form that matrices are to take: "f32", "bf16", "q8", "q4", or "" for the file's own.
        release: gives back memory of the mapped file, whose pages would else be held beside the packed weights.
    """

    def __init__(self, plan: Plan, weights: str, release: Callable[[], None]) -> None:
        self._plan = plan
        self._weights = weights
        self._release = release
        self._unreleased = 0
        self._matrices: dict[tuple[int, str, tuple[int, ...]], int] = {}
        self._large: list[tuple[Tensor, int]] = []
        self._ropes: dict[Rope, int] = {}

    def matrix(self, tensor: Tensor) -> int:
        """Pack a matrix once, also where two nodes use it or the file holds it twice."""
        key = (tensor.data.ctypes.data, tensor.kind, tensor.shape)
        if key not in self._matrices:
            twin = next((known for other, known in self._large if _same(other, tensor)), None)
            if twin is None:
                twin = self._pack(tensor)
                if tensor.size >= _COMPARED_FROM:
                    self._large.append((tensor, twin))
            self._matrices[key] = twin
        return self._matrices[key]

    def vector(self, tensor: Tensor | None) -> int:
        """A bias, or the weights of a norm."""
        return -1 if tensor is None else self.channels(tensor.float32())

    def channels(self, values: Float32 | None) -> int:
        """Numbers that are no tensor of the file."""
        return -1 if values is None else self._plan.vector(np.ascontiguousarray(values.reshape(-1)))

    def rope(self, rope: Rope | None) -> int:
        """Frequencies, for sequences of both kinds (`Rope.extended`)."""
        if rope is None:
            return -1
        if rope not in self._ropes:
            extended = rope.extended or rope
            self._ropes[rope] = self._plan.rope(
                list(rope.frequencies), rope.magnitude, list(extended.frequencies), extended.magnitude, rope.interleaved
            )
        return self._ropes[rope]

    def _pack(self, tensor: Tensor) -> int:
        """Pack in slices, so that of the mapped file no more than a slice is in memory."""
        rows, inputs = tensor.shape
        matrix = self._plan.matrix(tensor.kind, rows, inputs, self._weights)
        data = np.ascontiguousarray(tensor.data)
        step = max(16, _RELEASED_AT // tensor.row_bytes // 16 * 16)
        for first in range(0, rows, step):
            part = data[first * tensor.row_bytes : (first + step) * tensor.row_bytes]
            self._plan.fill(matrix, tensor.kind, part, tensor.row_bytes, first)
            self._unreleased += part.size
            if self._unreleased >= _RELEASED_AT:
                self._release()
                self._unreleased = 0
        return matrix


def _same(a: Tensor, b: Tensor) -> bool:
    """Some files hold the tied embedding twice: comparing 145 MB takes 20 ms, holding it again 145 MB."""
    return a.kind == b.kind and a.shape == b.shape and a.kind not in FLOATS and bool(np.array_equal(a.data, b.data))
