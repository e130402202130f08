"""Phi-3 (Abdin et al. 2024): Llama with q, k, v in one matrix and gate, up in another."""

from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.spec import ModelSpec
from longra.graph import Graph, Node
from longra.models.llama import ATTENTION, EMBEDDING, GATED, HEAD, NORM, attend, logits
from longra.models.reading import read_decoder
from longra.models.weights import Part, Weights

PARTS = (
    EMBEDDING,
    *(part for part in (*ATTENTION, *GATED) if part.name in ("attn_norm", "o", "ffn_norm", "down")),
    Part("qkv", "layers.{}.self_attn.qkv_proj", "blk.{}.attn_qkv", ("qkv", "hidden")),
    Part("gate_up", "layers.{}.mlp.gate_up_proj", "blk.{}.ffn_up", ("two_ffn", "hidden")),
    NORM,
    HEAD,
)


def read(fields: Fields, checkpoint: Checkpoint) -> ModelSpec:
    """The length before longrope stands beside rope's parameters, and its type was once called su or yarn."""
    values = dict(fields.values)
    for name in ("rope_scaling", "rope_parameters"):
        section = values.get(name)
        if isinstance(section, dict) and section.get("short_factor") is not None:
            beside = {k: v for k, v in values.items() if k == "original_max_position_embeddings" and v is not None}
            values[name] = {"original_max_position_embeddings": 4096} | section | beside | {"rope_type": "longrope"}
            values[name].pop("type", None)
    return read_decoder(Fields(values, fields.source), checkpoint, "phi3")


def build(g: Graph, spec: ModelSpec, w: Weights) -> Node:
    """The forward pass."""
    q_rows, kv_rows = spec.heads * spec.head_dim, spec.kv_heads * spec.head_dim
    x = g.embed(w("embed"), spec.hidden)
    for i in range(spec.layers):
        h = g.rms_norm(x, w("attn_norm", i), spec.norm_eps)
        qkv = w("qkv", i)
        q = g.linear(h, qkv.rows(0, q_rows))
        k = g.linear(h, qkv.rows(q_rows, q_rows + kv_rows))
        v = g.linear(h, qkv.rows(q_rows + kv_rows, q_rows + 2 * kv_rows))
        x = g.add(x, g.linear(attend(g, spec, w, i, q, k, v), *w.pair("o", i)))
        h = g.rms_norm(x, w("ffn_norm", i), spec.norm_eps)
        both = w("gate_up", i)
        gate = g.activation(g.linear(h, both.rows(0, spec.ffn)), spec.activation)
        up = g.linear(h, both.rows(spec.ffn, 2 * spec.ffn))
        x = g.add(x, g.linear(g.multiply(gate, up), *w.pair("down", i)))
    return logits(g, spec, w, g.rms_norm(x, w("norm"), spec.norm_eps))
