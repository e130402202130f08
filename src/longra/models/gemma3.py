"""Gemma 3, its text part (Gemma Team 2025): norms around both halves of a block, and windows in five of six layers."""

import math

from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.rope import RopeRequest, read_rope
from longra.files.spec import ModelSpec
from longra.graph import Graph, Node
from longra.models.llama import attend, feed_forward, logits
from longra.models.qwen3 import PARTS as QWEN3
from longra.models.reading import activation, biases, norm_eps, rope_base, rope_section, sizes, windows
from longra.models.weights import Part, Weights

PARTS = (
    *(part for part in QWEN3 if part.name != "ffn_norm"),
    Part("ffn_norm", "layers.{}.pre_feedforward_layernorm", "blk.{}.ffn_norm", ("hidden",)),
    Part("attn_post_norm", "layers.{}.post_attention_layernorm", "blk.{}.post_attention_norm", ("hidden",)),
    Part("ffn_post_norm", "layers.{}.post_feedforward_layernorm", "blk.{}.post_ffw_norm", ("hidden",)),
)
_PATTERN = 6
_LAYERS_OF_27B = 62


def read(fields: Fields, checkpoint: Checkpoint) -> ModelSpec:
    """GGUF files have the 1 in their norms' weights already, and do not say the pattern of windows."""
    gguf = checkpoint.format == "gguf"
    fields = fields if gguf else _text(fields)
    fields.refuse("final_logit_softcapping")
    fields.refuse("use_bidirectional_attention", False)
    size = sizes(fields)
    scaling, local = rope_section(fields, "full_attention"), rope_section(fields, "sliding_attention")
    base = rope_base(fields, scaling, 1_000_000.0)
    request = RopeRequest(size["head_dim"], base, size["context"])
    rope, kind, size["context"] = read_rope(request, scaling)
    local_base = fields.number("rope_local_base_freq", low=1.01, high=1e12, default=10_000.0)
    if local is not None and local is not scaling and local.values.get("rope_theta") is not None:
        local_base = rope_base(fields, local)
    local_rope, _, _ = read_rope(RopeRequest(size["head_dim"], local_base, size["context"]), None)
    default_scale = size["hidden"] // size["heads"] if gguf and size["layers"] == _LAYERS_OF_27B else size["head_dim"]
    return ModelSpec(
        architecture="gemma3",
        **size,
        norm_eps=norm_eps(fields, 1e-6),
        activation=activation(fields, "gelu_pytorch_tanh"),
        **biases(fields),
        rope=rope,
        rope_base=base,
        rope_scaling=kind,
        windows=_windows(fields, size["layers"]),
        tied=fields.flag("tie_word_embeddings", default=True),
        local_rope=local_rope,
        attention_scale=fields.number("query_pre_attn_scalar", low=1e-3, default=float(default_scale)) ** -0.5,
        embedding_scale=math.sqrt(size["hidden"]),
        norm_shift=0.0 if gguf else 1.0,
    )


def _text(fields: Fields) -> Fields:
    """The text part of a config.json that may describe a model that also sees; left out are transformers' defaults."""
    inner = fields.section("text_config") or fields
    defaults = {"num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "vocab_size": 262_208}
    defaults |= {"max_position_embeddings": 131_072, "sliding_window": 4096, "query_pre_attn_scalar": 256}
    return Fields(defaults | {k: v for k, v in inner.values.items() if v is not None}, fields.source)


def _windows(fields: Fields, layers: int) -> tuple[int | None, ...]:
    if fields.values.get("layer_types") is not None:
        return windows(fields, layers)
    pattern = fields.integer("sliding_window_pattern", "_sliding_window_pattern", default=_PATTERN)
    window = fields.integer("sliding_window", default=512)
    return tuple(window if (i + 1) % pattern else None for i in range(layers))


def build(g: Graph, spec: ModelSpec, w: Weights) -> Node:
    """The forward pass."""

    def norm(x: Node, name: str, block: int | None = None) -> Node:
        return g.rms_norm(x, w(name, block), spec.norm_eps, spec.norm_shift)

    x = g.embed(w("embed"), spec.hidden, spec.embedding_scale)
    for i in range(spec.layers):
        h = norm(x, "attn_norm", i)
        q, k, v = (g.linear(h, *w.pair(name, i)) for name in ("q", "k", "v"))
        x = g.add(x, norm(g.linear(attend(g, spec, w, i, q, k, v), *w.pair("o", i)), "attn_post_norm", i))
        x = g.add(x, norm(feed_forward(g, spec, w, i, norm(x, "ffn_norm", i)), "ffn_post_norm", i))
    return logits(g, spec, w, norm(x, "norm"))
