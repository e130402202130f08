"""A context beyond the model file's against transformers with the same scaling in its config, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from longra.backends.native import NativeBackend
from longra.backends.torch import TorchBackend
from longra.errors import UsageError
from longra.files.checkpoint import open_checkpoint
from longra.models import build_graph
from longra.models.longer import ContextChange, read_longer
from support import tiny
from support.parity import TOKENS, error, expected, logits

TRAINED, LONGER = 16, 48
TEXT = np.resize(TOKENS, LONGER)


def of_longra(path: Path, backend: str, scaling: str | None, context: int = LONGER) -> tuple[Any, ContextChange | None]:
    """Logits of TEXT, and what was changed."""
    with open_checkpoint(path) as checkpoint:
        spec, change = read_longer(checkpoint, context, scaling)
        graph = build_graph(checkpoint, spec)
        runner = TorchBackend(graph, spec) if backend == "torch" else NativeBackend(graph, spec, weights="f32")
    assert spec.context == context
    runner.reserve(8)
    extended = spec.rope is not None and spec.rope.limit is not None
    return logits(runner, [LONGER], tokens=TEXT, extended=extended), change


def of_transformers(path: Path, scaling: dict[str, Any], **fields: Any) -> Any:
    config = transformers.AutoConfig.from_pretrained(path)
    base = config.rope_parameters
    if "full_attention" in base:
        config.rope_parameters = base | {"full_attention": base["full_attention"] | scaling}
    else:
        config.rope_parameters = base | scaling
    for name, value in fields.items():
        setattr(config, name, value)
    return expected(transformers.AutoModelForCausalLM.from_pretrained(path, config=config, dtype=torch.float32), TEXT)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "gemma3_text", "gpt_neox"])
@pytest.mark.parametrize("scaling", ["yarn", "linear", "dynamic"])
def test_plain_models(architecture: str, scaling: str, tmp_path: Path) -> None:
    tiny.make(architecture, tmp_path, max_position_embeddings=TRAINED)
    factor = LONGER / TRAINED
    original = {"original_max_position_embeddings": TRAINED} if scaling == "yarn" else {}
    wanted = of_transformers(tmp_path, {"rope_type": scaling, "factor": factor} | original)
    tiny.to_gguf(tmp_path, tmp_path / "copy.gguf")
    for path in (tmp_path / "model.safetensors", tmp_path / "copy.gguf"):
        for backend in ("torch", "native"):
            found, change = of_longra(path, backend, scaling)
            assert error(found, wanted) < 2e-3
            assert change == ContextChange(TRAINED, LONGER, scaling)


def test_yarn_unless_said(tmp_path: Path) -> None:
    tiny.make("llama", tmp_path, max_position_embeddings=TRAINED)
    found, change = of_longra(tmp_path, "torch", None)
    assert np.array_equal(found, of_longra(tmp_path, "torch", "yarn")[0])
    assert str(change).startswith("context extended from 16 to 48 with yarn, factor 3: quality beyond 16 is not")


@pytest.mark.parametrize(
    ("scaling", "held"),
    [
        ({"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 12, "beta_fast": 8.0}, 24),
        ({"rope_type": "linear", "factor": 2.0}, 24),
        ({"rope_type": "dynamic", "factor": 2.0}, 48),
    ],
    ids=["yarn", "linear", "dynamic"],
)
def test_stretched_models_go_further_by_their_own_formula(scaling: dict[str, Any], held: int, tmp_path: Path) -> None:
    base = {"rope_theta": 10_000.0, "partial_rotary_factor": 1.0}
    tiny.make("llama", tmp_path, max_position_embeddings=24, rope_parameters=scaling | base)
    wanted = of_transformers(tmp_path, {"factor": scaling["factor"] * 2 if held == 24 else 2.0})
    found, change = of_longra(tmp_path, "torch", None, 48)
    assert error(found, wanted) < 2e-3
    assert change == (None if held == 48 else ContextChange(24, 48, scaling["rope_type"]))


def test_a_shorter_context_leaves_rope_alone(tmp_path: Path) -> None:
    tiny.make("llama", tmp_path, max_position_embeddings=64)
    with open_checkpoint(tmp_path) as checkpoint:
        spec, change = read_longer(checkpoint, 32, None)
        assert spec == read_longer(checkpoint, None, None)[0]
    assert str(change) == "context limited from 64 to 32"


LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}


@pytest.mark.parametrize(
    ("architecture", "config", "context", "scaling", "message"),
    [
        ("gpt2", {}, 128, None, "128 is more than the 64 tokens of the model, and its positions are learned"),
        ("llama", {"rope_parameters": LLAMA3 | {"rope_theta": 1e4}}, 128, "yarn", "stretched with llama3 already"),
        (
            "llama",
            {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}},
            128,
            "yarn",
            "linear",
        ),
        ("llama", {}, None, "yarn", "--rope-scaling yarn stretches nothing; pass --context with more than 64"),
        ("llama", {}, 32, "linear", "stretches nothing"),
        ("llama", {}, 128, "ntk", "'ntk' is unknown; choose from yarn, linear, dynamic"),
        ("llama", {}, 0, None, "--context 0 is out of range"),
    ],
)
def test_refusals(
    architecture: str, config: dict[str, Any], context: int, scaling: str, message: str, tmp_path: Path
) -> None:
    tiny.make(architecture, tmp_path, **{"max_position_embeddings": 64} | config)
    with open_checkpoint(tmp_path) as checkpoint, pytest.raises(UsageError, match=message):
        read_longer(checkpoint, context, scaling)
