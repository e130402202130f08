"""A store of its own, a hub of its own and no patience for every test here."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from longra.library import http
from support.hub import Hub, serve
from support.weights import gguf


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store; and nothing of the user's accounts and proxies."""
    folder = tmp_path / "home"
    monkeypatch.setenv("LONGRA_HOME", str(folder))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "hf" / "token"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.01)
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_ENDPOINT", "MODELSCOPE_API_TOKEN", "MODELSCOPE_DOMAIN"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with a model in every form that hubs carry."""
    hub = Hub(
        repositories={
            "org/folder": folder_model(),
            "org/quantised": {"tiny.Q4_0.gguf": gguf(1), "tiny.Q8_0.gguf": gguf(2), "README.md": b"# tiny"},
        },
        files={"tiny.gguf": gguf(3), "page.gguf": b"<!DOCTYPE html>" + bytes(5000)},
    )
    with serve(hub):
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", hub.url)
        yield hub


def folder_model() -> dict[str, bytes]:
    """A repository with one model in many forms: only config, tokenizer and safetensors are wanted."""
    noise = random.Random(9)
    names = ("pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "onnx/model.onnx", "consolidated.safetensors")
    return {
        "config.json": b'{"model_type": "llama", "max_position_embeddings": 2048}',
        "tokenizer.json": b'{"model": {}}' + b" " * 3000,
        "tokenizer_config.json": b"{}",
        "README.md": b"# model",
        "LICENSE": b"Apache",
        "model.safetensors": noise.randbytes(200_000),
        **{name: noise.randbytes(2000) for name in names},
    }
