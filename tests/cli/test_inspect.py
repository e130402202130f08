"""`longra inspect` as a user types it."""

import json
import re
from pathlib import Path

import pytest
from running import longra
from safetensors.torch import load_file, save_file

from support import tiny


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny.make("mistral", tmp_path)
    return tmp_path


def test_both_sides_and_how_they_fit(smollm2: Path) -> None:
    about = json.loads(longra("inspect", str(smollm2), "--json").out)
    assert set(about) == {"model", "model_file", "weight_file", "fit"}
    assert about["fit"] == {"fits": True, "differences": []}
    model, weights = about["model_file"], about["weight_file"]
    assert (model["architecture"], model["layers"], model["heads"], model["kv_heads"]) == ("llama", 30, 9, 3)
    assert (model["hidden"], model["feed_forward"], model["head_dim"], model["context"]) == (576, 1536, 64, 8192)
    assert model["rope"] == {"base": 100_000.0, "channels": 64, "layout": "interleaved", "scaling": "none"}
    assert (model["activation"], model["position_encoding"], model["vocabulary"]) == ("silu", "rope", 49152)
    assert (model["tokenizer"], model["chat_template"]) == ({"kind": "gpt2", "tokens": 49152}, True)
    assert (weights["format"], weights["tensors"], weights["parameters"]) == ("gguf", 272, 134_515_008)
    assert weights["bits_per_weight"] == round(8 * weights["bytes"] / weights["parameters"], 2) == 5.74
    assert weights["kv_bytes_per_token"] == 30 * 3 * 64 * 2 * 2
    assert {"name": "output_norm.weight", "shape": [576], "type": "F32", "bytes": 2304} in weights["tensor_list"]


def test_tables_for_people(smollm2: Path) -> None:
    shown = longra("inspect", str(smollm2)).out
    assert "\x1b" not in shown
    assert re.search(r"blk\.\*\.ffn_down\.weight +30 +576 x 1,536 +Q4_1 30 +16\.6 MB\n", shown)
    assert shown.endswith("every tensor is there with the right shape, and nothing is left over\n")


def test_what_does_not_fit_is_named(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors")
    found = longra("inspect", str(folder), "--json")
    assert json.loads(found.out)["fit"] == {
        "fits": False,
        "differences": ["model.layers.1.mlp.up_proj.weight [136, 96] is missing"],
    }
    assert "1 differences:\n    model.layers.1.mlp.up_proj.weight" in longra("inspect", str(folder)).out


def test_a_model_without_tokenizer_and_with_a_broken_template(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text("{")
    model = json.loads(longra("inspect", str(folder), "--json").out)["model_file"]
    assert "problem" in model["tokenizer"]
    assert "problem" in model["chat_template"]
    assert model["window"] == {"tokens": 20, "layers": 3}


def test_an_unknown_architecture(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text()) | {"model_type": "mixtral"}
    (folder / "config.json").write_text(json.dumps(config))
    found = longra("inspect", str(folder))
    assert (found.code, found.out) == (1, "")
    assert "error: the architecture 'mixtral' is unknown; did you mean mistral? known: codegen" in found.err
