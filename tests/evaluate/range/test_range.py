"""The questions of a grid, how they are made to fit, and how they are drawn."""

import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longra import Model, load
from longra.errors import LongraError, UsageError
from longra.evaluate.begun import begun_ids
from longra.evaluate.range.cells import Cell, Finding, from_row, grid, mean
from longra.evaluate.range.page import range_page
from longra.evaluate.range.picture import picture
from longra.evaluate.range.run import ask, check_room, fitted, found_in
from longra.evaluate.range.tasks import NOISE, TASKS
from longra.evaluate.range.words import load_words

WORDS = load_words()


@pytest.fixture(scope="module")
def model(smollm2: Path) -> Model:
    return load(smollm2, threads=1, cache_dir="none")


@given(st.integers(1, 200), st.floats(0, 1), st.integers(0, 10))
@settings(max_examples=50)
def test_a_needle_lies_at_its_depth(size: int, depth: float, sample: int) -> None:
    cell = Cell("needle", 1000, depth, sample, 0)
    question = TASKS["needle"].question(size, cell, WORDS)
    lines = question.text.split("\n")[1:-1]
    at = next(i for i, line in enumerate(lines) if line != NOISE)
    assert at == round(depth * size)
    assert question.answers[0] in lines[at]
    assert len(lines) == size + 1
    assert TASKS["needle"].question(size + 1, cell, WORDS).answers == question.answers


def test_of_four_keys_one_is_asked_for() -> None:
    question = TASKS["multikey"].question(50, Cell("multikey", 1000, 0.5, 0, 0), WORDS)
    needles = [line for line in question.text.split("\n")[1:-1] if line != NOISE]
    assert len(needles) == 4
    key = question.beginning.split(" for ")[1].split(" mentioned")[0]
    assert [question.answers[0] in line for line in needles if f" {key} " in line] == [True]


def test_variables_are_assigned_from_one_another() -> None:
    question = TASKS["variables"].question(50, Cell("variables", 1000, None, 0, 0), WORDS)
    text = question.text.rpartition("Memorize")[2]
    lines = [line.strip() for line in text.split("\n") if line.startswith("VAR ")]
    first, *others = question.answers
    value = lines[0].split(" = ")[1]
    assert lines == [f"VAR {first} = {value}", *(f"VAR {b} = VAR {a}" for a, b in pairwise([first, *others]))]
    assert f"assigned the value {value}" in text


@pytest.mark.parametrize(("length", "often", "seldom"), [(1000, 6, 1), (4096, 30, 3)])
def test_the_common_words_are_the_answer(length: int, often: int, seldom: int) -> None:
    question = TASKS["words"].question(40, Cell("words", length, None, 0, 0), WORDS)
    listed = question.text.rpartition("Below is")[2].split("\n")[1]
    words = [part.split(" ", 1)[1] for part in (f"x. {w}" for w in listed.split(". ")[1:])]
    words = [word.rsplit(" ", 1)[0] if word.rsplit(" ", 1)[-1].isdigit() else word for word in words]
    counts = {word: words.count(word) for word in set(words)}
    assert {word for word, count in counts.items() if count == often} == set(question.answers)
    assert sorted(counts.values()) == [seldom] * 40 + [often] * 10


@pytest.mark.parametrize("task", TASKS)
def test_a_question_fills_its_length_and_no_more(model: Model, task: str) -> None:
    cell = Cell(task, 1500, 0.5, 0, 0)
    question, ids = fitted(model, cell, WORDS, chat=True)
    assert ids == begun_ids(model, question.text, question.beginning, chat=True)
    room = cell.length - TASKS[task].new_tokens
    assert room - 60 < len(ids) <= room
    shown = model.tokenizer.decode(ids, skip_special=False)
    assert shown.endswith(question.beginning.lstrip())
    assert shown.count("<|im_start|>assistant") == 1


def test_a_length_without_room(model: Model) -> None:
    with pytest.raises(
        UsageError, match=r"^100 tokens are too few for needle, which takes [34]\d\d; give larger --len"
    ):
        check_room(model, [Cell("needle", 1000, 0.5, 0, 0), Cell("needle", 100, 0.5, 0, 0)], WORDS, chat=True)


def test_a_length_that_the_model_does_not_hold(model: Model) -> None:
    message = r"^9,000 tokens are more than .* holds, 8,192; give smaller --lengths, or --context 9000 to stretch it$"
    with pytest.raises(UsageError, match=message):
        check_room(model, [Cell("needle", 9000, 0.5, 0, 0)], WORDS, chat=True)


def test_too_few_words(model: Model) -> None:
    few = type(WORDS)(WORDS.plain[:60], WORDS.adjectives, WORDS.nouns)
    with pytest.raises(UsageError, match="not enough words for words at 3,000 tokens"):
        fitted(model, Cell("words", 3000, None, 0, 0), few, chat=True)


def test_a_model_is_asked_and_heard(model: Model) -> None:
    cells = grid({"needle": True}, [400], depths=2, samples=1, seed=0)
    findings = list(ask(model, cells, WORDS, chat=True))
    assert [finding.cell for finding in findings] == cells
    assert all(finding.score == found_in(finding.said, finding.expected) for finding in findings)
    assert all(finding.tokens <= 400 - 128 for finding in findings)
    assert [finding.cached > 0 for finding in findings] == [False, True]  # both begin with the same noise
    assert sum(finding.score for finding in findings) >= 1  # 270 tokens are no trouble even for a small one


def test_the_grid_is_in_an_order_that_shares_beginnings() -> None:
    cells = grid({"needle": True, "words": False}, [2000, 1000], depths=3, samples=1, seed=0)
    assert [(cell.length, cell.task, cell.depth) for cell in cells[:4]] == [
        (1000, "needle", 1.0),
        (1000, "needle", 0.5),
        (1000, "needle", 0.0),
        (1000, "words", None),
    ]
    assert len(cells) == len(set(cells)) == 8


def findings() -> list[Finding]:
    cells = grid({"needle": True, "words": False}, [1000, 2000], depths=2, samples=2, seed=0)
    return [Finding(cell, float(cell.sample), ("x",), "<said> & done", 900, 0) for cell in cells]


def test_means() -> None:
    assert mean(findings(), "needle", 1000) == 0.5
    assert mean(findings(), "needle", 1000, 0.0) == 0.5
    assert mean(findings(), "needle", 3000) is None


def test_rows_come_back() -> None:
    for finding in findings():
        assert from_row(finding.as_row()) == finding
    with pytest.raises(LongraError, match="no answer of a grid"):
        from_row({"task": "needle"})


def test_the_picture_has_a_cell_for_each_place() -> None:
    drawn = ET.fromstring(picture(findings(), "a <model>"))
    titles = [title.text for title in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "a <model>: what it finds, by length and depth"
    assert titles[1] == "needle, 1,000 tokens, 0% deep: 50%"
    assert len(titles) == 1 + 4 + 2


def test_the_page_shows_what_was_missed() -> None:
    page = range_page(findings(), {"model": "m", "seed": 0})
    assert "Missed: 6 of 12" in page
    assert "&lt;said&gt; &amp; done" in page
