"""GPT-J (Wang and Komatsuzaki 2021): attention and feed-forward side by side after one norm; rope on part of a head."""

from collections.abc import Callable

from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.spec import ModelSpec
from longra.files.tensor import Tensor
from longra.graph import Graph, Node
from longra.models.gpt2 import plain_feed_forward
from longra.models.llama import attend
from longra.models.reading import activation, norm_eps, rotation, sizes
from longra.models.weights import Part, Weights

QueryKeyValue = Callable[[int], tuple[Tensor, Tensor, Tensor]]
"""The three matrices of a block."""

COMMON = (
    Part("embed", "wte", "token_embd", ("vocabulary", "hidden")),
    Part("attn_norm", "h.{}.ln_1", "blk.{}.attn_norm", ("hidden",), bias=True),
    Part("o", "h.{}.attn.out_proj", "blk.{}.attn_output", ("hidden", "q")),
    Part("up", "h.{}.mlp.fc_in", "blk.{}.ffn_up", ("ffn", "hidden"), bias=True),
    Part("down", "h.{}.mlp.fc_out", "blk.{}.ffn_down", ("hidden", "ffn"), bias=True),
    Part("norm", "ln_f", "output_norm", ("hidden",), bias=True),
    Part("lm_head", "lm_head", "output", ("vocabulary", "hidden"), bias=True),
)
PARTS = (
    *COMMON,
    Part("q", "h.{}.attn.q_proj", "blk.{}.attn_q", ("q", "hidden")),
    Part("k", "h.{}.attn.k_proj", "blk.{}.attn_k", ("kv", "hidden")),
    Part("v", "h.{}.attn.v_proj", "blk.{}.attn_v", ("kv", "hidden")),
)


def read(fields: Fields, checkpoint: Checkpoint) -> ModelSpec:  # noqa: ARG001
    """The description."""
    return read_parallel(fields, "gptj")


def read_parallel(fields: Fields, architecture: str) -> ModelSpec:
    """The description of GPT-J and CodeGen."""
    size = sizes(fields)
    turn = rotation(fields, size, interleaved=True)
    return ModelSpec(
        architecture=architecture,
        **size,
        **turn,
        norm_eps=norm_eps(fields, 1e-5),
        activation=activation(fields, "gelu_new"),
        windows=(None,) * size["layers"],
        tied=False,
        parallel=True,
    )


def build(g: Graph, spec: ModelSpec, w: Weights) -> Node:
    """The forward pass."""
    return build_parallel(g, spec, w, lambda i: (w("q", i), w("k", i), w("v", i)))


def build_parallel(g: Graph, spec: ModelSpec, w: Weights, query_key_value: QueryKeyValue) -> Node:
    """The forward pass, given where a block's three matrices are."""
    x = g.embed(w("embed"), spec.hidden)
    for i in range(spec.layers):
        h = g.layer_norm(x, *w.pair("attn_norm", i), spec.norm_eps)
        q, k, v = (g.linear(h, weight) for weight in query_key_value(i))
        attention = g.linear(attend(g, spec, w, i, q, k, v), w("o", i))
        x = g.add(g.add(x, attention), plain_feed_forward(g, spec, w, i, h))
    return g.linear(g.layer_norm(x, *w.pair("norm"), spec.norm_eps), *w.pair("lm_head"))
