"""What all tests share. This file being here also puts tests/ on the path: `from support.real import real_model`."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from support import real

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

if path := os.environ.get("LONGRA_TEST_NATIVE"):  # another build of the kernels, as .ci/native makes one
    found = importlib.util.spec_from_file_location("longra._native", path)
    assert found is not None
    assert found.loader is not None
    sys.modules["longra._native"] = importlib.util.module_from_spec(found)
    found.loader.exec_module(sys.modules["longra._native"])


# How long an example takes is the machine's affair. Where CI is set, Hypothesis also tries the same examples every time.
settings.register_profile("longra", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("longra")


@pytest.fixture(scope="session", autouse=True)
def _no_home(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[None]":
    """Nor do fixtures that many tests share, which are made before a test's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGRA_HOME", str(tmp_path_factory.getbasetemp() / "longra-home"))
        patch.setenv("LONGRA_CACHE_DIR", "none")
        yield


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or touches the user's own store."""
    monkeypatch.setenv("LONGRA_HOME", str(tmp_path_factory.getbasetemp() / "longra-home"))
    monkeypatch.setenv("LONGRA_CACHE_DIR", "none")  # what one test has read is not to spare another its work


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


@pytest.fixture(scope="session")
def default_store(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which the default model is installed, by a reference to the tests' own copy."""
    from longra.library import default_model, install_named

    home = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGRA_HOME", str(home))
        install_named(str(smollm2), default_model(), progress=False)
    return home


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Chrome]":
    """One browser for all tests of a worker; each opens a page of its own."""
    from support.browser import chromium

    with chromium(tmp_path_factory.mktemp("profile")) as made:
        yield made
