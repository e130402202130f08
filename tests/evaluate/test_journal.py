"""A file of rows outlives a kill, and does not mix runs."""

from pathlib import Path

import pytest

from longra.errors import LongraError, UsageError
from longra.evaluate.journal import Journal

RUN = {"model": "m", "stop": ("a", "b")}


def test_rows_come_back(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    with Journal(file, RUN) as journal:
        assert journal.rows == []
        journal.add({"text": "你好\n"})
    with Journal(file, RUN) as journal:
        assert journal.rows == [{"text": "你好\n"}]
        journal.add({"text": "2"})
    with Journal(file, RUN) as journal:
        assert len(journal.rows) == 2


def test_a_torn_line_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    with Journal(file, RUN) as journal:
        journal.add({"text": "1"})
        journal.add({"text": "2"})
    whole = file.read_bytes()
    for cut in range(1, len(whole) - whole.index(b"\n")):
        file.write_bytes(whole[:-cut])
        with Journal(file, RUN) as journal:
            assert journal.rows == [{"text": "1"}]
            journal.add({"text": "2"})
        assert file.read_bytes() == whole


def test_another_run_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    with Journal(file, RUN) as journal:
        journal.add({})
    before = file.read_bytes()
    with pytest.raises(UsageError, match="whose model is 'm' and not 'n'; give another --output"):
        Journal(file, RUN | {"model": "n"})
    assert file.read_bytes() == before


def test_other_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    for content in ('{"a": 1}\n', "text\n", "[]\n"):
        file.write_text(content)
        with pytest.raises(LongraError, match="line 1"):
            Journal(file, RUN)
        assert file.read_text() == content
    with pytest.raises(LongraError, match="cannot write"):
        Journal(tmp_path / "none" / "rows.jsonl", RUN)


def test_nothing_is_kept_without_a_file() -> None:
    with Journal(None, RUN) as journal:
        journal.add({})
        assert journal.rows == []
