"""Tiny random checkpoints saved by transformers, and copies of them in every format."""

import json
import math
import os
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
torch.set_num_threads(1)  # matrices this small take longer to deal out than to multiply
_COMMON: dict[str, Any] = {
    "vocab_size": 307,
    "hidden_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "intermediate_size": 136,
    "max_position_embeddings": 512,
}
_OLD: dict[str, Any] = {"vocab_size": 307, "n_embd": 96, "n_layer": 3, "n_head": 4, "n_positions": 256}
CONFIGS: dict[str, dict[str, Any]] = {
    "llama": _COMMON | {"head_dim": 24, "attention_bias": True, "mlp_bias": True},
    "mistral": _COMMON | {"head_dim": 16, "sliding_window": 20},
    "qwen2": _COMMON,
    "qwen3": _COMMON | {"head_dim": 40},
    # 7 layers for one that sees all; GGUF files carry neither another pattern nor another scale
    "gemma3_text": _COMMON
    | {"head_dim": 24, "sliding_window": 16, "num_hidden_layers": 7, "query_pre_attn_scalar": 24},
    "phi3": _COMMON | {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "sliding_window": None},
    "gpt_neox": {k: v for k, v in _COMMON.items() if k != "num_key_value_heads"} | {"rotary_pct": 0.5},
    "gpt2": _OLD | {"n_inner": 136},
    "gptj": _OLD | {"rotary_dim": 8},
    "codegen": _OLD | {"rotary_dim": 8, "n_ctx": 256},
}
ARCHITECTURES = tuple(CONFIGS)


def make(architecture: str, folder: Path, **overrides: Any) -> Any:
    """A tiny float32 model of transformers, saved as model.safetensors; every weight random, norms and biases too."""
    config = transformers.AutoConfig.for_model(architecture, **(CONFIGS[architecture] | overrides))
    config._attn_implementation = "eager"
    torch.manual_seed(7)
    model = transformers.AutoModelForCausalLM.from_config(config).float().eval()
    randomise(model, centred=architecture != "gemma3_text")
    model.save_pretrained(folder)
    return model


def randomise(model: Any, centred: bool) -> None:
    """Random weights of a size that keeps activations near 1; norms' around 1 where `centred`, else 0 (Gemma adds it)."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            vector = parameter.ndim == 1
            centre = 1.0 if vector and centred and name.endswith("weight") else 0.0
            scale = 0.3 if vector else 1.5 / parameter.shape[-1] ** 0.5
            parameter.copy_(centre + torch.randn_like(parameter) * scale)


def shard(folder: Path, into: Path) -> Path:
    """The same weights in two files with an index."""
    into.mkdir()
    tensors = load_file(folder / "model.safetensors")
    names = sorted(tensors)
    parts = (names[: len(names) // 2], names[len(names) // 2 :])
    places = {}
    for i, part in enumerate(parts, 1):
        file = f"model-{i:05d}-of-00002.safetensors"
        save_file({name: tensors[name] for name in part}, into / file)
        places |= dict.fromkeys(part, file)
    (into / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    (into / "config.json").write_text((folder / "config.json").read_text())
    return into


def pickled(folder: Path, into: Path) -> Path:
    """The same weights as pytorch_model.bin."""
    into.mkdir()
    torch.save(load_file(folder / "model.safetensors"), into / "pytorch_model.bin")
    (into / "config.json").write_text((folder / "config.json").read_text())
    return into


def to_gguf(folder: Path, path: Path) -> Path:
    """The same weights as float32 GGUF, converted as llama.cpp's converter does (codegen, gptj by the same rules)."""
    config = transformers.AutoConfig.from_pretrained(folder)
    kind = config.model_type
    arch = {"mistral": "llama", "gpt_neox": "gptneox", "gemma3_text": "gemma3"}.get(kind, kind)
    writer = gguf.GGUFWriter(path, arch)
    heads = config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    inner = getattr(config, "intermediate_size", None) or getattr(config, "n_inner", None) or 4 * config.hidden_size
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head_dim)
    if hasattr(config, "rms_norm_eps"):
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    else:
        writer.add_layer_norm_eps(getattr(config, "layer_norm_epsilon", None) or config.layer_norm_eps)
    rope = getattr(config, "rope_parameters", None) or {}
    rope = rope.get("full_attention", rope)
    if rope:
        writer.add_rope_freq_base(rope["rope_theta"])
        _add_rope_scaling(writer, config, rope, head_dim)
    if kind in ("gptj", "codegen"):
        writer.add_rope_dimension_count(config.rotary_dim)
    if kind == "gpt_neox":
        writer.add_rope_dimension_count(int(head_dim * rope["partial_rotary_factor"]))
        writer.add_parallel_residual(config.use_parallel_residual)
    if getattr(config, "sliding_window", None):
        writer.add_sliding_window(config.sliding_window)
    for name, tensor in load_file(folder / "model.safetensors").items():
        converted = _converted(kind, name, tensor.numpy(), heads, kv_heads)
        if converted is not None:
            writer.add_tensor(*converted)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_rope_scaling(writer: gguf.GGUFWriter, config: Any, rope: dict[str, Any], head_dim: int) -> None:
    """What llama.cpp's converter writes for a stretched rope."""
    kind, original = rope["rope_type"], rope.get("original_max_position_embeddings")
    if kind in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(kind))
        writer.add_rope_scaling_factor(rope["factor"])
    if kind in ("yarn", "longrope"):
        writer.add_rope_scaling_orig_ctx_len(original)
    if kind == "yarn" and rope.get("attention_factor"):  # llama.cpp multiplies it with the paper's
        writer.add_rope_scaling_attn_factors(rope["attention_factor"] / (0.1 * math.log(rope["factor"]) + 1))
    if kind == "longrope":
        factor = config.max_position_embeddings / original
        writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(factor) / math.log(original)))
        for which in ("long", "short"):
            writer.add_tensor(f"rope_factors_{which}.weight", np.array(rope[f"{which}_factor"], np.float32))
    if kind == "llama3":
        plain = float(rope["rope_theta"]) ** (-np.arange(0, head_dim, 2) / head_dim)
        stretched, _ = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")
        writer.add_tensor("rope_freqs.weight", (plain / stretched.numpy()).astype(np.float32))


_ENDS = {
    "embed_tokens": "token_embd",
    "embed_in": "token_embd",
    "wte": "token_embd",
    "wpe": "position_embd",
    "norm": "output_norm",
    "ln_f": "output_norm",
    "final_layer_norm": "output_norm",
    "lm_head": "output",
    "embed_out": "output",
    "input_layernorm": "attn_norm",
    "ln_1": "attn_norm",
    "ln_2": "ffn_norm",
    "post_attention_layernorm": "ffn_norm",
    "q_proj": "attn_q",
    "k_proj": "attn_k",
    "v_proj": "attn_v",
    "o_proj": "attn_output",
    "out_proj": "attn_output",
    "dense": "attn_output",
    "q_norm": "attn_q_norm",
    "k_norm": "attn_k_norm",
    "gate_proj": "ffn_gate",
    "up_proj": "ffn_up",
    "down_proj": "ffn_down",
    "gate_up_proj": "ffn_up",
    "qkv_proj": "attn_qkv",
    "query_key_value": "attn_qkv",
    "c_attn": "attn_qkv",
    "c_fc": "ffn_up",
    "fc_in": "ffn_up",
    "fc_out": "ffn_down",
    "dense_h_to_4h": "ffn_up",
    "dense_4h_to_h": "ffn_down",
}
_GEMMA = {
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}


def _converted(kind: str, name: str, data: Any, heads: int, kv_heads: int) -> tuple[str, Any] | None:
    words = name.split(".")
    end, suffix = words[-2], words[-1]
    block = next((word for word in words if word.isdigit()), None)
    if suffix not in ("weight", "bias") or end == "attn" or (end == "attention"):
        return None
    if kind == "gemma3_text":
        target = _GEMMA.get(end) or _ENDS[end]
        if data.ndim == 1:
            data = data + 1
    elif end == "c_proj":
        target = "attn_output" if "attn" in words else "ffn_down"
    else:
        target = _ENDS[end]
    if kind in ("llama", "mistral") and end in ("q_proj", "k_proj"):
        count = heads if end == "q_proj" else kv_heads
        data = data.reshape(count, 2, data.shape[0] // count // 2, *data.shape[1:]).swapaxes(1, 2).reshape(data.shape)
    if kind == "gpt2" and data.ndim == 2 and end.startswith("c_"):
        data = data.T
    if end == "query_key_value":
        data = data.reshape(heads, 3, -1, *data.shape[1:]).swapaxes(0, 1).reshape(data.shape)
    place = f"blk.{block}.{target}" if block is not None else target
    return f"{place}.{suffix}", np.ascontiguousarray(data, np.float32)
