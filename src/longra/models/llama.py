"""Llama (Touvron et al. 2023) and what is built like it: RMS norms, rope, grouped heads, a gated feed-forward."""

from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.spec import ModelSpec
from longra.graph import Graph, Node
from longra.models.reading import read_decoder
from longra.models.weights import Part, Weights

EMBEDDING = Part("embed", "embed_tokens", "token_embd", ("vocabulary", "hidden"))
NORM = Part("norm", "norm", "output_norm", ("hidden",))
HEAD = Part("lm_head", "lm_head", "output", ("vocabulary", "hidden"), tied=True)
GATED = (
    Part("ffn_norm", "layers.{}.post_attention_layernorm", "blk.{}.ffn_norm", ("hidden",)),
    Part("gate", "layers.{}.mlp.gate_proj", "blk.{}.ffn_gate", ("ffn", "hidden"), bias="mlp_bias"),
    Part("up", "layers.{}.mlp.up_proj", "blk.{}.ffn_up", ("ffn", "hidden"), bias="mlp_bias"),
    Part("down", "layers.{}.mlp.down_proj", "blk.{}.ffn_down", ("hidden", "ffn"), bias="mlp_bias"),
)
ATTENTION = (
    Part("attn_norm", "layers.{}.input_layernorm", "blk.{}.attn_norm", ("hidden",)),
    Part("q", "layers.{}.self_attn.q_proj", "blk.{}.attn_q", ("q", "hidden"), bias="attention_bias"),
    Part("k", "layers.{}.self_attn.k_proj", "blk.{}.attn_k", ("kv", "hidden"), bias="attention_bias"),
    Part("v", "layers.{}.self_attn.v_proj", "blk.{}.attn_v", ("kv", "hidden"), bias="attention_bias"),
    Part("o", "layers.{}.self_attn.o_proj", "blk.{}.attn_output", ("hidden", "q"), bias="output_bias"),
)
PARTS = (EMBEDDING, *ATTENTION, *GATED, NORM, HEAD)


def read(fields: Fields, checkpoint: Checkpoint) -> ModelSpec:
    """GGUF files hold queries and keys permuted for interleaved pairs."""
    fields.refuse("num_local_experts", 0, 1)
    gguf = checkpoint.format == "gguf"
    return read_decoder(fields, checkpoint, "llama", interleaved=gguf, windowed=gguf)


def build(g: Graph, spec: ModelSpec, w: Weights) -> Node:
    """The forward pass."""
    x = g.embed(w("embed"), spec.hidden)
    for i in range(spec.layers):
        h = g.rms_norm(x, w("attn_norm", i), spec.norm_eps)
        q, k, v = (g.linear(h, *w.pair(name, i)) for name in ("q", "k", "v"))
        x = g.add(x, g.linear(attend(g, spec, w, i, q, k, v), *w.pair("o", i)))
        x = g.add(x, feed_forward(g, spec, w, i, g.rms_norm(x, w("ffn_norm", i), spec.norm_eps)))
    return logits(g, spec, w, g.rms_norm(x, w("norm"), spec.norm_eps))


def attend(g: Graph, spec: ModelSpec, w: Weights, i: int, q: Node, k: Node, v: Node) -> Node:
    """Attention of block i; with norms of queries and keys where the architecture has them."""
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
        q_norm=w.get("q_norm", i),
        k_norm=w.get("k_norm", i),
        norm_eps=spec.norm_eps,
        norm_shift=spec.norm_shift,
    )


def feed_forward(g: Graph, spec: ModelSpec, w: Weights, i: int, h: Node) -> Node:
    """down(activation(gate h) * (up h)) (Shazeer 2020)."""
    gate = g.activation(g.linear(h, *w.pair("gate", i)), spec.activation)
    return g.linear(g.multiply(gate, g.linear(h, *w.pair("up", i))), *w.pair("down", i))


def logits(g: Graph, spec: ModelSpec, w: Weights, x: Node) -> Node:
    """The output product; of the token embedding where the file has no matrix of its own."""
    own = w.has("lm_head") or not spec.tied
    return g.linear(x, *w.pair("lm_head")) if own else g.linear(x, w("embed"))
