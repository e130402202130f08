"""GGUF metadata under the names of config.json, so that a model file reads one description."""

import math
from typing import Any

from longra.errors import FormatError
from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields

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
    "attention.sliding_window_pattern": "sliding_window_pattern",
    "rope.freq_base_swa": "rope_local_base_freq",
    "use_parallel_residual": "use_parallel_residual",
    "expert_count": "num_local_experts",
    "final_logit_softcapping": "final_logit_softcapping",
}
_SCALING = {
    "type": "rope_type",
    "factor": "factor",
    "original_context_length": "original_max_position_embeddings",
    "attn_factor": "attention_factor",
    "yarn_beta_fast": "beta_fast",
    "yarn_beta_slow": "beta_slow",
}
# Vectors of the first block whose presence says that all blocks have them.
_BIASES = {
    "attention_bias": ("blk.0.attn_q.bias", "blk.0.attn_qkv.bias"),
    "output_bias": ("blk.0.attn_output.bias",),
    "mlp_bias": ("blk.0.ffn_up.bias",),
}


def config_of_gguf(checkpoint: Checkpoint) -> dict[str, Any]:
    """The description of a GGUF file's model as a config.json would give it.

    Raises:
        FormatError: there is no token embedding, whose rows are the vocabulary, or it has fewer rows than the tokenizer
            has tokens; heads differ from layer to layer, or values from keys, in width.
    """
    metadata = checkpoint.config
    prefix = f"{metadata.get('general.architecture')}."
    config = {name: metadata[prefix + key] for key, name in _NAMES.items() if prefix + key in metadata}
    config |= {name: any(one in checkpoint.tensors for one in ones) for name, ones in _BIASES.items()}
    config["vocab_size"] = _vocabulary(checkpoint)
    config["tie_word_embeddings"] = "output.weight" not in checkpoint.tensors
    pattern: Any = config.get("sliding_window_pattern")
    if hasattr(pattern, "__len__"):  # one flag a layer, else a number: the last of so many layers sees all
        config["layer_types"] = ["sliding_attention" if flag else "full_attention" for flag in pattern]
    fields = Fields(config | {"value_dim": metadata.get(f"{prefix}attention.value_length")}, str(checkpoint.path))
    keys, values = fields.integer("head_dim", default=0), fields.integer("value_dim", default=0)
    if values not in (0, keys):
        raise FormatError(f"{checkpoint.path}: values are {values} wide and keys {keys}")
    scaling = {
        name: metadata[f"{prefix}rope.scaling.{key}"]
        for key, name in _SCALING.items()
        if f"{prefix}rope.scaling.{key}" in metadata
    }
    if f"{prefix}rope.scale_linear" in metadata:  # files before GGUF v3
        scaling = {"rope_type": "linear", "factor": metadata[f"{prefix}rope.scale_linear"]} | scaling
    if scaling.get("rope_type") == "yarn" and "attention_factor" in scaling:
        scaling["attention_factor"] = _sharpened(scaling)
    for which in ("long", "short"):
        factors = checkpoint.tensors.get(f"rope_factors_{which}.weight")
        if factors is not None:
            scaling |= {"rope_type": "longrope", f"{which}_factor": factors.float32().tolist()}
    if scaling:
        config["rope_scaling"] = scaling
    return config


def _vocabulary(checkpoint: Checkpoint) -> int:
    embedding = checkpoint.tensors.get("token_embd.weight")
    if embedding is None:
        raise FormatError(f"{checkpoint.path} has no tensor token_embd.weight; it holds no language model")
    tokens: Any = checkpoint.config.get("tokenizer.ggml.tokens")
    count = len(tokens) if hasattr(tokens, "__len__") and not isinstance(tokens, str) else 0
    if count > embedding.shape[0]:
        raise FormatError(
            f"{checkpoint.path}: the tokenizer has {count:,} tokens and token_embd.weight {embedding.shape[0]:,} rows"
        )
    return embedding.shape[0]


def _sharpened(scaling: dict[str, Any]) -> Any:
    """llama.cpp multiplies its factor with the one that yarn's paper suggests; config.json gives the product."""
    given, factor = scaling["attention_factor"], scaling.get("factor")
    if not isinstance(given, int | float) or not isinstance(factor, int | float) or not 1 < factor < math.inf:
        return given
    return given * (0.1 * math.log(factor) + 1.0)
