"""What the tests of the command share."""

from pathlib import Path

import pytest


@pytest.fixture
def default_installed(default_store: Path, _own_home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command finds the default model."""
    monkeypatch.setenv("LONGRA_HOME", str(default_store))
    monkeypatch.delenv("NO_COLOR", raising=False)
