"""Forms in which checkpoints of the known architectures have been published, against transformers in float32."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from longra.errors import FormatError
from longra.files.checkpoint import open_checkpoint
from longra.models import read_spec
from support import tiny
from support.parity import TOKENS, backend_of, error, expected, logits


def rewrite_config(folder: Path, remove: tuple[str, ...] = (), **changes: Any) -> None:
    """Change config.json, as libraries before today's wrote it."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in config.items() if k not in remove} | changes))


def rewrite_tensors(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the stored tensors: name to tensor."""
    path = folder / "model.safetensors"
    save_file({k: v.clone() for k, v in change(load_file(path)).items()}, path)


def check(path: Path, wanted: Any, sizes: list[int] | None = None) -> None:
    assert error(logits(backend_of(path, "torch"), sizes or [41]), wanted) < 1e-4
    native = backend_of(path, "native", weights="f32", threads=1)
    for arithmetic in ("prefill", "decode"):
        assert error(logits(native, sizes or [41], arithmetic), wanted) < 2e-4


OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "tied embedding": ("llama", {"tie_word_embeddings": True}),
    "no biases": ("llama", {"attention_bias": False, "mlp_bias": False}),
    "one key/value head": ("llama", {"num_key_value_heads": 1}),
    "as many key/value heads": ("llama", {"num_key_value_heads": 6}),
    "gelu in the gate": ("llama", {"hidden_act": "gelu_pytorch_tanh"}),
    "narrow heads": ("mistral", {"head_dim": 8}),
    "no window": ("mistral", {"sliding_window": None}),
    "windows in late layers": ("qwen2", {"use_sliding_window": True, "sliding_window": 9, "max_window_layers": 1}),
    "windows in some layers": (
        "qwen3",
        {
            "use_sliding_window": True,
            "sliding_window": 9,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        },
    ),
    "biases of qwen3": ("qwen3", {"attention_bias": True}),
    "one block after the other": ("gpt_neox", {"use_parallel_residual": False}),
    "no biases around attention": ("gpt_neox", {"attention_bias": False}),
    "a quarter of a head turns": ("gpt_neox", {"rotary_pct": 0.25, "hidden_size": 192}),
    "erf gelu": ("gpt2", {"activation_function": "gelu"}),
    "relu": ("gpt2", {"activation_function": "relu"}),
    "whole heads turn": ("gptj", {"rotary_dim": 24}),
    "eight heads": ("codegen", {"n_head": 8, "rotary_dim": 4}),
    "part of a head turns, in a window": (
        "phi3",
        {
            "sliding_window": 9,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5},
        },
    ),
    "another scale and pattern": ("gemma3_text", {"query_pre_attn_scalar": 31, "sliding_window_pattern": 2}),
    "stretched where it sees all": (
        "gemma3_text",
        {
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
            }
        },
    ),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_options(option: str, tmp_path: Path) -> None:
    architecture, changes = OPTIONS[option]
    check(tmp_path, expected(tiny.make(architecture, tmp_path, **changes)))


def test_config_of_older_libraries(tmp_path: Path) -> None:
    """Theta and scaling stood at the top, the type was called type, and a head's width was not said."""
    scaling = {"factor": 4.0, "type": "linear"}
    model = tiny.make(
        "llama", tmp_path, head_dim=None, rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 5e5}
    )
    rewrite_config(tmp_path, remove=("rope_parameters", "head_dim"), rope_theta=5e5, rope_scaling=scaling)
    check(tmp_path, expected(model))


def test_qwen2_without_layer_types(tmp_path: Path) -> None:
    model = tiny.make("qwen2", tmp_path, use_sliding_window=True, sliding_window=9, max_window_layers=2)
    rewrite_config(tmp_path, remove=("layer_types",))
    check(tmp_path, expected(model))


def test_gemma3_as_it_was_published(tmp_path: Path) -> None:
    rope = {
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
    }
    model = tiny.make("gemma3_text", tmp_path, rope_parameters=rope)
    rewrite_config(
        tmp_path,
        remove=("rope_parameters", "layer_types"),
        rope_theta=1e6,
        rope_local_base_freq=1e4,
        rope_scaling={"factor": 8.0, "rope_type": "linear"},
        sliding_window_pattern=6,
    )
    check(tmp_path, expected(model))


@pytest.mark.parametrize("prefix", ["model.language_model.", "language_model.model."], ids=["now", "before"])
def test_gemma3_that_also_sees(prefix: str, tmp_path: Path) -> None:
    """The text part of a checkpoint that has a tower for pictures; its tensors' names changed once."""
    text = tiny.CONFIGS["gemma3_text"]
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.Gemma3Config(
        text_config=text,
        vision_config=vision | {"image_size": 28, "patch_size": 14},
        mm_tokens_per_image=4,
        image_token_index=300,
        boi_token_index=301,
        eoi_token_index=302,
    )
    torch.manual_seed(3)
    model = transformers.Gemma3ForConditionalGeneration(config).float().eval()
    tiny.randomise(model, centred=False)
    model.save_pretrained(tmp_path)
    names = load_file(tmp_path / "model.safetensors")
    stored = next(name for name in names if "layers.0.self_attn.q_proj" in name and "vision" not in name)
    now = stored[: stored.index("layers.")]
    rewrite_tensors(tmp_path, lambda tensors: {k.replace(now, prefix): v for k, v in tensors.items()})
    tokens = np.minimum(TOKENS, 299)
    with torch.no_grad():
        wanted = model(input_ids=torch.from_numpy(tokens.astype(np.int64))[None]).logits[0].numpy()
    assert error(logits(backend_of(tmp_path, "torch"), [41], tokens=tokens), wanted) < 1e-4
    found = logits(backend_of(tmp_path, "native", weights="f32"), [41], tokens=tokens)
    assert error(found, wanted) < 2e-4


@pytest.mark.parametrize(
    ("architecture", "buffers"),
    [
        ("gpt2", {"attn.bias": torch.ones(1, 1, 256, 256), "attn.masked_bias": torch.tensor(-1e4)}),
        ("gptj", {"attn.bias": torch.ones(1, 1, 8, 8, dtype=torch.uint8), "attn.masked_bias": torch.tensor(-1e9)}),
        ("codegen", {"attn.causal_mask": torch.ones(1, 1, 256, 256, dtype=torch.uint8)}),
        (
            "gpt_neox",
            {
                "attention.bias": torch.ones(1, 1, 8, 8, dtype=torch.bool),
                "attention.rotary_emb.inv_freq": torch.ones(4),
            },
        ),
        ("llama", {"self_attn.rotary_emb.inv_freq": torch.ones(12)}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_buffers_that_were_saved_along(architecture: str, buffers: dict[str, Any], tmp_path: Path) -> None:
    wanted = expected(tiny.make(architecture, tmp_path))

    def add(tensors: dict[str, Any]) -> dict[str, Any]:
        first = next(name for name in tensors if ".0." in name)
        block = first[: first.index(".0.") + 3]
        return tensors | {block + name: value for name, value in buffers.items()}

    rewrite_tensors(tmp_path, add)
    check(tmp_path, wanted)


@pytest.mark.parametrize("architecture", ["gpt2", "llama", "codegen"])
def test_names_without_their_wrapper(architecture: str, tmp_path: Path) -> None:
    """The first GPT-2 checkpoints name blocks h.0, not transformer.h.0."""
    wanted = expected(tiny.make(architecture, tmp_path))
    rewrite_tensors(
        tmp_path, lambda t: {k.removeprefix("transformer.").removeprefix("model."): v for k, v in t.items()}
    )
    check(tmp_path, wanted)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("pickled", [False, True], ids=["safetensors", "bin"])
def test_stored_floats(dtype: torch.dtype, pickled: bool, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    model = tiny.make("codegen", folder)
    rewrite_tensors(folder, lambda tensors: {k: v.to(dtype) for k, v in tensors.items()})
    model.load_state_dict({k: v.to(dtype).float() for k, v in model.state_dict().items()})
    check(tiny.pickled(folder, tmp_path / "bin") if pickled else folder, expected(model))


SCALED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "linear": ("llama", {"rope_type": "linear", "factor": 3.0}, {}),
    "yarn": ("qwen2", {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}, {}),
    "yarn with a factor": (
        "qwen2",
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "attention_factor": 1.5},
        {},
    ),
    "llama3": (
        "llama",
        {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 16,
        },
        {},
    ),
    "longrope": (
        "phi3",
        {
            "rope_type": "longrope",
            "short_factor": [1.0 + 0.05 * i for i in range(8)],
            "long_factor": [1.0 + 0.4 * i for i in range(8)],
            "original_max_position_embeddings": 24,
        },
        {"original_max_position_embeddings": 24},
    ),
}


@pytest.mark.parametrize("kind", SCALED)
def test_stretched_rope_in_gguf(kind: str, tmp_path: Path) -> None:
    """llama.cpp's keys, and its tensors of factors, mean what config.json means."""
    architecture, scaling, beside = SCALED[kind]
    rope = scaling | {"rope_theta": 10_000.0, "partial_rotary_factor": 1.0}
    folder = tmp_path / "model"
    model = tiny.make(architecture, folder, rope_parameters=rope, max_position_embeddings=64, **beside)
    path = tiny.to_gguf(folder, tmp_path / "model.gguf")
    for tokens in (TOKENS[:20], TOKENS):
        extended = kind == "longrope" and len(tokens) > 24
        for name, options in (("torch", {}), ("native", {"weights": "f32"})):
            found = logits(backend_of(path, name, **options), [len(tokens)], tokens=tokens, extended=extended)
            assert error(found, expected(model, tokens)) < 2e-4


UNKNOWN_ARITHMETIC: dict[str, tuple[str, dict[str, Any]]] = {
    "scores divided by the layer": ("gpt2", {"scale_attn_by_inverse_layer_idx": True}),
    "scores not divided": ("gpt2", {"scale_attn_weights": False}),
    "cross attention": ("gpt2", {"add_cross_attention": True}),
    "logits under a cap": ("gemma3_text", {"final_logit_softcapping": 30.0}),
    "weights of another library": ("llama", {"quantization_config": {"quant_method": "gptq", "bits": 4}}),
    "a rope of another kind": ("llama", {"rope_parameters": {"rope_type": "proportional", "rope_theta": 1e4}}),
    "an activation of another kind": ("llama", {"hidden_act": "xielu"}),
}


@pytest.mark.parametrize("what", UNKNOWN_ARITHMETIC)
def test_what_no_operation_computes_is_refused(what: str, tmp_path: Path) -> None:
    architecture, changes = UNKNOWN_ARITHMETIC[what]
    tiny.make(architecture, tmp_path)
    rewrite_config(tmp_path, **changes)
    with open_checkpoint(tmp_path) as checkpoint, pytest.raises(FormatError):
        read_spec(checkpoint)
