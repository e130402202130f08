"""The page of people's judgements: every figure with a sentence that says what it means."""

import json
from collections.abc import Sequence
from importlib.resources import files
from itertools import groupby
from typing import Literal

from longra.evaluate.human.figures import Figure
from longra.evaluate.human.study import BEST, WORST
from longra.evaluate.human.summary import Summary
from longra.evaluate.report import page
from longra.evaluate.report.human_sentences import Words, head, notes, percent, verdicts
from longra.evaluate.report.human_words import CHINESE, ENGLISH
from longra.evaluate.report.ranges import ranges
from longra.evaluate.score import SAMPLES


def human_page(found: Summary, language: Literal["zh", "en"]) -> str:
    """The page."""
    words = _words(language)
    results = _rated(found, words) if found.rated else [*_standings(found, words), *_pairs(found, words)]
    parts = [
        page.paragraph(head(found, words), "faint"),
        *map(page.paragraph, verdicts(found, words)),
        *(page.paragraph(note, "bad") for note in notes(found, words)),
        *results,
        *_agreement(found, words),
        *_couples(found, words),
        *_raters(found, words),
        *_sides(found, words),
        page.paragraph(words["how"].format(samples=f"{SAMPLES:,}"), "faint"),
    ]
    return page.page(words["title"].format(systems=", ".join(found.study.systems)), parts, language)


def _words(language: Literal["zh", "en"]) -> Words:
    """The words, and those for well-known criteria, as raters saw them."""
    texts = files("longra.evaluate.human.page").joinpath("words.json").read_text(encoding="utf-8")
    criteria = {f"criterion {name}": title for name, (title, _) in json.loads(texts)[language]["criteria"].items()}
    return criteria | (CHINESE if language == "zh" else ENGLISH)


def _standings(found: Summary, words: Words) -> list[str]:
    rates = [(row.system, row.win_rate) for row in found.standings if row.win_rate is not None]
    names = ("system", "votes", "wins", "losses", "ties", "both_bad", "win_rate", "interval")
    rows = [
        (row.system, row.votes, row.wins, row.losses, row.ties, row.both_bad, *_share(row.win_rate))
        for row in found.standings
    ]
    return [
        page.heading(words["win_rate"]),
        page.paragraph(words["win_rate_means"]),
        *_drawn([(name, _hundredfold(rate)) for name, rate in rates], 0, 100, 50, words["plot"]),
        page.table([words[name] for name in names], rows),
        *_scores(found, words),
    ]


def _scores(found: Summary, words: Words) -> list[str]:
    scores = [(row.system, row.score) for row in found.standings if row.score is not None]
    if not scores:
        return [page.heading(words["score"]), page.paragraph(words["no_score"])]
    ends = [end for _, score in scores for end in (score.value, score.low, score.high) if end is not None]
    edge = 100 * -(-max(map(abs, ends)) // 100)
    return [
        page.heading(words["score"]),
        page.paragraph(words["score_means"]),
        *_drawn(scores, -edge, edge, 0, words["plot"]),
        page.table(
            [words[name] for name in ("system", "score", "interval")],
            [(name, f"{score.value:+.0f}", _range(score, "{:+.0f}")) for name, score in scores],
        ),
    ]


def _pairs(found: Summary, words: Words) -> list[str]:
    if len(found.pairs) < 2:
        return []
    names = ("first", "second", "votes", "wins", "losses", "ties", "both_bad", "win_rate", "interval")
    rows = [
        (
            *(row.first, row.second, row.votes, row.first_better, row.second_better, row.ties, row.both_bad),
            *_share(row.win_rate),
        )
        for row in found.pairs
    ]
    return [
        page.heading(words["pairs"]),
        page.paragraph(words["pairs_mean"]),
        page.table([words[name] for name in names], rows),
    ]


def _rated(found: Summary, words: Words) -> list[str]:
    parts = [page.heading(words["rated"]), page.paragraph(words["rated_mean"])]
    for criterion, group in groupby(found.rated, key=lambda row: row.criterion):
        rows = list(group)
        parts += _drawn(
            [(row.system, row.mean) for row in rows],
            WORST,
            BEST,
            None,
            f"{_question(criterion, words)}. {words['plot']}",
        )
    names = ("criterion", "system", "votes", "mean", "interval")
    table = [
        (_question(row.criterion, words), row.system, row.votes, row.mean.value, _range(row.mean, "{:.2f}"))
        for row in found.rated
    ]
    return [*parts, page.table([words[name] for name in names], table)]


def _agreement(found: Summary, words: Words) -> list[str]:
    if len(found.raters) < 2:
        return []
    names = ("question", "judged_by_two", "alpha", "interval")
    rows = [
        (_question(row.question, words), row.units, f"{row.alpha.value:.2f}", _range(row.alpha, "{:.2f}"))
        for row in found.agreement
        if row.alpha is not None
    ]
    return [
        page.heading(words["agreement"]),
        page.paragraph(words["alpha_means"]),
        page.table([words[name] for name in names], rows) if rows else page.paragraph(words["no_alpha"]),
    ]


def _couples(found: Summary, words: Words) -> list[str]:
    if not found.couples:
        return []
    rows = [
        (
            *(row.first, row.second, _question(row.question, words), row.units, percent(row.same)),
            "" if row.kappa is None else f"{row.kappa:.2f}",
        )
        for row in found.couples
    ]
    names = ("rater", "rater", "question", "judged_by_both", "same", "kappa")
    weighted = words["weighted"] if found.rated else ""
    return [
        page.paragraph(words["kappa_means"].format(weighted=weighted)),
        page.table([words[name] for name in names], rows),
    ]


def _raters(found: Summary, words: Words) -> list[str]:
    rated = bool(found.rated)
    header = ["rater", "votes", "compared", *(["distance", "leaning"] if rated else ["agrees"])]
    rows: list[tuple[page.Cell, ...]] = []
    for row in found.raters:
        if row.distance is not None and row.leaning is not None:
            rows.append((row.name, row.votes, row.compared, f"{row.distance:.2f}", f"{row.leaning:+.2f}"))
        elif row.agrees is not None:
            rows.append((row.name, row.votes, row.compared, percent(row.agrees)))
    if not rows:
        return []
    return [
        page.paragraph(words["each_rating" if rated else "each_pairwise"]),
        page.table([words[name] for name in header], rows),
    ]


def _sides(found: Summary, words: Words) -> list[str]:
    if found.left is None:
        return []
    return [page.heading(words["sides"]), page.paragraph(words["left"].format(share=percent(found.left)))]


def _drawn(
    rows: Sequence[tuple[str, Figure]], lowest: float, highest: float, middle: float | None, caption: str
) -> list[str]:
    return [ranges(rows, lowest, highest, middle, caption)] if rows else []


def _share(rate: Figure | None) -> tuple[str, str]:
    """A win rate and its interval in per cent."""
    return ("", "") if rate is None else (percent(rate.value), _range(_hundredfold(rate), "{:.1f}") + " %")


def _hundredfold(rate: Figure) -> Figure:
    if rate.low is None or rate.high is None:
        return Figure(100 * rate.value)
    return Figure(100 * rate.value, 100 * rate.low, 100 * rate.high)


def _range(figure: Figure, form: str) -> str:
    return "" if figure.low is None else f"{form.format(figure.low)} … {form.format(figure.high)}"


def _question(name: str, words: Words) -> str:
    return words.get(f"criterion {name.lower()}", name)
