"""A store in which the default model is installed, by a reference to the tests' own copy."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def default_store(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from longra.library import default_model, install_named

    home = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGRA_HOME", str(home))
        install_named(str(smollm2), default_model(), progress=False)
    return home


@pytest.fixture
def default_installed(default_store: Path, _own_home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGRA_HOME", str(default_store))
    monkeypatch.delenv("NO_COLOR", raising=False)
