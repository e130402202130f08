"""Builds graphs: one method per operation, each of which checks the shapes that it is given."""

from longra.errors import FitError
from longra.files.spec import ActivationKind, Rope
from longra.files.tensor import Tensor
from longra.graph.nodes import (
    Activation,
    Add,
    Attention,
    Embed,
    LayerNorm,
    Linear,
    Multiply,
    Node,
    PositionEmbed,
    RmsNorm,
    in_order,
)


def _check(what: str, tensor: Tensor, expected: tuple[int, ...]) -> None:
    if tensor.shape != expected:
        raise FitError(
            f"{what}: {tensor.name} has shape {list(tensor.shape)}, the model file asks for {list(expected)}"
        )


class Graph:
    """A forward pass from token ids to logits. `output` is the logits' node, set by the model file."""

    output: Node

    @property
    def window(self) -> int | None:
        """The longest window of an attention that has one; None if all see everything."""
        attentions = (node for node in in_order(self.output) if isinstance(node, Attention))
        return max((node.window for node in attentions if node.window is not None), default=None)

    def embed(self, table: Tensor, width: int, scale: float = 1.0) -> Node:
        """Token embedding; table [vocabulary, width]."""
        _check("embed", table, (table.shape[0], width))
        return Embed(width, table, scale)

    def position_embed(self, table: Tensor, width: int, offset: int = 0) -> Node:
        """Learned positions; table [positions, width]."""
        _check("position_embed", table, (table.shape[0], width))
        return PositionEmbed(width, table, offset)

    def rms_norm(self, x: Node, weight: Tensor, eps: float, shift: float = 0.0) -> Node:
        """Root mean square norm; weight [x.width]."""
        _check("rms_norm", weight, (x.width,))
        return RmsNorm(x.width, x, weight, eps, shift)

    def layer_norm(self, x: Node, weight: Tensor, bias: Tensor | None, eps: float) -> Node:
        """Layer norm; weight and bias [x.width]."""
        _check("layer_norm", weight, (x.width,))
        if bias is not None:
            _check("layer_norm", bias, (x.width,))
        return LayerNorm(x.width, x, weight, bias, eps)

    def linear(self, x: Node, weight: Tensor, bias: Tensor | None = None) -> Node:
        """x @ weight.T + bias; weight [width, x.width]."""
        if len(weight.shape) != 2:
            raise FitError(f"linear: {weight.name} has shape {list(weight.shape)}, a matrix is needed")
        _check("linear", weight, (weight.shape[0], x.width))
        if bias is not None:
            _check("linear", bias, (weight.shape[0],))
        return Linear(weight.shape[0], x, weight, bias)

    def add(self, x: Node, y: Node) -> Node:
        """x + y, of equal width."""
        self._same("add", x, y)
        return Add(x.width, x, y)

    def multiply(self, x: Node, y: Node) -> Node:
        """x * y element by element, of equal width."""
        self._same("multiply", x, y)
        return Multiply(x.width, x, y)

    def activation(self, x: Node, kind: ActivationKind) -> Node:
        """An activation function, element by element."""
        return Activation(x.width, x, kind)

    def attention(
        self,
        q: Node,
        k: Node,
        v: Node,
        *,
        layer: int,
        heads: int,
        kv_heads: int,
        head_dim: int,
        scale: float | None = None,
        rope: Rope | None = None,
        window: int | None = None,
        softcap: float | None = None,
        q_norm: Tensor | None = None,
        k_norm: Tensor | None = None,
        norm_eps: float = 1e-6,
        norm_shift: float = 0.0,
        sinks: Tensor | None = None,
    ) -> Node:
        """Causal attention over the sequence; scale is 1 / sqrt(head_dim) unless given. See nodes.Attention."""
        if heads % kv_heads:
            raise FitError(f"attention: {heads} heads do not divide by {kv_heads} key/value heads")
        for name, node, count in (("q", q, heads), ("k", k, kv_heads), ("v", v, kv_heads)):
            if node.width != count * head_dim:
                raise FitError(f"attention: {name} is {node.width} wide, {count} heads of {head_dim} are needed")
        for norm in (q_norm, k_norm):
            if norm is not None:
                _check("attention", norm, (head_dim,))
        if sinks is not None:
            _check("attention", sinks, (heads,))
        if rope is not None and 2 * len(rope.frequencies) > head_dim:
            raise FitError(f"attention: rope turns {2 * len(rope.frequencies)} channels of a head of {head_dim}")
        return Attention(
            q.width,
            q,
            k,
            v,
            layer,
            heads,
            kv_heads,
            head_dim,
            head_dim**-0.5 if scale is None else scale,
            rope,
            window,
            softcap,
            q_norm,
            k_norm,
            norm_eps,
            norm_shift,
            sinks,
        )

    @staticmethod
    def _same(what: str, x: Node, y: Node) -> None:
        if x.width != y.width:
            raise FitError(f"{what}: widths {x.width} and {y.width} differ")
