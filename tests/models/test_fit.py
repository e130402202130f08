"""How weights fit a description: each difference by its full name."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from describing import LLAMA, described, tensor
from safetensors.torch import load_file, save_file

from longra.errors import FitError
from longra.files.checkpoint import open_checkpoint
from longra.files.tensor import Tensor
from longra.models import Difference, build_graph, check_fit, read_spec
from support import tiny


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    tiny.make("llama", folder)
    return folder


def altered(saved: Path, folder: Path, config: dict[str, Any] | None = None, **changes: Any) -> Path:
    """A copy with other tensors (None takes one away) and another config."""
    tensors = load_file(saved / "model.safetensors") | changes
    save_file({name: value for name, value in tensors.items() if value is not None}, folder / "model.safetensors")
    written = json.loads((saved / "config.json").read_text()) | (config or {})
    (folder / "config.json").write_text(json.dumps(written))
    return folder


def differences(path: Path) -> list[str]:
    with open_checkpoint(path) as checkpoint:
        return [str(difference) for difference in check_fit(checkpoint, read_spec(checkpoint))]


def test_each_kind_of_difference(saved: Path, tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "model.layers.1.mlp.up_proj.weight": None,
        "model.layers.0.self_attn.k_proj.bias": None,
        "model.layers.2.self_attn.q_proj.weight": torch.zeros(96, 144),
        "model.norm.weight": torch.zeros(96, dtype=torch.int32),
        "model.layers.2.adapter.weight": torch.zeros(3),
    }
    assert sorted(differences(altered(saved, tmp_path, **changes))) == [
        "model.layers.0.self_attn.k_proj.bias [48] is missing",
        "model.layers.1.mlp.up_proj.weight [136, 96] is missing",
        "model.layers.2.adapter.weight [3] is unknown to the architecture",
        "model.layers.2.self_attn.q_proj.weight is [96, 144], the model file asks for [144, 96]",
        "model.norm.weight is stored as I32, which cannot hold such weights",
    ]


def test_a_tensor_that_is_there_twice(saved: Path, tmp_path: Path) -> None:
    (found,) = differences(altered(saved, tmp_path, **{"layers.0.mlp.up_proj.weight": torch.zeros(136, 96)}))
    assert found.endswith("layers.0.mlp.up_proj.weight [136, 96] is unknown to the architecture")


def test_a_graph_is_not_built_from_what_does_not_fit(saved: Path, tmp_path: Path) -> None:
    path = altered(saved, tmp_path, {"num_hidden_layers": 4})
    with (
        open_checkpoint(path) as checkpoint,
        pytest.raises(FitError, match=r"(?s)in 16 places:.*layers\.3.*and 8 more"),
    ):
        build_graph(checkpoint, read_spec(checkpoint))


def test_more_layers_in_the_weights_than_in_the_description(saved: Path, tmp_path: Path) -> None:
    found = differences(altered(saved, tmp_path, {"num_hidden_layers": 2}))
    assert len(found) == 16
    assert all(line.startswith("model.layers.2.") and line.endswith("unknown to the architecture") for line in found)


def test_another_vocabulary(saved: Path, tmp_path: Path) -> None:
    found = differences(altered(saved, tmp_path, {"vocab_size": 308}))
    assert found[0] == "model.embed_tokens.weight is [307, 96], the model file asks for [308, 96]"
    assert len(found) == 2


def test_biases_that_the_description_does_not_know(saved: Path, tmp_path: Path) -> None:
    found = differences(altered(saved, tmp_path, {"attention_bias": False}))
    assert len(found) == 3 * 4
    assert "model.layers.0.self_attn.o_proj.bias [96] is unknown to the architecture" in found


def test_an_output_matrix_is_needed_unless_it_is_the_embedding(saved: Path, tmp_path: Path) -> None:
    untied = altered(saved, tmp_path, {"tie_word_embeddings": False}, **{"lm_head.weight": None})
    assert differences(untied) == ["lm_head.weight [307, 96] is missing"]
    assert differences(altered(saved, tmp_path, {"tie_word_embeddings": True}, **{"lm_head.weight": None})) == []


def test_buffers_that_some_libraries_saved_along(saved: Path, tmp_path: Path) -> None:
    extra = {
        "model.layers.0.self_attn.rotary_emb.inv_freq": torch.zeros(12),
        "model.rotary_emb.inv_freq": torch.ones(3),
    }
    assert differences(altered(saved, tmp_path, **extra)) == []


def test_the_masks_of_gpt2(tmp_path: Path) -> None:
    tiny.make("gpt2", tmp_path)
    mask = {"transformer.h.0.attn.bias": torch.ones(1, 1, 4, 4, dtype=torch.bool)}
    assert differences(altered(tmp_path, tmp_path, **mask)) == []


def test_names_without_a_wrapper(tmp_path: Path) -> None:
    """gpt2 was published without "transformer." before its names."""
    tiny.make("gpt2", tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    save_file({name.removeprefix("transformer."): t for name, t in tensors.items()}, tmp_path / "model.safetensors")
    assert differences(tmp_path) == []


@pytest.mark.parametrize("architecture", ["codegen", "gpt2", "gpt_neox", "llama", "phi3", "gemma3_text"])
def test_an_absurd_description_takes_no_memory(architecture: str) -> None:
    huge = {"model_type": architecture, "hidden_size": 1 << 20, "intermediate_size": 1 << 22, "vocab_size": 1 << 24}
    checkpoint = described(LLAMA | huge | {"head_dim": 512, "num_hidden_layers": 1024}, tensor("x", 1))
    assert len(check_fit(checkpoint, read_spec(checkpoint))) > 6 * 1024


def test_a_quantised_vector_is_named() -> None:
    import numpy as np

    norm = Tensor("model.norm.weight", "Q8_0", (64,), np.zeros(68, np.uint8))
    checkpoint = described(LLAMA, norm)
    assert Difference("type", norm.name, found=(64,), stored="Q8_0") in check_fit(checkpoint, read_spec(checkpoint))


def test_names_with_control_characters_are_escaped() -> None:
    checkpoint = described(LLAMA, tensor("\x1b[2Jx", 1))
    assert "\x1b" not in str(check_fit(checkpoint, read_spec(checkpoint))[-1])
