"""GGUF metadata under the names of config.json, so that a model file reads one description."""

from typing import Any

from longra.errors import FormatError
from longra.files.checkpoint import Checkpoint

_NAMES = {
    "block_count": "num_hidden_layers",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "context_length": "max_position_embeddings",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "attention.layer_norm_epsilon": "layer_norm_eps",
    "rope.freq_base": "rope_theta",
    "rope.dimension_count": "rotary_dim",
    "attention.sliding_window": "sliding_window",
    "use_parallel_residual": "use_parallel_residual",
}
_SCALING = {
    "type": "rope_type",
    "factor": "factor",
    "original_context_length": "original_max_position_embeddings",
    "attn_factor": "attention_factor",
    "yarn_beta_fast": "beta_fast",
    "yarn_beta_slow": "beta_slow",
}


def config_of_gguf(checkpoint: Checkpoint) -> dict[str, Any]:
    """The description of a GGUF file's model as a config.json would give it.

    Raises:
        FormatError: there is no token embedding, whose rows are the vocabulary.
    """
    metadata = checkpoint.config
    prefix = f"{metadata.get('general.architecture')}."
    config = {name: metadata[prefix + key] for key, name in _NAMES.items() if prefix + key in metadata}
    embedding = checkpoint.tensors.get("token_embd.weight")
    if embedding is None:
        raise FormatError(f"{checkpoint.path} has no tensor token_embd.weight; it holds no language model")
    config["vocab_size"] = embedding.shape[0]
    config["tie_word_embeddings"] = "output.weight" not in checkpoint.tensors
    scaling = {
        name: metadata[f"{prefix}rope.scaling.{key}"]
        for key, name in _SCALING.items()
        if f"{prefix}rope.scaling.{key}" in metadata
    }
    for which in ("long", "short"):
        factors = checkpoint.tensors.get(f"rope_factors_{which}.weight")
        if factors is not None:
            scaling |= {"rope_type": "longrope", f"{which}_factor": factors.float32().tolist()}
    if scaling:
        config["rope_scaling"] = scaling
    return config
