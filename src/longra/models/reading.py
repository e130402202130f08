"""What the readers of descriptions share."""

from typing import TypedDict

from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.rope import RopeRequest, plain_frequencies, read_rope
from longra.files.spec import ACTIVATIONS, ModelSpec
from longra.graph.nodes import Rope

MOST_LAYERS = 1024


class Sizes(TypedDict):
    """The sizes among ModelSpec's arguments."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocabulary: int
    context: int


def sizes(fields: Fields) -> Sizes:
    """The sizes that a description gives.

    Raises:
        FormatError: one is missing, absurd, or does not divide.
    """
    hidden = fields.integer("hidden_size", "n_embd", high=1 << 20)
    heads = fields.integer("num_attention_heads", "n_head", high=4096)
    return {
        "layers": fields.integer("num_hidden_layers", "n_layer", high=MOST_LAYERS),
        "hidden": hidden,
        "heads": heads,
        "kv_heads": fields.integer("num_key_value_heads", default=heads, high=heads),
        "head_dim": fields.integer("head_dim", default=max(1, hidden // heads), high=512),
        "ffn": fields.integer("intermediate_size", "n_inner", default=4 * hidden, high=1 << 22),
        "vocabulary": fields.integer("vocab_size", high=1 << 24),
        "context": fields.integer("max_position_embeddings", "n_positions", "n_ctx", high=1 << 28),
    }


def norm_eps(fields: Fields, default: float | None = None) -> float:
    """Epsilon of the norms."""
    return fields.number("rms_norm_eps", "layer_norm_epsilon", "layer_norm_eps", high=1.0, default=default)


def rope_section(fields: Fields, layer_type: str | None = None) -> Fields | None:
    """The object with rope's parameters: rope_parameters (of a layer type, if it has several) or rope_scaling."""
    section = fields.section("rope_parameters")
    if section is not None and layer_type is not None and section.values.get(layer_type) is not None:
        section = section.section(layer_type)
    return section or fields.section("rope_scaling")


def rope_base(fields: Fields, section: Fields | None, default: float | None = 10_000.0) -> float:
    """Theta, wherever it is said."""
    if section is not None and section.values.get("rope_theta") is not None:
        return section.number("rope_theta", low=1.0, high=1e12)
    return fields.number("rope_theta", "rotary_emb_base", low=1.0, high=1e12, default=default)


def read_decoder(
    fields: Fields, checkpoint: Checkpoint, architecture: str, interleaved: bool = False, windowed: bool = True
) -> ModelSpec:
    """The description of the Llama family: RMS norms, rope, a gated feed-forward.

    Args:
        interleaved: layout of rope's pairs.
        windowed: a window counts where config.json does not say use_sliding_window.
    """
    size = sizes(fields)
    section = rope_section(fields)
    partial = 1.0 if section is None else section.number("partial_rotary_factor", high=1.0, default=1.0)
    partial = fields.number("partial_rotary_factor", high=1.0, default=partial)
    dims = fields.integer("rotary_dim", default=int(size["head_dim"] * partial), high=size["head_dim"])
    request = RopeRequest(dims, rope_base(fields, section), size["context"], interleaved)
    rope, scaling, size["context"] = read_rope(request, section)
    stored = checkpoint.tensors.get("rope_freqs.weight")
    if stored is not None and stored.shape == (dims // 2,):
        divided = plain_frequencies(dims, request.base) / stored.float32()
        rope, scaling = Rope(tuple(float(f) for f in divided), interleaved), "llama3"
    return ModelSpec(
        architecture=architecture,
        **size,
        norm_eps=norm_eps(fields, 1e-6),
        activation=ACTIVATIONS[fields.choice("hidden_act", "hidden_activation", among=_SAME, default="silu")],
        rope=rope,
        rope_scaling=scaling,
        windows=windows(fields, size["layers"], windowed),
        tied=fields.flag("tie_word_embeddings", default=False),
    )


_SAME = {name: name for name in ACTIVATIONS}


def activation(fields: Fields, default: str) -> str:
    """The name of the feed-forward's activation, known to ACTIVATIONS."""
    return fields.choice("activation_function", "hidden_act", among=_SAME, default=default)


def windows(fields: Fields, layers: int, windowed: bool = True) -> tuple[int | None, ...]:
    """For each layer its window: from layer_types, else of all layers alike."""
    if fields.values.get("sliding_window") is None or not fields.flag("use_sliding_window", default=windowed):
        return (None,) * layers
    window = fields.integer("sliding_window")
    types = fields.values.get("layer_types")
    if isinstance(types, list) and len(types) == layers:
        return tuple(window if kind == "sliding_attention" else None for kind in types)
    return (window,) * layers
