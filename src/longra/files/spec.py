"""The description of a network: what its model file says, in one form for every format."""

from dataclasses import dataclass
from typing import Literal

ActivationKind = Literal["silu", "gelu", "gelu_tanh", "relu"]

ACTIVATIONS: dict[str, ActivationKind] = {
    "silu": "silu",
    "swish": "silu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_tanh": "gelu_tanh",
    "relu": "relu",
}
"""Names of activation functions in config.json, and what they are here."""


@dataclass(frozen=True)
class Rope:
    """Rotary position embedding (Su et al. 2021, RoFormer), after scaling.

    Pair i of the first 2 * len(frequencies) channels of a head turns by position * frequencies[i] radians, the product
    taken in float32.

    Attributes:
        frequencies: radians a position, one per rotated pair; channels beyond the pairs are left alone.
        interleaved: pairs are channels (2i, 2i + 1), else (i, i + len(frequencies)).
        magnitude: multiplies cosine and sine (yarn, longrope).
        limit: tokens up to which these frequencies hold; None for every length.
        extended: used for the whole of a sequence that is to grow beyond `limit` tokens.
    """

    frequencies: tuple[float, ...]
    interleaved: bool = False
    magnitude: float = 1.0
    limit: int | None = None
    extended: "Rope | None" = None


@dataclass(frozen=True)
class ModelSpec:
    """A model's description.

    Attributes:
        architecture: its `model_type`.
        layers, hidden, ffn: number of blocks, width of the residual stream, width inside the feed-forward.
        heads, kv_heads, head_dim: query heads, key/value heads, width of each.
        vocabulary: rows of the token embedding.
        context: tokens that the model holds.
        norm_eps: epsilon of its norms.
        activation: of the feed-forward.
        rope: rotation of queries and keys; None where positions are learned.
        rope_base: its theta.
        rope_scaling: "none", or how rope was stretched: linear, dynamic, yarn, llama3, longrope.
        local_rope: rope of the layers that have a window, where it differs.
        windows: for each layer how many of the last positions it sees; None for all.
        tied: the output matrix is the token embedding.
        parallel: attention and feed-forward read the same residual stream.
        attention_scale: what queries times keys are multiplied with; None for 1 / sqrt(head_dim).
        embedding_scale: what token embeddings are multiplied with.
        attention_bias, output_bias, mlp_bias: the products to q, k, v; of the attention's result; of the feed-forward
            have biases, where the architecture leaves that open.
        norm_shift: added to the weights of RMS norms (1 in Gemma's own checkpoints).
    """

    architecture: str
    layers: int
    hidden: int
    ffn: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    context: int
    norm_eps: float
    activation: ActivationKind
    rope: Rope | None
    rope_base: float | None
    rope_scaling: str
    windows: tuple[int | None, ...]
    tied: bool
    local_rope: Rope | None = None
    parallel: bool = False
    attention_scale: float | None = None
    embedding_scale: float = 1.0
    norm_shift: float = 0.0
    attention_bias: bool = False
    output_bias: bool = False
    mlp_bias: bool = False

    @property
    def position(self) -> str:
        """How positions are encoded: "rope" or "learned"."""
        return "learned" if self.rope is None else "rope"

    def rope_of(self, layer: int) -> Rope | None:
        """The rope of a layer."""
        return self.local_rope if self.local_rope is not None and self.windows[layer] is not None else self.rope

    def extended(self, length: int) -> bool:
        """Whether a text of this length needs rope's frequencies for long sequences."""
        return self.rope is not None and self.rope.limit is not None and length > self.rope.limit
