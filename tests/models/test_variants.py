"""What the settings of an architecture change, against transformers in float32, on the torch backend."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from test_parity import SCALINGS, TOKENS, backend_of, error, expected, logits

from support import tiny

LOCAL = {"rope_type": "default", "rope_theta": 10_000.0}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama without biases, tied": ("llama", {"attention_bias": False, "mlp_bias": False, "tie_word_embeddings": True}),
    "mistral without a window": ("mistral", {"sliding_window": None}),
    "qwen2 with windows above": ("qwen2", {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 1}),
    "qwen3 with windows and biases": (
        "qwen3",
        {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 2, "attention_bias": True},
    ),
    "gemma3 stretched, biased, scaled": (
        "gemma3_text",
        {
            "attention_bias": True,
            "query_pre_attn_scalar": 100,
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                "sliding_attention": LOCAL,
            },
        },
    ),
    "phi3 with a window": ("phi3", {"sliding_window": 9}),
    "phi3 in part": ("phi3", {"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.75}}),
    "gpt_neox in sequence": (
        "gpt_neox",
        {"use_parallel_residual": False, "attention_bias": False, "hidden_act": "relu"},
    ),
    "gpt2 untied": ("gpt2", {"tie_word_embeddings": False, "activation_function": "relu"}),
    "gptj wide": ("gptj", {"n_inner": 72, "rotary_dim": 24}),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_variant(variant: str, tmp_path: Path) -> None:
    architecture, overrides = VARIANTS[variant]
    wanted = expected(tiny.make(architecture, tmp_path, **overrides))
    assert error(logits(backend_of(tmp_path, "torch"), [17, 24]), wanted) < 1e-4


def test_gemma3_inside_a_model_that_also_sees(tmp_path: Path) -> None:
    """Both ways in which the tensors of such models have been named."""
    model = tiny.make("gemma3_text", tmp_path)
    wanted = expected(model)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gemma3", "text_config": config}))
    tensors = load_file(tmp_path / "model.safetensors")
    tower = torch.zeros(3)
    for inner, vision in (("model.language_model.", "model.vision_tower."), ("language_model.model.", "vision_tower.")):
        renamed = {inner + name.removeprefix("model."): tensor for name, tensor in tensors.items()}
        save_file(renamed | {f"{vision}encoder.weight": tower}, tmp_path / "model.safetensors")
        assert error(logits(backend_of(tmp_path, "torch"), [41]), wanted) < 1e-4


@pytest.mark.parametrize("kind", ["linear", "yarn", "llama3"])
def test_rope_as_older_files_say_it(kind: str, tmp_path: Path) -> None:
    architecture, scaling = SCALINGS[kind]
    parameters = scaling | {"rope_theta": 50_000.0}
    wanted = expected(tiny.make(architecture, tmp_path, rope_parameters=parameters, max_position_embeddings=64))
    config = json.loads((tmp_path / "config.json").read_text())
    del config["rope_parameters"]
    old = {"type" if name == "rope_type" else name: value for name, value in scaling.items()}
    config |= {"rope_theta": 50_000.0, "rope_scaling": old}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert error(logits(backend_of(tmp_path, "torch"), [41]), wanted) < 1e-4


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision_is_read_exactly(kind: torch.dtype, tmp_path: Path) -> None:
    tiny.make("gpt2", tmp_path).to(kind).save_pretrained(tmp_path)
    wanted = expected(transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval())
    assert error(logits(backend_of(tmp_path, "torch"), [41]), wanted) < 1e-4


def test_sharded_pickles(tmp_path: Path) -> None:
    wanted = expected(tiny.make("codegen", tmp_path))
    tensors = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    places = {}
    for i, name in enumerate(tensors):
        places[name] = f"pytorch_model-{i % 2 + 1:05d}-of-00002.bin"
    for file in set(places.values()):
        torch.save({name: tensors[name] for name in tensors if places[name] == file}, tmp_path / file)
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    assert error(logits(backend_of(tmp_path, "torch"), [41]), wanted) < 1e-4
    assert len(TOKENS) == 41
