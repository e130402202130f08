"""Outputs of several systems are matched, and what does not match is named."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from longra.errors import LongraError, UsageError
from longra.evaluate.human.items import Fields, Item, read_outputs


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, *rows: Any) -> str:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return name


def rows(*ids: Any, text: str = "t") -> list[dict[str, Any]]:
    return [{"id": id_, "prompt": f"p{id_}", "text": f"{text}{id_}"} for id_ in ids]


def test_by_id_whatever_the_order_and_kind() -> None:
    found = read_outputs([write("a.jsonl", *rows(1, 2)), write("b.jsonl", *rows("2", "1", text="u"))], Fields())
    assert found.systems == ("a", "b")
    assert found.items == (
        Item("1", "p1", {"a": "t1", "b": "u1"}),
        Item("2", "p2", {"a": "t2", "b": "u2"}),
    )
    assert found.notes == ()


def test_by_order_where_there_are_no_ids() -> None:
    """As `longra generate --json` prints them, one line after another."""
    a = write("a.jsonl", {"text": "x", "seed": 1}, {"text": "y", "seed": 1})
    b = write("b.jsonl", {"text": "u", "prompt": "Why?"}, {"text": "", "prompt": None})
    found = read_outputs([a, b], Fields())
    assert found.items == (Item("1", "Why?", {"a": "x", "b": "u"}), Item("2", "", {"a": "y", "b": ""}))


def test_fields_have_other_names() -> None:
    a = write("a.jsonl", {"key": 7, "question": "Q", "answer": "x"})
    b = write("b.jsonl", {"key": 7, "question": "Q", "text": "y"})
    found = read_outputs([f"{a}:answer", b], Fields(id="key", prompt="question"))
    assert found.items == (Item("7", "Q", {"a": "x", "b": "y"}),)


def test_files_of_one_name_are_told_apart() -> None:
    sources = [write("old/out.jsonl", *rows(1)), write("new/out.jsonl", *rows(1))]
    assert read_outputs(sources, Fields()).systems == ("old/out.jsonl", "new/out.jsonl")


def test_what_only_some_have_is_named() -> None:
    sources = [write("a.jsonl", *rows(*range(20))), write("b.jsonl", *rows(*range(12, 21)))]
    found = read_outputs(sources, Fields())
    assert [item.id for item in found.items] == [str(number) for number in range(12, 20)]
    assert found.notes == (
        "a lacks 1 of 21 items, which are left out: 20",
        "b lacks 12 of 21 items, which are left out: 0, 1, 2, 3, 4 and 7 more",
    )


def test_several_texts_of_a_prompt_are_named() -> None:
    line = {"text": "x", "sequences": [{"text": "x"}, {"text": "y"}]}
    found = read_outputs([write("a.jsonl", line, {"text": "z"})], Fields())
    assert found.notes == ("a.jsonl: 1 of 2 lines hold several texts; the first of each is judged",)


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (
            rows(1),
            [{"id": 1, "prompt": "another", "text": "x"}],
            "item 1 has another prompt in b ('another') than in a ('p1')",
        ),
        (rows(1), [*rows(1), *rows("1")], "b.jsonl, line 2: the id '1' was on line 1 already"),
        (rows(1), [*rows(1), {"text": "x"}], "b.jsonl, line 2: some lines have a field 'id' and some do not"),
        (rows(1), [{"text": "x"}], "b has no ids and a has"),
        (rows(1), rows(2), "no item is in all of a, b"),
        ([{"text": "x"}], [{"text": "x"}] * 2, "b has 2 lines and a has 1"),
        (rows(1), [{"id": 1, "output": "x"}], "b.jsonl, line 1 has no field 'text'; it has id, output"),
        (rows(1), [{"id": 1, "text": None}], "the field 'text' is null, not a text"),
        (rows(1), [{"id": 1, "prompt": ["x"], "text": "x"}], "the field 'prompt' is a list, not a text"),
        (rows(1), [{"id": True, "text": "x"}], "the id is true or false"),
        (rows(1), [{"id": 1, "text": "\ud83d"}], "b.jsonl, line 1 has half a character"),
        (rows(1), [{"id": "\ud83d", "text": "x"}], "b.jsonl, line 1 has half a character"),
        (rows(1), ["text"], "b.jsonl, line 1 is a text, not an object"),
        (rows(1), [], "b.jsonl is empty"),
    ],
)
def test_errors(first: Sequence[Any], second: Sequence[Any], says: str) -> None:
    with pytest.raises(LongraError) as caught:
        read_outputs([write("a.jsonl", *first), write("b.jsonl", *second)], Fields())
    assert says in str(caught.value)


def test_a_file_twice() -> None:
    with pytest.raises(UsageError, match="named twice"):
        read_outputs([write("a.jsonl", *rows(1)), "a.jsonl"], Fields())
