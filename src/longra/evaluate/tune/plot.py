"""Diversity against likelihood and against repetition, a point for each cell, as an SVG drawing."""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from longra.evaluate.svg import drawing, round_step, rule
from longra.evaluate.tune.figures import Measured

_STYLE = """
svg .beyond { fill: var(--paper); stroke: var(--limit); stroke-width: 2; }
svg .suggested { fill: none; stroke: var(--curve); stroke-width: 1.5; }
svg .of-limit { fill: var(--limit); }
"""
_WIDTH, _HEIGHT = 760, 420
_TOP, _BOTTOM = 84, 352
_PANELS = ((64, 380), (424, 740))
_LABEL = (16, 13)  # columns and rows of a number of two digits


class _Point(NamedTuple):
    """A cell in a panel, in pixels."""

    x: float
    y: float
    cell: Measured


class Labels(NamedTuple):
    """The words of the drawing; `title` has a place for the model."""

    title: str = "{}: what each set gives"
    diversity: str = "diversity: distinct-2"
    likelihood: str = "likelihood: mean log-probability of a token"
    repetition: str = "repetition: rep-2"
    within: str = "within the limits"
    beyond: str = "repeats too much"


def tune_plot(
    cells: Sequence[Measured],
    suggested: Measured | None,
    model: str,
    labels: Labels = Labels(),  # noqa: B008 (frozen)
) -> str:
    """The drawing: distinct-2 (upwards) against the mean log-probability of a token, and against rep-2.

    Args:
        cells: those without words are left out.
    """
    shown = [cell for cell in cells if cell.figures.repetition]
    across: list[tuple[str, Callable[[Measured], float]]] = [
        (labels.likelihood, lambda cell: cell.figures.mean_logprob),
        (labels.repetition, lambda cell: cell.figures.repetition["rep_2"]),
    ]
    parts = [
        f'<text class="title" x="{_PANELS[0][0]}" y="32">{escape(labels.title.format(model))}</text>',
        f'<text x="{_PANELS[0][0]}" y="56">{labels.diversity}</text>',
        _key(labels),
    ]
    if shown:
        heights = [cell.figures.repetition["distinct_2"] for cell in shown]
        y = _scale(heights, _BOTTOM, _TOP)
        for (name, value), (left, right) in zip(across, _PANELS, strict=True):
            x = _scale([value(cell) for cell in shown], left + 12, right - 24)
            parts += [rule(y(tick), f"{tick:g}", left, right) for tick in _ticks(heights)]
            parts += [_below(x(tick), f"{tick:g}") for tick in _ticks([value(cell) for cell in shown])]
            parts.append(f'<text x="{(left + right) / 2}" y="{_BOTTOM + 42}" text-anchor="middle">{name}</text>')
            points = [_Point(x(value(cell)), y(height), cell) for cell, height in zip(shown, heights, strict=True)]
            parts += [_dot(point, point.cell is suggested) for point in points]
            parts += _numbers(points)
    return drawing(labels.title.format(model), parts, _WIDTH, _HEIGHT, _STYLE)


def _scale(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    ticks = _ticks(values)
    return lambda value: start + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (end - start)


def _ticks(values: Sequence[float]) -> list[float]:
    """Round values from the greatest that is not above all of them to one that is above all."""
    low, high = min(values), max(values)
    step = round_step(max(high - low, 0.01))
    if high - low > 5 * step:
        step *= 2
    first, last = math.floor(low / step), math.floor(high / step) + 1
    return [round(number * step, 6) for number in range(first, last + 1)]


def _below(x: float, label: str) -> str:
    return f'<text x="{x:.1f}" y="{_BOTTOM + 20}" text-anchor="middle">{label}</text>'


def _dot(point: _Point, suggested: bool) -> str:
    settings = ", ".join(
        f"{name.replace('_', '-')} {value:g}" for name, value in point.cell.finished.cell.values.items()
    )
    kind = "beyond" if point.cell.figures.beyond else "dot"
    ring = f'<circle class="suggested" cx="{point.x:.1f}" cy="{point.y:.1f}" r="9"/>' if suggested else ""
    return (
        f'{ring}<circle class="{kind}" cx="{point.x:.1f}" cy="{point.y:.1f}" r="5">'
        f"<title>{point.cell.number}: {escape(settings)}</title></circle>"
    )


def _numbers(points: Sequence[_Point]) -> list[str]:
    """Each cell's number beside its point, where it hides no other point or number as far as there is such a place."""
    taken = [(point.x, point.y) for point in points]
    labels = []
    for point in points:
        places = [
            (point.x + dx, point.y + dy) for dx, dy in ((15, 0), (-15, 0), (0, -15), (0, 15), (14, -12), (14, 12))
        ]
        x, y = min(places, key=lambda place: _crowd(place, taken))
        taken.append((x, y))
        labels.append(
            f'<text class="figure" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{point.cell.number}</text>'
        )
    return labels


def _crowd(place: tuple[float, float], taken: Sequence[tuple[float, float]]) -> int:
    """How many points and numbers a number would touch."""
    return sum(abs(place[0] - x) < _LABEL[0] and abs(place[1] - y) < _LABEL[1] for x, y in taken)


def _key(labels: Labels) -> str:
    return (
        f'<circle class="dot" cx="470" cy="52" r="5"/><text x="481" y="56">{labels.within}</text>'
        f'<circle class="beyond" cx="602" cy="52" r="5"/><text class="of-limit" x="613" y="56">{labels.beyond}</text>'
    )
