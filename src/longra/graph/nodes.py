"""Operations. Each node's value is float32 [rows, width], one row a token; weights are stored tensors."""

from dataclasses import dataclass

from longra.files.spec import ActivationKind, Rope
from longra.files.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Node:
    """A value of the graph.

    Attributes:
        width: columns of the value.
    """

    width: int


@dataclass(frozen=True, eq=False)
class Embed(Node):
    """Row `token` of table [vocabulary, width], times scale."""

    table: Tensor
    scale: float = 1.0


@dataclass(frozen=True, eq=False)
class PositionEmbed(Node):
    """Row `position + offset` of table [positions, width]: learned positions."""

    table: Tensor
    offset: int = 0


@dataclass(frozen=True, eq=False)
class RmsNorm(Node):
    """x / sqrt(mean(x^2) + eps) * (weight + shift), over the width (Zhang and Sennrich 2019)."""

    x: Node
    weight: Tensor
    eps: float
    shift: float = 0.0


@dataclass(frozen=True, eq=False)
class LayerNorm(Node):
    """(x - mean) / sqrt(variance + eps) * weight + bias, over the width (Ba et al. 2016)."""

    x: Node
    weight: Tensor
    bias: Tensor | None
    eps: float


@dataclass(frozen=True, eq=False)
class Linear(Node):
    """x @ weight.T + bias; weight [width, x.width], bias [width]."""

    x: Node
    weight: Tensor
    bias: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Add(Node):
    """x + y."""

    x: Node
    y: Node


@dataclass(frozen=True, eq=False)
class Multiply(Node):
    """x * y, element by element."""

    x: Node
    y: Node


@dataclass(frozen=True, eq=False)
class Activation(Node):
    """silu: x * sigmoid(x); gelu: x * Phi(x) with erf; gelu_tanh: its tanh form; relu: max(x, 0)."""

    x: Node
    kind: ActivationKind


@dataclass(frozen=True, eq=False)
class Attention(Node):
    """Causal attention of each row over its own sequence, the cache included.

    softmax(cap(scale * q k^T)) v, where cap(s) = softcap * tanh(s / softcap) when there is a softcap. Query head h reads
    key/value head h // (heads // kv_heads). With a window, position p sees positions p - window + 1 to p.

    Attributes:
        q: [rows, heads * head_dim]; k, v: [rows, kv_heads * head_dim]. The result has q's width.
        layer: index of the layer's cache.
        rope: rotation of q and k before they meet; None for none.
        q_norm, k_norm: weights [head_dim] of an RmsNorm over each head before rope (Qwen3, Gemma 3), with norm_eps and
            norm_shift as in RmsNorm.
        sinks: logits [heads] that join each softmax's denominator and have no value (Xiao et al. 2024); None for none.
    """

    q: Node
    k: Node
    v: Node
    layer: int
    heads: int
    kv_heads: int
    head_dim: int
    scale: float
    rope: Rope | None = None
    window: int | None = None
    softcap: float | None = None
    q_norm: Tensor | None = None
    k_norm: Tensor | None = None
    norm_eps: float = 1e-6
    norm_shift: float = 0.0
    sinks: Tensor | None = None


def in_order(output: Node) -> list[Node]:
    """The nodes that an output needs, each after those that it reads; the output is the last."""
    order: dict[Node, None] = {}
    pending: list[tuple[Node, bool]] = [(output, False)]
    while pending:
        node, ready = pending.pop()
        if ready:
            order[node] = None
        elif node not in order:
            pending.append((node, True))
            pending += [(value, False) for value in reversed(vars(node).values()) if isinstance(value, Node)]
    return list(order)
