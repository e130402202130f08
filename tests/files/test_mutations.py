"""A corpus of damaged files, made from whole ones: none crashes the reader, fills the memory or takes long."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from making import write_model_gguf
from safetensors.numpy import save_file

CONFIG = {
    "model_type": "llama",
    "hidden_size": 64,
    "rope_scaling": {"rope_type": "yarn", "factor": 4.0},
    "名": ["a", None],
}


def write_model(kind: str, folder: Path) -> Path:
    """A model's file with the names that real ones have; returns the file to damage."""
    (folder / "config.json").write_text(json.dumps(CONFIG))
    rng = np.random.default_rng(3)
    names = [f"model.layers.{layer}.self_attn.{part}_proj.weight" for layer in range(6) for part in "qkvo"]
    stored = {name: rng.normal(size=(8, 8)).astype(np.float16) for name in names}
    if kind == "gguf":
        write_model_gguf(folder / "model.gguf", tokens=120)
        return folder / "model.gguf"
    if kind in ("safetensors", "config"):
        save_file(stored, folder / "model.safetensors", {"format": "pt"})
        return folder / ("config.json" if kind == "config" else "model.safetensors")
    state = {name: torch.from_numpy(values) for name, values in stored.items()}
    torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=kind == "torch")
    return folder / "pytorch_model.bin"


@pytest.mark.parametrize(
    ("kind", "count"), [("gguf", 3000), ("safetensors", 1500), ("torch", 1500), ("legacy", 1500), ("config", 800)]
)
def test_damaged_files(kind: str, count: int, tmp_path: Path) -> None:
    whole, copies = tmp_path / "whole", tmp_path / "copies"
    whole.mkdir()
    model = write_model(kind, whole)
    shutil.copytree(whole, copies)
    run = subprocess.run(
        [sys.executable, Path(__file__).with_name("mutate.py"), model, copies, str(count)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    opened, refused = map(int, run.stdout.split())
    assert opened + refused == count
    assert refused > count // 3  # the damage does matter
    assert opened > 0
