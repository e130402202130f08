"""Qwen3 (Yang et al. 2025): Llama with RMS norms on each head's query and key."""

from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.spec import ModelSpec
from longra.graph import Graph, Node
from longra.models.llama import PARTS as LLAMA
from longra.models.llama import feed_forward, logits
from longra.models.reading import read_decoder
from longra.models.weights import Part, Weights

PARTS = (
    *LLAMA,
    Part("q_norm", "layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", ("head",)),
    Part("k_norm", "layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", ("head",)),
)


def read(fields: Fields, checkpoint: Checkpoint) -> ModelSpec:
    """A window counts only where use_sliding_window says so."""
    if fields.values.get("head_dim") is None:
        fields = Fields(fields.values | {"head_dim": 128}, fields.source)
    return read_decoder(fields, checkpoint, "qwen3", windowed=False)


def build(g: Graph, spec: ModelSpec, w: Weights) -> Node:
    """The forward pass."""
    x = g.embed(w("embed"), spec.hidden)
    for i in range(spec.layers):
        h = g.rms_norm(x, w("attn_norm", i), spec.norm_eps)
        q, k, v = (g.linear(h, *w.pair(name, i)) for name in ("q", "k", "v"))
        x = g.add(x, g.linear(attend_normed(g, spec, w, i, q, k, v), *w.pair("o", i)))
        x = g.add(x, feed_forward(g, spec, w, i, g.rms_norm(x, w("ffn_norm", i), spec.norm_eps)))
    return logits(g, spec, w, g.rms_norm(x, w("norm"), spec.norm_eps))


def attend_normed(g: Graph, spec: ModelSpec, w: Weights, i: int, q: Node, k: Node, v: Node) -> Node:
    """Attention of block i with normed queries and keys."""
    return g.attention(
        q,
        k,
        v,
        layer=i,
        heads=spec.heads,
        kv_heads=spec.kv_heads,
        head_dim=spec.head_dim,
        scale=spec.attention_scale,
        rope=spec.rope_of(i),
        window=spec.windows[i],
        q_norm=w("q_norm", i),
        k_norm=w("k_norm", i),
        norm_eps=spec.norm_eps,
        norm_shift=spec.norm_shift,
    )
