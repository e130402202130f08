"""A long text by itself: each measure against its definition, and curves that show where a text decays."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU

from longra.errors import LongraError
from longra.evaluate.document.length import length_score
from longra.evaluate.document.measure import Report, measure_text
from longra.evaluate.document.parts import Parts
from longra.evaluate.document.repetition import compression_ratio, distinct, rep
from longra.evaluate.document.self_bleu import self_bleu
from longra.text.units import count

SYLLABLES = [a + b for a in "bdfgklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "or")]
VOCABULARY = [first + second for first in SYLLABLES for second in SYLLABLES[:40]]
HANZI = [chr(0x4E00 + 7 * i) for i in range(600)]


def prose(words: int, seed: int = 0, vocabulary: list[str] = VOCABULARY) -> str:
    """Sentences of words drawn from a vocabulary, in paragraphs."""
    rng = random.Random(seed)
    text = ""
    for number in range(words // 10):
        text += " ".join(rng.choices(vocabulary, k=10)).capitalize() + (".\n\n" if number % 8 == 7 else ". ")
    return text.rstrip()


def curve(report: Report, name: str) -> tuple[float, ...]:
    return next(measure.curve for measure in report.measures if measure.name == name)


def flagged(report: Report) -> dict[str, tuple[int, ...]]:
    return {flag.measure: flag.windows for flag in report.flags}


@pytest.mark.parametrize(
    ("required", "written", "score"),
    [
        (1000, 1000, 100),
        (1000, 2000, 100 * (1 - 1 / 3)),
        (1000, 4000, 0),
        (1000, 9000, 0),
        (1000, 500, 50),
        (900, 300, 0),
        (1000, 800, 87.5),
        (1000, 1, 0),
        (1000, 0, 0),
        (1, 1, 100),
    ],
)
def test_s_l_is_that_of_the_paper(required: int, written: int, score: float) -> None:
    assert length_score(required, written) == pytest.approx(score)


@given(st.integers(1, 20_000), st.integers(0, 90_000))
def test_s_l_is_between_0_and_100_and_only_full_at_the_target(required: int, written: int) -> None:
    """Against the two branches as `eval_length.py` of LongBench-Write has them."""
    if written > required:
        expected = 100 * max(0, 1 - (written / required - 1) / 3)
    else:
        expected = 100 * max(0, 1 - (required / max(written, 1e-9) - 1) / 2)
    assert length_score(required, written) == pytest.approx(expected)
    assert (length_score(required, written) == 100) == (required == written)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("Don't stop: a well-known 3.14, or 1,000.", 7),
        ("今天下雨。", 4),
        ("我用 Python 3.11 写代码", 7),
        ("これはペンです", 7),
        ("한국어 문장", 2),
        ("हिन्दी में", 2),
        ("", 0),
        ("... — !", 0),
    ],
)
def test_lengths(text: str, units: int) -> None:
    assert count(text) == units


def test_repetition() -> None:
    tokens = list("ababac")
    assert rep(tokens, 2) == pytest.approx(1 - 3 / 5)  # ab ba ac of ab ba ab ba ac
    assert rep(tokens, 3) == pytest.approx(1 - 3 / 4)
    assert rep(tokens, 9) == 0
    assert distinct(tokens, 1) == pytest.approx(3 / 6)
    assert distinct(tokens, 2) == pytest.approx(3 / 6)
    assert distinct([], 1) == compression_ratio("") == 0
    assert compression_ratio("again and " * 100) > 10 > 3 > compression_ratio(prose(200))


@given(st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=12), min_size=2, max_size=5))
@settings(max_examples=150)
def test_self_bleu_is_sacrebleus_with_all_others_as_references(parts: list[list[str]]) -> None:
    metric = BLEU(tokenize="none", effective_order=True)
    joined = [" ".join(part) for part in parts]
    expected = [metric.sentence_score(text, joined[:i] + joined[i + 1 :]).score for i, text in enumerate(joined)]
    assert self_bleu(parts) == pytest.approx(expected, abs=1e-9)


def test_self_bleu_of_one_part() -> None:
    assert self_bleu([["a"]]) == [0.0]


@pytest.mark.parametrize("make", [prose, lambda n: "".join(random.Random(n).choices(HANZI, k=n)) + "。"])
def test_a_fresh_text_has_no_flags(make: Callable[[int], str]) -> None:
    report = measure_text(make(2000))
    assert report.flags == ()
    assert len(report.windows) == (8 if report.unit == "words" else 5)


def test_windows_cover_the_text() -> None:
    parts = Parts(prose(1380))
    assert [len(window.units) for window in parts.windows] == [250, 250, 250, 250, 250, 130]
    assert [unit for window in parts.windows for unit in window.units] == parts.units
    assert [len(window.units) for window in Parts(prose(1370)).windows] == [250, 250, 250, 250, 370]


def test_decay_shows_where_it_begins() -> None:
    """1,500 fresh words, then ever fewer different ones."""
    tail = [prose(250, seed, VOCABULARY[: 2 ** (6 - seed)]) for seed in range(1, 5)]
    report = measure_text("\n\n".join([prose(1500), *tail]))
    assert len(report.windows) == 10
    for name in ("rep_2", "rep_3", "rep_4", "compression_ratio"):
        values = curve(report, name)
        assert max(values[:6]) < min(values[7:]), name
    assert list(curve(report, "distinct_1")[5:]) == sorted(curve(report, "distinct_1")[5:], reverse=True)
    windows = flagged(report)
    assert windows["distinct_1"] == (7, 8, 9, 10)
    assert min(windows["rep_4"]) > 7
    assert report.windows[6].line == prose(1500).count("\n") + 3


def test_a_page_said_again_is_found_by_self_bleu_and_not_by_its_own_repetition() -> None:
    page = prose(250, 3).replace("\n\n", " ")
    again = page.replace(". ", "; ")
    report = measure_text("\n\n".join([prose(500, 1), page, prose(500, 2), again]))
    assert flagged(report)["self_bleu"] == (3, 6)
    assert "rep_4" not in flagged(report)
    assert curve(report, "self_bleu")[2] > 90


def test_self_bleu_between_sections() -> None:
    one, two = prose(150, 1), prose(150, 2)
    different = measure_text(f"# A\n\n{one}\n\n# B\n\n{two}\n")
    same = measure_text(f"# A\n\n{one}\n\n# B\n\n{one}\n")
    assert (different.sections, same.sections) == (2, 2)
    whole = {report: next(m.whole for m in report.measures if m.name == "self_bleu") for report in (different, same)}
    assert whole[different] < 5 < 90 < whole[same]


def test_a_loop_at_the_end_and_a_paragraph_said_twice() -> None:
    looped = measure_text(prose(600) + "\n\nAnd so it goes on and on. " + "And so it goes on and on. " * 6)
    assert flagged(looped)["repeated"] == (3,)
    first = prose(80, 4)
    repeated = measure_text("\n\n".join([first, prose(480, 5), first]))
    assert flagged(repeated)["repeated"] == (3,)
    assert flagged(repeated).get("unfinished") is None


def test_unfinished_sentences_are_counted_where_they_are() -> None:
    cut = prose(240, 1) + " And then the\n\n" + prose(250, 2) + "\n\nThe rest is told as follows:\n\n- one\n- two\n\n"
    report = measure_text(cut + "# Title\n\n" + prose(260, 3) + " He went to the")
    assert [measure.whole for measure in report.measures if measure.name == "unfinished"] == [2.0]
    assert flagged(report)["unfinished"] == (1, 3)


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("今天下雨了。" * 200 + "\n\n" + prose(500), (3, 4)),
        (prose(500) + "\n\n" + "".join(random.Random(1).choices(HANZI, k=260)) + "。", (3,)),
        (prose(250) + " Мы пошли домой, и стало темно." * 25, (2,)),
        ("".join(f"我们用 Python 写了第{HANZI[i]}个程序。" for i in range(100)), None),
        ("私はペンを持っています。カタカナも使う。" * 40, None),
    ],
)
def test_mixed_scripts(text: str, windows: tuple[int, ...] | None) -> None:
    assert flagged(measure_text(text)).get("foreign_script") == windows


def test_code_is_left_out_and_said_so() -> None:
    code = "```python\n" + "x = x + 1\n" * 200 + "```"
    report = measure_text(f"{prose(300)}\n\n{code}\n\nThat is all of it.\n")
    assert report.code_characters == len(code)
    assert report.flags == ()
    assert report.length == 300 + len(["python"]) + 3 * 200 + 5


@pytest.mark.parametrize("text", ["", " \n", "...", "```\nonly code\n```\n"])
def test_nothing_to_measure(text: str) -> None:
    with pytest.raises(LongraError, match="no words"):
        measure_text(text)


def test_a_target_is_missed() -> None:
    report = measure_text(prose(300), target=1000)
    assert report.length_score == 0
    assert flagged(report)["length_score"] == ()
    assert measure_text(prose(300), target=310).flags == ()
