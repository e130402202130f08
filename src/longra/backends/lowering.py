"""A graph becomes a native plan: nodes are fused where one kernel does several, values get buffers.

What is fused: a norm into the product that reads it, products of one input (q, k, v; gate, up) into one, the activation
and gate into the next product, a residual sum into the product before it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from longra._native import Plan
from longra.backends.buffers import LOGITS, Buffers
from longra.backends.keys import key_scale, key_shift
from longra.backends.packing import Packing
from longra.errors import FitError
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
)

_NO_NORM = (False, -1, -1, 0.0, 0.0)
_Norm = tuple[bool, int, int, float, float]


def _padded(width: int) -> int:
    return -(-width // 16) * 16


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
        self._plan = plan
        self._cache = cache
        self._finishes = weights != "f32"  # an activation at a product's end may go on in bf16
        self._packing = Packing(plan, weights, release)
        self._buffers = Buffers(plan, graph.output)
        attentions = [node for node in self._buffers.readers if isinstance(node, Attention)]
        shapes = {(node.kv_heads, node.head_dim) for node in attentions}
        if len(shapes) != 1:
            raise FitError(f"the layers' key/value heads differ in shape: {sorted(shapes)}; one shape is needed")
        ((kv_heads, head_dim),) = shapes
        self._plan.cache(max(node.layer for node in attentions) + 1, kv_heads, head_dim, cache)
        for node in self._buffers.readers:  # the residual stream first: emitting is recursive, and models are deep
            if isinstance(node, Add) and len(self._buffers.readers[node]) > 1:
                self._value(node)
        self._emit_output(graph.output)

    def _value(self, node: Node) -> int:
        """The buffer that holds a node's value, emitting it if need be."""
        if node not in self._buffers.of:
            self._buffers.of[node] = self._emit(node)
        return self._buffers.of[node]

    def _emit_output(self, node: Node) -> None:
        if not isinstance(node, Linear):
            raise FitError("a model's output must be a linear layer (the logits)")
        x = node.x
        source = x.x if isinstance(x, RmsNorm | LayerNorm) else x
        selected = self._buffers.take(source.width, logits_rows=True)
        self._plan.rows("select", self._value(source), selected)
        operand = _Operand(selected, source)
        if isinstance(x, RmsNorm | LayerNorm):
            operand.form, operand.norm = "norm", self._norm(x)
        self._linear(operand, LOGITS, [(node, 0)])

    def _emit(self, node: Node) -> int:
        match node:
            case Embed():
                buffer = self._buffers.take(node.width)
                self._plan.embed(self._packing.matrix(node.table), buffer, node.scale)
            case PositionEmbed():
                raise FitError("learned positions must be added to the token embedding")
            case RmsNorm() | LayerNorm():
                source = self._value(node.x)
                buffer = self._buffers.take(node.width)
                self._plan.norm(source, buffer, self._norm(node), False)
                self._buffers.read(node.x)
            case Linear():
                operand = self._operand(node.x)
                buffer = self._buffers.take(node.width)
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
            return (False, self._packing.vector(node.weight), -1, node.eps, node.shift)
        return (True, self._packing.vector(node.weight), self._packing.vector(node.bias), node.eps, 0.0)

    def _operand(self, x: Node, products: int = 1) -> _Operand:
        """How `products` products together read x: through a norm, gate or activation where nothing else reads it."""
        if x not in self._buffers.of:
            if isinstance(x, RmsNorm | LayerNorm) and len(self._buffers.readers[x]) == products:
                return _Operand(self._value(x.x), x.x, "norm", self._norm(x))
            if (gated := self._gated(x)) is not None:
                return gated
            if isinstance(x, Activation) and self._buffers.has_one_reader(x):
                return self._activated(x)
        return _Operand(self._value(x), x)

    def _done(self, x: Node, operand: _Operand, products: int = 1) -> None:
        """The products that read x through an operand have been emitted."""
        if operand.form in ("gated", "activated"):
            self._buffers.give_back(operand.buffer)
        elif operand.form == "norm":
            self._buffers.left[x] -= products
            self._buffers.read(operand.source)
        else:
            self._buffers.read(x, products)

    def _gated(self, x: Node) -> _Operand | None:
        """activate(gate) * up with both products of one input: [gate | up] in one buffer."""
        if not (isinstance(x, Multiply) and self._buffers.has_one_reader(x)):
            return None
        gate, up = (x.x, x.y) if isinstance(x.x, Activation) else (x.y, x.x)
        if not (isinstance(gate, Activation) and isinstance(gate.x, Linear) and isinstance(up, Linear)):
            return None
        product = gate.x
        if product.x is not up.x or not all(map(self._buffers.has_one_reader, (gate, product, up))):
            return None
        whole = product.width == up.width
        finish = whole and self._finishes and product.bias is None and up.bias is None
        buffer, _ = self._together([product, up], gate=gate.kind if finish else None)
        return _Operand(buffer, x, "gated", kind=gate.kind, ready=finish)

    def _activated(self, x: Activation) -> _Operand:
        product = x.x
        if isinstance(product, Linear) and self._buffers.has_one_reader(product) and product not in self._buffers.of:
            operand = self._operand(product.x)
            buffer = self._buffers.take(product.width)
            self._linear(operand, buffer, [(product, 0)], activate=x.kind if self._finishes else None)
            self._done(product.x, operand)
            return _Operand(buffer, x, "activated", kind=x.kind, ready=self._finishes)
        return _Operand(self._value(x), x)

    def _together(self, products: Sequence[Linear], gate: str | None = None) -> tuple[int, list[int]]:
        """Several products of one input as one: its buffer, and the column at which each begins."""
        x = products[0].x
        operand = self._operand(x, len(products))
        columns = [0, *accumulate(_padded(product.width) for product in products)]
        buffer = self._buffers.take(columns.pop())
        self._linear(operand, buffer, list(zip(products, columns, strict=True)), gate=gate)
        self._done(x, operand, len(products))
        return buffer, columns

    def _linear(
        self,
        operand: _Operand,
        to: int,
        products: list[tuple[Linear, int]],
        add: bool = False,
        gate: str | None = None,
        activate: str | None = None,
    ) -> None:
        parts = [(self._packing.matrix(p.weight), self._packing.vector(p.bias), column) for p, column in products]
        kind = gate or activate or operand.kind
        form, norm, finish = operand.form, operand.norm, (gate is not None, activate is not None)
        self._plan.linear(operand.buffer, to, form, norm, kind, parts, add, *finish, operand.ready)

    def _add(self, node: Add) -> int:
        """x + y in x's place, where x is the running sum and y what was made from it."""
        x, y = node.x, node.y
        if isinstance(y, PositionEmbed):
            buffer = self._own(x, node)
            self._plan.position(self._packing.matrix(y.table), buffer, y.offset)
            return buffer
        if self._is_product(x) and not self._is_product(y):
            x, y = y, x
        self._value(x)
        alone = self._buffers.has_one_reader(y) and y not in self._buffers.of
        if isinstance(y, Linear) and alone:
            operand = self._operand(y.x)
            buffer = self._own(x, node)
            self._linear(operand, buffer, [(y, 0)], add=True)
            self._done(y.x, operand)
        elif isinstance(y, RmsNorm) and self._is_product(y) and alone:
            source = self._value(y.x)
            buffer = self._own(x, node)
            self._plan.norm(source, buffer, self._norm(y), True)
            self._buffers.read(y.x)
        else:
            other = self._value(y)
            buffer = self._own(x, node)
            self._plan.rows("add", other, buffer)
            self._buffers.read(y)
        return buffer

    @staticmethod
    def _is_product(node: Node) -> bool:
        return isinstance(node, Linear) or (isinstance(node, RmsNorm) and isinstance(node.x, Linear))

    def _own(self, x: Node, reader: Node) -> int:
        """A buffer with x's value that `reader` may overwrite: x's own once all others have read it, else a copy."""
        buffer = self._value(x)
        for other in self._buffers.readers[x]:
            waiting = other is not reader and self._buffers.left[x] > 1 and self._buffers.left[other]
            if waiting and isinstance(other, RmsNorm | LayerNorm):
                self._value(other)
        if self._buffers.left[x] == 1:
            self._buffers.left[x] = 0
            return self._buffers.of.pop(x)
        copy = self._buffers.take(x.width)
        self._plan.rows("copy", buffer, copy)
        self._buffers.read(x)
        return copy

    def _elementwise(self, node: Multiply | Activation) -> int:
        if isinstance(node, Activation):
            source = self._value(node.x)
            buffer = self._buffers.take(node.width)
            self._plan.rows("activate", source, buffer, node.kind)
            self._buffers.read(node.x)
            return buffer
        self._value(node.x)
        other = self._value(node.y)
        buffer = self._own(node.x, node)
        self._plan.rows("multiply", other, buffer)
        self._buffers.read(node.y)
        return buffer

    def _attention(self, node: Attention) -> int:
        places = self._query_key_value(node)
        buffer = self._buffers.take(node.width)
        self._plan.attention(
            *places,
            buffer,
            node.layer,
            self._packing.rope(node.rope),
            node.heads,
            node.kv_heads,
            node.head_dim,
            node.scale,
            node.softcap or 0.0,
            node.window or 0,
            self._packing.vector(node.q_norm),
            self._packing.vector(node.k_norm),
            self._packing.channels(key_shift(node)),
            self._packing.channels(key_scale(node)) if self._cache == "q8" else -1,
            self._packing.vector(node.sinks),
            node.norm_eps,
            node.norm_shift,
        )
        for buffer_of in {place[0] for place in places}:
            self._buffers.give_back(buffer_of)
        return buffer

    def _query_key_value(self, node: Attention) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Buffers and columns of q, k, v, which attention changes in place: one product where they share an input."""
        parts = (node.q, node.k, node.v)
        products = [part for part in parts if isinstance(part, Linear) and self._buffers.has_one_reader(part)]
        if len(products) == 3 and products[0].x is products[1].x is products[2].x:
            buffer, (q_at, k_at, v_at) = self._together(products)
            return (buffer, q_at), (buffer, k_at), (buffer, v_at)
        for part in parts:
            self._value(part)
        return (self._own(node.q, node), 0), (self._own(node.k, node), 0), (self._own(node.v, node), 0)
