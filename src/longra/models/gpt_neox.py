"""GPT-NeoX and Pythia (Black et al. 2022): layer norms, rope on part of a head, attention beside the feed-forward."""

import numpy as np

from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.spec import ModelSpec
from longra.graph import Graph, Node
from longra.models.gpt2 import plain_feed_forward
from longra.models.llama import attend
from longra.models.reading import activation, biases, norm_eps, rotation, sizes
from longra.models.weights import Part, Weights

PARTS = (
    Part("embed", "embed_in", "token_embd", ("vocabulary", "hidden")),
    Part("attn_norm", "layers.{}.input_layernorm", "blk.{}.attn_norm", ("hidden",), bias=True),
    Part("qkv", "layers.{}.attention.query_key_value", "blk.{}.attn_qkv", ("qkv", "hidden"), bias="attention_bias"),
    Part("o", "layers.{}.attention.dense", "blk.{}.attn_output", ("hidden", "q"), bias="output_bias"),
    Part("ffn_norm", "layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", ("hidden",), bias=True),
    Part("up", "layers.{}.mlp.dense_h_to_4h", "blk.{}.ffn_up", ("ffn", "hidden"), bias=True),
    Part("down", "layers.{}.mlp.dense_4h_to_h", "blk.{}.ffn_down", ("hidden", "ffn"), bias=True),
    Part("norm", "final_layer_norm", "output_norm", ("hidden",), bias=True),
    Part("lm_head", "embed_out", "output", ("vocabulary", "hidden"), tied=True),
)


def read(fields: Fields, checkpoint: Checkpoint) -> ModelSpec:  # noqa: ARG001
    """The description."""
    size = sizes(fields)
    turn = rotation(fields, size, share=0.25)
    return ModelSpec(
        architecture="gpt_neox",
        **size,
        **turn,
        **biases(fields, default=True),
        norm_eps=norm_eps(fields, 1e-5),
        activation=activation(fields, "gelu"),
        windows=(None,) * size["layers"],
        tied=fields.flag("tie_word_embeddings", default=False),
        parallel=fields.flag("use_parallel_residual", default=True),
    )


def build(g: Graph, spec: ModelSpec, w: Weights) -> Node:
    """The forward pass. transformers stores rows as [heads][q, k, v][head_dim], GGUF as q, k, v."""
    rows = np.arange(3 * spec.hidden)
    dealt = rows.reshape(3, -1) if w.gguf else rows.reshape(spec.heads, 3, -1).transpose(1, 0, 2).reshape(3, -1)
    x = g.embed(w("embed"), spec.hidden)
    for i in range(spec.layers):
        h = g.layer_norm(x, *w.pair("attn_norm", i), spec.norm_eps)
        weight, bias = w.pair("qkv", i)
        q, k, v = (g.linear(h, weight.take_rows(part), bias and bias.take_rows(part)) for part in dealt)
        attention = g.linear(attend(g, spec, w, i, q, k, v), *w.pair("o", i))
        after = g.add(x, attention)
        h = g.layer_norm(x if spec.parallel else after, *w.pair("ffn_norm", i), spec.norm_eps)
        x = g.add(after, plain_feed_forward(g, spec, w, i, h))
    x = g.layer_norm(x, *w.pair("norm"), spec.norm_eps)
    return g.linear(x, w("lm_head") if w.has("lm_head") or not spec.tied else w("embed"))
