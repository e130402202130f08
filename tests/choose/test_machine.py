"""What is measured of this machine, and kept."""

from pathlib import Path

import pytest

from longra.choose.machine import identity, this_machine, usable_memory
from longra.choose.measured import MeasuredSpeed, keep_bandwidth, keep_speeds, known_bandwidth, known_speeds
from longra.memory import total_memory


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LONGRA_HOME", str(tmp_path))
    return tmp_path


def test_this_machine() -> None:
    machine = this_machine()
    assert 1e9 < machine.bandwidth < 1e13
    assert 0 < machine.memory == usable_memory() < total_memory()
    assert known_bandwidth(identity()) == machine.bandwidth
    assert this_machine(memory=1e9).memory == 1e9


def test_the_best_bandwidth_so_far_is_kept() -> None:
    keep_bandwidth(identity(), 9e14)
    assert this_machine().bandwidth == 9e14
    keep_bandwidth(identity(), 1.0)
    assert this_machine().bandwidth > 1e9


def test_speeds_are_kept_beside_it_and_replaced() -> None:
    first = MeasuredSpeed("m", None, 32, 10.0, "2026-01-01")
    keep_bandwidth("here", 5.0)
    keep_speeds("here", [first, MeasuredSpeed("m", "q4", 32, 20.0, "2026-01-01")])
    keep_speeds("here", [MeasuredSpeed("m", None, 32, 11.0, "2026-02-01")])
    assert [speed.tokens_per_second for speed in known_speeds("here")] == [11.0, 20.0]
    assert known_bandwidth("here") == 5.0
    assert known_speeds("elsewhere") == []
    assert known_bandwidth("elsewhere") is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"machine": "here", "bandwidth": "fast", "speeds": [{"model": 1}]}'])
def test_a_damaged_file_is_as_none(home: Path, text: str) -> None:
    (home / "measured.json").write_text(text, encoding="utf-8")
    assert known_bandwidth("here") is None
    assert known_speeds("here") == []
    keep_bandwidth("here", 3.0)
    assert known_bandwidth("here") == 3.0


def test_a_store_that_cannot_be_written_keeps_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("LONGRA_HOME", str(home / "file" / "store"))
    keep_bandwidth("here", 3.0)
    assert known_bandwidth("here") is None
