"""A graph becomes a native plan: nodes are fused where one kernel does several, values get buffers.

What is fused: a norm into the product that reads it, products of one input (q, k, v; gate, up) into one, the activation
and gate into the next product, a residual sum into the product before it. A value's buffer is used again once its
last reader has been emitted.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from longra._native import Plan
from longra.backends.keys import key_scale, key_shift
from longra.errors import FitError
from longra.files.tensor import FLOATS, Tensor
from longra.graph import (
    Activation,
    Add,
    Attention,
    Embed,
    Graph,
    LayerNorm,
    Linear,
    Multiply,
    Node,
    PositionEmbed,
    RmsNorm,
    Rope,
    in_order,
)

LOGITS = -1
_RELEASED_AT = 32 << 20
_NO_NORM = (False, -1, -1, 0.0, 0.0)
_Norm = tuple[bool, int, int, float, float]


def _padded(width: int) -> int:
    return -(-width // 16) * 16


def readers_of(output: Node) -> dict[Node, list[Node]]:
    """For each node that the output needs, in order, the nodes that read it, one entry a reading."""
    readers: dict[Node, list[Node]] = {node: [] for node in in_order(output)}
    for node in readers:
        for value in vars(node).values():
            if isinstance(value, Node):
                readers[value].append(node)
    return readers


@dataclass
class _Operand:
    """How a product's input is made from a buffer."""

    buffer: int
    source: Node
    form: str = "plain"
    norm: _Norm = _NO_NORM
    kind: str = "silu"
    ready: bool = False


class Lowering:
    """Emits one graph into one plan.

    Args:
        plan: an empty plan.
        weights: the stored form that matrices are to take: "f32", "bf16", "q8", "q4", or "" for the file's own.
        cache: how keys and values are held: "f32", "bf16" or "q8".
        release: gives back memory of the mapped file, whose pages would else be held beside the packed weights.
    """

    def __init__(self, plan: Plan, graph: Graph, weights: str, cache: str, release: Callable[[], None]) -> None:
        self.plan = plan
        self.weights = weights
        self.cache = cache
        self.release = release
        self.unreleased = 0
        self.readers = readers_of(graph.output)
        self.left = Counter({node: len(readers) for node, readers in self.readers.items()})
        self.buffers: dict[Node, int] = {}
        self.free: dict[tuple[int, bool], list[int]] = {}
        self.widths: dict[int, tuple[int, bool]] = {}
        self.matrices: dict[tuple[int, str, tuple[int, ...]], int] = {}
        self.tensors: list[tuple[Tensor, int]] = []
        self.ropes: dict[Rope, int] = {}
        attentions = [node for node in self.readers if isinstance(node, Attention)]
        shapes = {(node.kv_heads, node.head_dim) for node in attentions}
        if len(shapes) != 1:
            raise FitError(f"the layers' key/value heads differ in shape: {sorted(shapes)}; one shape is needed")
        ((kv_heads, head_dim),) = shapes
        self.plan.cache(max(node.layer for node in attentions) + 1, kv_heads, head_dim, cache)
        for node in self.readers:  # the residual stream first: emitting is recursive, and models are deep
            if isinstance(node, Add) and len(self.readers[node]) > 1:
                self.value(node)
        self._emit_output(graph.output)

    # Weights

    def matrix(self, tensor: Tensor) -> int:
        """Pack a matrix once, also where two nodes use it or the file holds it twice."""
        address = tensor.data.ctypes.data
        key = (address, tensor.kind, tensor.shape)
        if key not in self.matrices:
            twin = next((known for other, known in self.tensors if _same(other, tensor)), None)
            if twin is None:
                twin = self._pack(tensor)
                if tensor.size >= 1 << 24:
                    self.tensors.append((tensor, twin))
            self.matrices[key] = twin
        return self.matrices[key]

    def _pack(self, tensor: Tensor) -> int:
        """Pack in slices, so that of the mapped file no more than a slice is in memory."""
        rows, inputs = tensor.shape
        matrix = self.plan.matrix(tensor.kind, rows, inputs, self.weights)
        data = np.ascontiguousarray(tensor.data)
        step = max(16, _RELEASED_AT // tensor.row_bytes // 16 * 16)
        for first in range(0, rows, step):
            part = data[first * tensor.row_bytes : (first + step) * tensor.row_bytes]
            self.plan.fill(matrix, tensor.kind, part, tensor.row_bytes, first)
            self.unreleased += part.size
            if self.unreleased >= _RELEASED_AT:
                self.release()
                self.unreleased = 0
        return matrix

    def vector(self, tensor: Tensor | None) -> int:
        return -1 if tensor is None else self.plan.vector(np.ascontiguousarray(tensor.float32().reshape(-1)))

    def rope(self, rope: Rope | None) -> int:
        if rope is None:
            return -1
        if rope not in self.ropes:
            extended = rope.extended or rope
            self.ropes[rope] = self.plan.rope(
                list(rope.frequencies), rope.magnitude, list(extended.frequencies), extended.magnitude, rope.interleaved
            )
        return self.ropes[rope]

    # Buffers

    def take(self, width: int, logits_rows: bool = False) -> int:
        shelf = self.free.get((width, logits_rows))
        if shelf:
            return shelf.pop()
        buffer = self.plan.buffer(width, logits_rows)
        self.widths[buffer] = (width, logits_rows)
        return buffer

    def give_back(self, buffer: int) -> None:
        if buffer != LOGITS:
            self.free.setdefault(self.widths[buffer], []).append(buffer)

    def read(self, node: Node) -> None:
        """One reading of a node's value has been emitted."""
        self.left[node] -= 1
        if self.left[node] == 0 and node in self.buffers:
            self.give_back(self.buffers.pop(node))

    # Nodes

    def value(self, node: Node) -> int:
        """The buffer that holds a node's value, emitting it if need be."""
        if node not in self.buffers:
            self.buffers[node] = self._emit(node)
        return self.buffers[node]

    def _emit_output(self, node: Node) -> None:
        if not isinstance(node, Linear):
            raise FitError("a model's output must be a linear layer (the logits)")
        x = node.x
        source = x.x if isinstance(x, RmsNorm | LayerNorm) else x
        selected = self.take(source.width, logits_rows=True)
        self.plan.rows("select", self.value(source), selected)
        operand = _Operand(selected, source)
        if isinstance(x, RmsNorm | LayerNorm):
            operand.form, operand.norm = "norm", self._norm(x)
        self._linear(operand, LOGITS, [(node, 0)])

    def _emit(self, node: Node) -> int:
        match node:
            case Embed():
                buffer = self.take(node.width)
                self.plan.embed(self.matrix(node.table), buffer, node.scale)
            case PositionEmbed():
                raise FitError("learned positions must be added to the token embedding")
            case RmsNorm() | LayerNorm():
                source = self.value(node.x)
                buffer = self.take(node.width)
                self.plan.norm(source, buffer, self._norm(node), False)
                self.read(node.x)
            case Linear():
                operand = self._operand(node.x)
                buffer = self.take(node.width)
                self._linear(operand, buffer, [(node, 0)])
                self._done(node.x, operand)
            case Add():
                buffer = self._add(node)
            case Multiply() | Activation():
                buffer = self._elementwise(node)
            case Attention():
                buffer = self._attention(node)
            case _:
                raise FitError(f"the native backend has no kernel for {type(node).__name__}")
        return buffer

    def _norm(self, node: RmsNorm | LayerNorm) -> _Norm:
        if isinstance(node, RmsNorm):
            return (False, self.vector(node.weight), -1, node.eps, node.shift)
        return (True, self.vector(node.weight), self.vector(node.bias), node.eps, 0.0)

    def _operand(self, x: Node) -> _Operand:
        """How products read x: through a norm, gate or activation where x is read by products alone."""
        if x not in self.buffers:
            if isinstance(x, RmsNorm | LayerNorm) and len(self.readers[x]) == 1:
                return _Operand(self.value(x.x), x.x, "norm", self._norm(x))
            gated = self._gated(x)
            if gated is not None:
                return gated
            if isinstance(x, Activation) and len(self.readers[x]) == 1:
                return self._activated(x)
        return _Operand(self.value(x), x)

    def _done(self, x: Node, operand: _Operand) -> None:
        """The product that read x through an operand has been emitted."""
        if operand.form in ("gated", "activated"):
            self.give_back(operand.buffer)
        elif operand.form == "norm":
            self.left[x] -= 1
            self.read(operand.source)
        else:
            self.read(x)

    def _gated(self, x: Node) -> _Operand | None:
        """activate(gate) * up with both products of one input: [gate | up] in one buffer."""
        if not (isinstance(x, Multiply) and len(self.readers[x]) == 1):
            return None
        gate, up = (x.x, x.y) if isinstance(x.x, Activation) else (x.y, x.x)
        if not (isinstance(gate, Activation) and isinstance(gate.x, Linear) and isinstance(up, Linear)):
            return None
        product = gate.x
        if product.x is not up.x or any(len(self.readers[n]) != 1 for n in (gate, product, up)):
            return None
        operand = self._shared_operand(product.x, 2)
        at = _padded(product.width)
        buffer = self.take(at + _padded(up.width))
        whole = product.width == up.width
        finish = whole and self.weights != "f32" and product.bias is None and up.bias is None
        self._linear(operand, buffer, [(product, 0), (up, at)], gate=gate.kind if finish else None)
        self._done_shared(product.x, operand, 2)
        return _Operand(buffer, x, "gated", kind=gate.kind, ready=finish)

    def _activated(self, x: Activation) -> _Operand:
        product = x.x
        if isinstance(product, Linear) and len(self.readers[product]) == 1 and product not in self.buffers:
            operand = self._operand(product.x)
            buffer = self.take(product.width)
            finish = self.weights != "f32"
            self._linear(operand, buffer, [(product, 0)], activate=x.kind if finish else None)
            self._done(product.x, operand)
            return _Operand(buffer, x, "activated", kind=x.kind, ready=finish)
        return _Operand(self.value(x), x)

    def _shared_operand(self, x: Node, products: int) -> _Operand:
        """As _operand, for several products that read x together."""
        if isinstance(x, RmsNorm | LayerNorm) and x not in self.buffers and len(self.readers[x]) == products:
            return _Operand(self.value(x.x), x.x, "norm", self._norm(x))
        return _Operand(self.value(x), x)

    def _done_shared(self, x: Node, operand: _Operand, products: int) -> None:
        if operand.form == "norm":
            self.left[x] -= products
            self.read(operand.source)
        else:
            for _ in range(products):
                self.read(x)

    def _linear(
        self,
        operand: _Operand,
        to: int,
        products: list[tuple[Linear, int]],
        add: bool = False,
        gate: str | None = None,
        activate: str | None = None,
    ) -> None:
        parts = [(self.matrix(p.weight), self.vector(p.bias), column) for p, column in products]
        kind = gate or activate or operand.kind
        self.plan.linear(
            operand.buffer,
            to,
            operand.form,
            operand.norm,
            kind,
            parts,
            add,
            gate is not None,
            activate is not None,
            operand.ready,
        )

    def _add(self, node: Add) -> int:
        """x + y in x's place, where x is the running sum and y what was made from it."""
        x, y = node.x, node.y
        if isinstance(y, PositionEmbed):
            buffer = self._own(x, node)
            self.plan.position(self.matrix(y.table), buffer, y.offset)
            return buffer
        if self._is_product(x) and not self._is_product(y):
            x, y = y, x
        if self._is_product(y) and len(self.readers[y]) == 1 and y not in self.buffers:
            linear = y if isinstance(y, Linear) else None
            if linear is not None:
                self.value(x)
                operand = self._operand(linear.x)
                buffer = self._own(x, node)
                self._linear(operand, buffer, [(linear, 0)], add=True)
                self._done(linear.x, operand)
                return buffer
            assert isinstance(y, RmsNorm)
            self.value(x)
            source = self.value(y.x)
            buffer = self._own(x, node)
            self.plan.norm(source, buffer, self._norm(y), True)
            self.read(y.x)
            return buffer
        self.value(x)
        other = self.value(y)
        buffer = self._own(x, node)
        self.plan.rows("add", other, buffer)
        self.read(y)
        return buffer

    @staticmethod
    def _is_product(node: Node) -> bool:
        return isinstance(node, Linear) or (isinstance(node, RmsNorm) and isinstance(node.x, Linear))

    def _own(self, x: Node, reader: Node) -> int:
        """A buffer with x's value that `reader` may overwrite: x's own once all others have read it, else a copy."""
        buffer = self.value(x)
        for other in self.readers[x]:
            if other is not reader and self.left[x] > 1 and isinstance(other, RmsNorm | LayerNorm) and self.left[other]:
                self.value(other)
        if self.left[x] == 1:
            self.left[x] = 0
            return self.buffers.pop(x)
        copy = self.take(x.width)
        self.plan.rows("copy", buffer, copy)
        self.read(x)
        return copy

    def _elementwise(self, node: Multiply | Activation) -> int:
        if isinstance(node, Activation):
            source = self.value(node.x)
            buffer = self.take(node.width)
            self.plan.rows("activate", source, buffer, node.kind)
            self.read(node.x)
            return buffer
        self.value(node.x)
        other = self.value(node.y)
        buffer = self._own(node.x, node)
        self.plan.rows("multiply", other, buffer)
        self.read(node.y)
        return buffer

    def _attention(self, node: Attention) -> int:
        places = self._query_key_value(node)
        buffer = self.take(node.width)
        self.plan.attention(
            *places,
            buffer,
            node.layer,
            self.rope(node.rope),
            node.heads,
            node.kv_heads,
            node.head_dim,
            node.scale,
            node.softcap or 0.0,
            node.window or 0,
            self.vector(node.q_norm),
            self.vector(node.k_norm),
            self._channels(key_shift(node)),
            self._channels(key_scale(node)) if self.cache == "q8" else -1,
            self.vector(node.sinks),
            node.norm_eps,
            node.norm_shift,
        )
        for buffer_of in {place[0] for place in places}:
            self.give_back(buffer_of)
        return buffer

    def _channels(self, values: npt.NDArray[np.float32] | None) -> int:
        return -1 if values is None else self.plan.vector(np.ascontiguousarray(values.reshape(-1)))

    def _query_key_value(self, node: Attention) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Buffers and columns of q, k, v, which attention changes in place: one product where they share an input."""
        q, k, v = node.q, node.k, node.v
        if isinstance(q, Linear) and isinstance(k, Linear) and isinstance(v, Linear) and q.x is k.x is v.x:
            products = sum(1 for p in (q, k, v) if len(self.readers[p]) == 1)
            if products == 3:
                operand = self._shared_operand(q.x, 3)
                k_at = _padded(q.width)
                v_at = k_at + _padded(k.width)
                buffer = self.take(v_at + _padded(v.width))
                self._linear(operand, buffer, [(q, 0), (k, k_at), (v, v_at)])
                self._done_shared(q.x, operand, 3)
                return (buffer, 0), (buffer, k_at), (buffer, v_at)
        for part in (q, k, v):
            self.value(part)
        return (self._own(q, node), 0), (self._own(k, node), 0), (self._own(v, node), 0)


def _same(a: Tensor, b: Tensor) -> bool:
    """Some files hold the tied embedding twice: comparing 145 MB takes 20 ms, holding it again 145 MB."""
    return a.kind == b.kind and a.shape == b.shape and a.kind not in FLOATS and bool(np.array_equal(a.data, b.data))
