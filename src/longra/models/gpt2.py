"""GPT-2 (Radford et al. 2019): learned positions, layer norms, biases everywhere."""

from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.spec import ModelSpec
from longra.graph import Graph, Node
from longra.models.llama import attend
from longra.models.reading import activation, norm_eps, sizes
from longra.models.weights import Part, Weights

PARTS = (
    Part("embed", "wte", "token_embd", ("vocabulary", "hidden")),
    Part("positions", "wpe", "position_embd", ("context", "hidden")),
    Part("attn_norm", "h.{}.ln_1", "blk.{}.attn_norm", ("hidden",), bias=True),
    Part("qkv", "h.{}.attn.c_attn", "blk.{}.attn_qkv", ("qkv", "hidden"), bias=True, transposed=True),
    Part("o", "h.{}.attn.c_proj", "blk.{}.attn_output", ("hidden", "q"), bias=True, transposed=True),
    Part("ffn_norm", "h.{}.ln_2", "blk.{}.ffn_norm", ("hidden",), bias=True),
    Part("up", "h.{}.mlp.c_fc", "blk.{}.ffn_up", ("ffn", "hidden"), bias=True, transposed=True),
    Part("down", "h.{}.mlp.c_proj", "blk.{}.ffn_down", ("hidden", "ffn"), bias=True, transposed=True),
    Part("norm", "ln_f", "output_norm", ("hidden",), bias=True),
    Part("lm_head", "lm_head", "output", ("vocabulary", "hidden"), tied=True),
)


def read(fields: Fields, checkpoint: Checkpoint) -> ModelSpec:  # noqa: ARG001
    """The description."""
    for name, usual in (("scale_attn_weights", True), ("scale_attn_by_inverse_layer_idx", False)):
        fields.refuse(name, usual)
    fields.refuse("add_cross_attention", False)
    size = sizes(fields)
    return ModelSpec(
        architecture="gpt2",
        **size,
        norm_eps=norm_eps(fields, 1e-5),
        activation=activation(fields, "gelu_new"),
        rope=None,
        rope_base=None,
        rope_scaling="none",
        windows=(None,) * size["layers"],
        tied=fields.flag("tie_word_embeddings", default=True),
    )


def build(g: Graph, spec: ModelSpec, w: Weights) -> Node:
    """The forward pass."""
    x = g.add(g.embed(w("embed"), spec.hidden), g.position_embed(w("positions"), spec.hidden))
    for i in range(spec.layers):
        h = g.layer_norm(x, *w.pair("attn_norm", i), spec.norm_eps)
        weight, bias = w.pair("qkv", i)
        q, k, v = (
            g.linear(
                h,
                weight.rows(n * spec.hidden, (n + 1) * spec.hidden),
                bias and bias.rows(n * spec.hidden, (n + 1) * spec.hidden),
            )
            for n in range(3)
        )
        x = g.add(x, g.linear(attend(g, spec, w, i, q, k, v), *w.pair("o", i)))
        x = g.add(x, plain_feed_forward(g, spec, w, i, g.layer_norm(x, *w.pair("ffn_norm", i), spec.norm_eps)))
    x = g.layer_norm(x, *w.pair("norm"), spec.norm_eps)
    return g.linear(x, w("lm_head") if w.has("lm_head") or not spec.tied else w("embed"))


def plain_feed_forward(g: Graph, spec: ModelSpec, w: Weights, i: int, h: Node) -> Node:
    """down(activation(up h))."""
    return g.linear(g.activation(g.linear(h, *w.pair("up", i)), spec.activation), *w.pair("down", i))
