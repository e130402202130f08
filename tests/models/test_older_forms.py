"""Forms that need no other backend to be told apart: sharded pickles, and rope under its older names."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from support import tiny
from support.parity import backend_of, error, expected, logits

LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}
YARN = {"factor": 4.0, "original_max_position_embeddings": 16}


@pytest.mark.parametrize(("kind", "scaling"), [("yarn", YARN), ("llama3", LLAMA3)], ids=["yarn", "llama3"])
def test_rope_under_its_older_names(kind: str, scaling: dict[str, float], tmp_path: Path) -> None:
    parameters = scaling | {"rope_type": kind, "rope_theta": 50_000.0}
    wanted = expected(tiny.make("llama", tmp_path, rope_parameters=parameters, max_position_embeddings=64))
    config = json.loads((tmp_path / "config.json").read_text())
    del config["rope_parameters"]
    config |= {"rope_theta": 50_000.0, "rope_scaling": scaling | {"type": kind}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert error(logits(backend_of(tmp_path, "torch"), [17, 24]), wanted) < 1e-4


def test_sharded_pickles(tmp_path: Path) -> None:
    wanted = expected(tiny.make("codegen", tmp_path))
    tensors = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    places = {name: f"pytorch_model-{i % 2 + 1:05d}-of-00002.bin" for i, name in enumerate(tensors)}
    for file in set(places.values()):
        torch.save({name: tensor for name, tensor in tensors.items() if places[name] == file}, tmp_path / file)
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    assert error(logits(backend_of(tmp_path, "torch"), [41]), wanted) < 1e-4
