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


def tune_plot(cells: Sequence[Measured], suggested: Measured | None, title: str) -> str:
    """The drawing: distinct-2 (upwards) against the mean log-probability of a token, and against rep-2.

    Args:
        cells: those without words are left out.
    """
    shown = [cell for cell in cells if cell.figures.repetition]
    across: list[tuple[str, Callable[[Measured], float]]] = [
        ("likelihood: mean log-probability of a token", lambda cell: cell.figures.mean_logprob),
        ("repetition: rep-2", lambda cell: cell.figures.repetition["rep_2"]),
    ]
    parts = [
        f'<text class="title" x="{_PANELS[0][0]}" y="32">{escape(title)}: what each set gives</text>',
        f'<text x="{_PANELS[0][0]}" y="56">diversity: distinct-2</text>',
        _key(),
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
    return drawing(title, parts, _WIDTH, _HEIGHT, _STYLE)


def _scale(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    low, high = _bounds(values)
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    """What an axis spans: a round step beyond the least and the greatest, so that no point lies on its end."""
    low, high = min(values), max(values)
    step = round_step(max(high - low, 0.01))
    return math.floor(low / step) * step, math.ceil(high / step + 0.001) * step


def _ticks(values: Sequence[float]) -> list[float]:
    low, high = _bounds(values)
    step = round_step(max(max(values) - min(values), 0.01))
    every = 2 if (high - low) / step > 7 else 1
    return [round(low + i * step, 6) for i in range(0, round((high - low) / step) + 1, every)]


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


def _key() -> str:
    return (
        '<circle class="dot" cx="470" cy="52" r="5"/><text x="481" y="56">within the limits</text>'
        '<circle class="beyond" cx="602" cy="52" r="5"/><text class="of-limit" x="613" y="56">repeats too much</text>'
    )
