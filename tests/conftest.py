"""What all tests share. This file being here also puts tests/ on the path: `from support.real import real_model`."""

from pathlib import Path

import pytest

from support import real


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or touches the user's own store."""
    monkeypatch.setenv("LONGRA_HOME", str(tmp_path_factory.getbasetemp() / "longra-home"))


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """SmolLM2-135M-Instruct, GGUF Q4_1, 98 MB: the default model."""
    return real.real_model("smollm2")


@pytest.fixture(scope="session")
def qwen() -> Path:
    """Qwen2.5-Coder-0.5B-Instruct, GGUF Q4_K_M, 491 MB."""
    return real.real_model("qwen")


@pytest.fixture(scope="session")
def gemma() -> Path:
    """Gemma 3 270M, GGUF Q4_K_M, 253 MB."""
    return real.real_model("gemma")
