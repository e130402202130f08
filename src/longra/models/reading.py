"""What the readers of descriptions share."""

from typing import TypedDict

import numpy as np

from longra.errors import FormatError
from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.mapped import shown
from longra.files.rope import RopeRequest, divide_rope, read_rope
from longra.files.spec import ACTIVATIONS, ActivationKind, ModelSpec, Rope

MOST_LAYERS = 1024
_KINDS_OF_LAYER = ("full_attention", "sliding_attention")


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


class Biases(TypedDict):
    """The flags of biases among ModelSpec's arguments."""

    attention_bias: bool
    output_bias: bool
    mlp_bias: bool


class Rotation(TypedDict):
    """What concerns rope among ModelSpec's arguments."""

    rope: Rope
    rope_base: float
    rope_scaling: str


def sizes(fields: Fields) -> Sizes:
    """The sizes that a description gives.

    Raises:
        FormatError: one is missing, absurd, or does not divide.
    """
    hidden = fields.integer("hidden_size", "n_embd", high=1 << 20)
    heads = fields.integer("num_attention_heads", "n_head", high=4096)
    kv_heads = fields.integer("num_key_value_heads", default=heads, high=heads)
    if heads % kv_heads:
        raise FormatError(f"{fields.source}: {heads} heads do not divide by {kv_heads} key/value heads")
    return {
        "layers": fields.integer("num_hidden_layers", "n_layer", high=MOST_LAYERS),
        "hidden": hidden,
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": fields.integer("head_dim", default=max(1, hidden // heads), high=512),
        "ffn": fields.integer("intermediate_size", "n_inner", default=4 * hidden, high=1 << 22),
        "vocabulary": fields.integer("vocab_size", high=1 << 24),
        "context": fields.integer("max_position_embeddings", "n_positions", "n_ctx", high=1 << 28),
    }


def norm_eps(fields: Fields, default: float | None = None) -> float:
    """Epsilon of the norms."""
    return fields.number("rms_norm_eps", "layer_norm_epsilon", "layer_norm_eps", high=1.0, default=default)


def activation(fields: Fields, default: str) -> ActivationKind:
    """The feed-forward's activation; `default` is config.json's name of it."""
    names = ("hidden_act", "activation_function", "hidden_activation")
    return ACTIVATIONS[fields.choice(*names, among={name: name for name in ACTIVATIONS}, default=default)]


def biases(fields: Fields, default: bool = False) -> Biases:
    """Which products have biases, where the description says; `default` is for those around attention."""
    attention = fields.flag("attention_bias", default=default)
    return {
        "attention_bias": attention,
        "output_bias": fields.flag("output_bias", default=attention),
        "mlp_bias": fields.flag("mlp_bias", default=False),
    }


def rope_section(fields: Fields, layer_type: str | None = None) -> Fields | None:
    """The object with rope's parameters: rope_parameters (of a layer type, if it has several) or rope_scaling."""
    section = fields.section("rope_parameters")
    if section is not None and layer_type is not None and section.values.get(layer_type) is not None:
        section = section.section(layer_type)
    return section or fields.section("rope_scaling")


def rope_base(fields: Fields, section: Fields | None, default: float = 10_000.0) -> float:
    """Theta, wherever it is said; above 1, or no pair would be slower than another."""
    if section is not None and section.values.get("rope_theta") is not None:
        fields = section
    return fields.number("rope_theta", "rotary_emb_base", low=1.01, high=1e12, default=default)


def rotation(fields: Fields, size: Sizes, *, interleaved: bool = False, share: float = 1.0) -> Rotation:
    """Rope after scaling; `size`'s context becomes what the scaled rope holds.

    Args:
        interleaved: layout of rope's pairs.
        share: the part of a head that turns, where the description does not say.
    """
    section = rope_section(fields)
    if section is not None:
        share = section.number("partial_rotary_factor", high=1.0, default=share)
    share = fields.number("partial_rotary_factor", "rotary_pct", high=1.0, default=share)
    dims = fields.integer("rotary_dim", default=int(size["head_dim"] * share), high=size["head_dim"])
    base = rope_base(fields, section)
    rope, scaling, size["context"] = read_rope(RopeRequest(dims, base, size["context"], interleaved), section)
    return {"rope": rope, "rope_base": base, "rope_scaling": scaling}


def read_decoder(
    fields: Fields, checkpoint: Checkpoint, architecture: str, interleaved: bool = False, windowed: bool = True
) -> ModelSpec:
    """The description of the Llama family: RMS norms, rope, a gated feed-forward.

    Args:
        interleaved: layout of rope's pairs.
        windowed: a window counts where config.json does not say use_sliding_window.
    """
    size = sizes(fields)
    turn = rotation(fields, size, interleaved=interleaved)
    stored = checkpoint.tensors.get("rope_freqs.weight")
    if stored is not None:
        divisors = Fields({stored.name: stored.float32()}, fields.source)
        turn["rope"] = divide_rope(turn["rope"], divisors.numbers(stored.name, len(turn["rope"].frequencies)))
        turn["rope_scaling"] = "none" if np.all(stored.float32() == 1) else "llama3"
    return ModelSpec(
        architecture=architecture,
        **size,
        **turn,
        **biases(fields),
        norm_eps=norm_eps(fields, 1e-6),
        activation=activation(fields, "silu"),
        windows=windows(fields, size["layers"], windowed),
        tied=fields.flag("tie_word_embeddings", default=False),
    )


def windows(fields: Fields, layers: int, windowed: bool = True) -> tuple[int | None, ...]:
    """For each layer its window: by layer_types; else from layer max_window_layers on, which is 0 if it is not said.

    Raises:
        FormatError: layer_types is not a known kind for each layer.
    """
    if fields.values.get("sliding_window") in (None, 0) or not fields.flag("use_sliding_window", default=windowed):
        return (None,) * layers
    window = fields.integer("sliding_window")
    types = fields.values.get("layer_types")
    if types is None:
        first = fields.integer("max_window_layers", low=0, default=0)
        return tuple(window if layer >= first else None for layer in range(layers))
    if not isinstance(types, list) or len(types) != layers:
        raise FormatError(f"{fields.source}: layer_types is {shown(types)}, a list of {layers} kinds is needed")
    for kind in types:
        if kind not in _KINDS_OF_LAYER:
            known = ", ".join(_KINDS_OF_LAYER)
            raise FormatError(f"{fields.source}: layer_types names {shown(kind)}; known: {known}")
    return tuple(window if kind == "sliding_attention" else None for kind in types)
