"""What the votes of a study say, on votes whose answer is known."""

import random
from collections.abc import Callable
from html import escape

import pytest

from longra.evaluate.human.items import Item
from longra.evaluate.human.study import Answer, Study, sides, tasks
from longra.evaluate.human.summary import Summary, summarise
from longra.evaluate.human.votes import Vote
from longra.evaluate.report.human import human_page
from longra.evaluate.report.human_sentences import notes, verdicts
from longra.evaluate.report.human_words import CHINESE, ENGLISH

PAIRS = Study("pairwise", ("a", "b", "c"), (), 1)
RATING = Study("rating", ("a", "b"), ("fluency", "韵味"), 1)


def judged(study: Study, items: int, answers: dict[str, Callable[[str, tuple[str, ...]], Answer]]) -> Summary:
    """What each rater answers, from an item's id and the systems shown."""
    asked = tasks(study, [Item(str(i), "", {}) for i in range(items)])
    votes = []
    for rater, answer in answers.items():
        for task in asked:
            shown = sides(study, task, rater)
            votes.append(Vote(rater, task.number, task.item.id, shown, answer(task.item.id, shown)))
    return summarise(study, len(asked), votes)


def prefers(*order: str) -> Callable[[str, tuple[str, ...]], Answer]:
    """Somebody who always takes the one that comes first in an order."""
    return lambda _, shown: "left" if order.index(shown[0]) < order.index(shown[1]) else "right"


def test_one_mind() -> None:
    found = judged(PAIRS, 30, {"Ann": prefers("c", "a", "b"), "Bo": prefers("c", "a", "b")})
    assert [(row.system, row.wins, row.losses) for row in found.standings] == [
        ("c", 120, 0),
        ("a", 60, 60),
        ("b", 0, 120),
    ]
    assert [row.win_rate and row.win_rate.value for row in found.standings] == [1.0, 0.5, 0.0]
    assert [row.score and round(row.score.value) for row in found.standings] == [714, 0, -714]
    assert [(pair.first, pair.second, pair.first_better) for pair in found.pairs] == [
        ("a", "b", 60),
        ("a", "c", 0),
        ("b", "c", 0),
    ]
    assert found.agreement[0].alpha is not None
    assert found.agreement[0].alpha.value == 1
    assert [(couple.same, couple.kappa) for couple in found.couples] == [(1.0, 1.0)]
    assert [(rater.votes, rater.agrees) for rater in found.raters] == [(90, 1.0), (90, 1.0)]
    assert found.left == pytest.approx(0.5, abs=0.1)
    assert (found.items, found.votes, found.questions) == (30, 180, 90)
    assert notes(found, ENGLISH) == []
    assert verdicts(found, ENGLISH)[0] == (
        "a beats b with 100.0 % of the votes; the interval, 100.0 % to 100.0 %, is above 50 %, so it is hardly chance."
    )
    few = judged(PAIRS, 5, {"Ann": prefers("c", "a", "b"), "Bo": prefers("c", "a", "b")})
    assert "nobody can say how much of that is chance" in verdicts(few, ENGLISH)[0]


def test_ties_are_half_and_both_bad_apart() -> None:
    def answer(item: str, shown: tuple[str, ...]) -> Answer:
        if "c" in shown:
            return "both_bad"
        return "tie" if item in "01" else prefers("a", "b")(item, shown)

    found = judged(PAIRS, 4, {"Ann": answer})
    a, b, c = found.standings
    assert (a.system, a.votes, a.wins, a.ties, a.both_bad) == ("a", 8, 2, 2, 4)
    assert a.win_rate is not None
    assert (a.win_rate.value, b.win_rate and b.win_rate.value, c.win_rate, c.score) == (0.75, 0.25, None, None)
    assert a.score is not None
    assert a.score.value == pytest.approx(200 * 0.36798, abs=0.1)  # log10((3 + 1/2) / (1 + 1/2)) for both together
    assert found.pairs[1].win_rate is None
    assert verdicts(found, ENGLISH)[1] == "a and c: every vote found both bad."
    assert found.left in (0.0, 0.5, 1.0)


def test_those_who_click_at_random() -> None:
    def clicks(seed: int) -> Callable[[str, tuple[str, ...]], Answer]:
        rng = random.Random(seed)
        return lambda *_: rng.choice(["left", "right"])

    def taste(item: str, shown: tuple[str, ...]) -> Answer:
        return prefers(*random.Random(item).sample("abc", 3))(item, shown)

    found = judged(PAIRS, 60, {"Ann": taste, "Bo": taste, "Cy": clicks(1)})
    agrees = {rater.name: rater.agrees for rater in found.raters}
    assert agrees["Ann"] == agrees["Bo"] == 1.0
    assert agrees["Cy"] == pytest.approx(0.5, abs=0.1)
    kappas = {(couple.first, couple.second): couple.kappa for couple in found.couples}
    assert kappas["Ann", "Bo"] == 1
    assert kappas["Ann", "Cy"] == pytest.approx(0, abs=0.15)
    nobody = judged(PAIRS, 60, {"Ann": clicks(1), "Bo": clicks(2)})
    assert nobody.agreement[0].alpha is not None
    assert nobody.agreement[0].alpha.low is not None
    assert nobody.agreement[0].alpha.high is not None
    assert nobody.agreement[0].alpha.low < 0 < nobody.agreement[0].alpha.high
    assert all("holds 50 %" in verdict for verdict in verdicts(nobody, ENGLISH))


def test_somebody_who_always_takes_the_left() -> None:
    found = judged(PAIRS, 30, {"Ann": lambda *_: "left"})
    assert found.left == 1.0
    assert all(pair.first_better == pair.second_better == 15 for pair in found.pairs)


def test_ratings() -> None:
    def generous(item: str, shown: tuple[str, ...]) -> Answer:
        return {"fluency": 5 if shown == ("a",) else 3, "韵味": 2 + int(item) % 2}

    def strict(item: str, shown: tuple[str, ...]) -> Answer:
        return {"fluency": 4 if shown == ("a",) else 2, "韵味": 2 + int(item) % 2}

    found = judged(RATING, 10, {"Ann": generous, "Bo": strict})
    assert [(row.criterion, row.system, row.votes, row.mean.value) for row in found.rated] == [
        ("fluency", "a", 20, 4.5),
        ("fluency", "b", 20, 2.5),
        ("韵味", "a", 20, 2.5),
        ("韵味", "b", 20, 2.5),
    ]
    assert (found.rated[0].mean.low, found.rated[0].mean.high) == (None, None)  # ten items all alike
    assert [row.alpha is not None and row.alpha.value == 1 for row in found.agreement] == [False, True]
    assert [(rater.distance, rater.leaning) for rater in found.raters] == [(0.5, 0.5), (0.5, -0.5)]
    assert (found.left, found.standings, found.pairs) == (None, [], [])


def test_little_is_said_to_be_little() -> None:
    found = judged(PAIRS, 1, {"李雷": prefers("a", "b", "c")})
    assert found.pairs[0].win_rate is not None
    assert found.pairs[0].win_rate.low is None
    assert verdicts(found, CHINESE)[0] == "a 与 b 相比，得票率 100.0 %；票数太少，无法判断有多少出于偶然。"
    assert "1 item judged is few: all intervals are rough" in notes(found, ENGLISH)[0]
    assert notes(found, ENGLISH)[1].startswith("One person has judged")
    partly = summarise(PAIRS, 3, [Vote("Ann", 0, "0", ("a", "b"), "left")])
    assert notes(partly, ENGLISH)[-1] == "Ann has judged 1 of 3."
    assert notes(partly, CHINESE)[-1] == "Ann 评了 3 题中的 1 题。"


def test_the_words_of_both_languages_fit_each_other() -> None:
    def holes(text: str) -> list[str]:
        return sorted(part.partition("}")[0] for part in text.split("{")[1:])

    assert {name: holes(text) for name, text in ENGLISH.items()} == {
        name: holes(text) for name, text in CHINESE.items()
    }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_holds_everything_and_runs_nothing(language: str) -> None:
    study = Study("pairwise", ("<script>alert(1)</script>", "b & b", "c"), (), 1)
    found = judged(study, 5, {"<i>Ann</i>": lambda *_: "left", "Bo": lambda *_: "tie"})
    page = human_page(found, "zh" if language == "zh" else "en")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "b &amp; b" in page
    assert "&lt;i&gt;Ann&lt;/i&gt;" in page
    assert not any(mark in page for mark in ("<script", "http:", "https:", "src=", "<i>"))
    assert page.count("<figure>") == 2
    assert f'<html lang="{language}">' in page
    assert escape(verdicts(found, CHINESE if language == "zh" else ENGLISH)[0]) in page


def test_the_page_of_ratings_names_criteria_as_raters_saw_them() -> None:
    found = judged(RATING, 5, {"Ann": lambda *_: {"fluency": 5, "韵味": 1}})
    page = human_page(found, "zh")
    assert "流畅" in page
    assert "韵味" in page
    assert page.count("<figure>") == 2
    assert "Fluency" in human_page(found, "en")
