"""What people's votes say, on a terminal, as CSV and as JSON."""

import csv
import io
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from longra.cli.shared import console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from longra.evaluate.human.figures import Figure
    from longra.evaluate.human.summary import Summary

CSV_HEADER = ("figure", "question", "name", "other", "value", "low", "high", "votes")


def as_text(found: "Summary") -> str:
    """Tables, one for each subject."""
    from longra.evaluate.report.human_sentences import head, percent, verdicts
    from longra.evaluate.report.human_words import ENGLISH

    parts = [head(found, ENGLISH), _rated(found) if found.rated else _standings(found)]
    if found.pairs:
        parts.append("\n".join(verdicts(found, ENGLISH)))
    if len(found.raters) > 1:
        parts += [_agreement(found), _raters(found)]
    if found.left is not None:
        parts.append(f"Of the votes for one side {percent(found.left)} went to the left one.")
    return "\n\n".join(parts)


def as_json(found: "Summary", notes: list[str]) -> dict[str, Any]:
    """One object with stable keys."""
    facts = asdict(found)
    study: dict[str, Any] = facts.pop("study")
    return study | facts | {"notes": notes}


def as_csv(found: "Summary") -> str:
    """One figure a line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    writer.writerows(_lines(found))
    return out.getvalue()


def _standings(found: "Summary") -> str:
    header = ("SYSTEM", "VOTES", "BETTER", "WORSE", "EQUAL", "BOTH BAD", "WIN RATE", "95 %", "SCORE", "95 %")
    rows = [
        (
            row.system,
            *map("{:,}".format, (row.votes, row.wins, row.losses, row.ties, row.both_bad)),
            *_with_interval(row.win_rate, ".1%"),
            *_with_interval(row.score, "+.0f"),
        )
        for row in found.standings
    ]
    return console.table(header, rows, right=frozenset(range(1, len(header))))


def _rated(found: "Summary") -> str:
    rows = [(row.criterion, row.system, f"{row.votes:,}", *_with_interval(row.mean, ".2f")) for row in found.rated]
    return console.table(("CRITERION", "SYSTEM", "VOTES", "MEAN", "95 %"), rows, right=frozenset({2, 3, 4}))


def _agreement(found: "Summary") -> str:
    rows = [
        ("all", row.question, f"{row.units:,}", "", "alpha", *_with_interval(row.alpha, ".2f"))
        for row in found.agreement
    ]
    rows += [
        (
            *(f"{row.first}, {row.second}", row.question, f"{row.units:,}", _number(row.same, ".1%"), "kappa"),
            *(_number(row.kappa, ".2f"), ""),
        )
        for row in found.couples
    ]
    header = ("AGREEMENT OF", "ON", "JUDGED", "SAME", "BEYOND CHANCE", "", "95 %")
    return console.table(header, rows, right=frozenset({2, 3, 5, 6}))


def _raters(found: "Summary") -> str:
    if found.rated:
        header: tuple[str, ...] = ("RATER", "VOTES", "COMPARED", "FROM OTHERS", "HIGHER BY")
        columns: list[tuple[str, ...]] = [
            (_number(row.distance, ".2f"), _number(row.leaning, "+.2f")) for row in found.raters
        ]
    else:
        header = ("RATER", "VOTES", "COMPARED", "AS MOST OTHERS")
        columns = [(_number(row.agrees, ".1%"),) for row in found.raters]
    rows = [
        (row.name, f"{row.votes:,}", f"{row.compared:,}", *cells)
        for row, cells in zip(found.raters, columns, strict=True)
    ]
    return console.table(header, rows, right=frozenset(range(1, len(header))))


def _lines(found: "Summary") -> "Iterator[tuple[object, ...]]":
    for standing in found.standings:
        for name in ("wins", "losses", "ties", "both_bad"):
            yield (name, "preference", standing.system, "", getattr(standing, name), "", "", standing.votes)
        yield _line("win_rate", "preference", standing.system, "", standing.win_rate, standing.votes)
        yield _line("score", "preference", standing.system, "", standing.score, standing.votes)
    for pair in found.pairs:
        yield _line("win_rate", "preference", pair.first, pair.second, pair.win_rate, pair.votes)
    for rated in found.rated:
        yield _line("mean", rated.criterion, rated.system, "", rated.mean, rated.votes)
    for agreement in found.agreement:
        yield _line("alpha", agreement.question, "", "", agreement.alpha, agreement.units)
    for couple in found.couples:
        yield ("same", couple.question, couple.first, couple.second, couple.same, "", "", couple.units)
        yield ("kappa", couple.question, couple.first, couple.second, couple.kappa, "", "", couple.units)
    for rater in found.raters:
        for name in ("agrees", "distance", "leaning"):
            if (value := getattr(rater, name)) is not None:
                yield (name, "", rater.name, "", value, "", "", rater.compared)
    if found.left is not None:
        yield ("left", "", "", "", found.left, "", "", found.votes)


def _line(kind: str, question: str, name: str, other: str, figure: "Figure | None", votes: int) -> tuple[object, ...]:
    values = ("", "", "") if figure is None else (figure.value, figure.low, figure.high)
    return (kind, question, name, other, *values, votes)


def _with_interval(figure: "Figure | None", form: str) -> tuple[str, str]:
    """A figure, and from where to where."""
    if figure is None or figure.low is None or figure.high is None:
        return _number(None if figure is None else figure.value, form), ""
    return _number(
        figure.value, form
    ), f"{_number(figure.low, form).removesuffix(' %')} to {_number(figure.high, form)}"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}".replace("%", " %")
