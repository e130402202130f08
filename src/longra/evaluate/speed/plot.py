"""Decode speed against context as an SVG drawing, beside what memory allows. No scripts, no fonts, no library."""

import math
from collections.abc import Callable, Sequence
from html import escape

from longra.evaluate.speed.measure import Speed
from longra.evaluate.svg import drawing, round_step, rule

_STYLE = """
.limit { fill: none; stroke: var(--limit); stroke-width: 1.5; stroke-dasharray: 5 4; }
.curve { fill: none; stroke: var(--curve); stroke-width: 2.5; stroke-linejoin: round; }
.of-limit { fill: var(--limit); } .of-curve { fill: var(--curve); }
"""
_WIDTH, _HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 720, 96, 384
_CURVE_STEPS = 48
_LABEL = 42
"""Least distance of two labels of the axis of contexts."""


def decode_plot(speeds: Sequence[Speed], limit: Callable[[int, int], float], model: str, machine: str) -> str:
    """Tokens a second of the fewest streams that were measured, over contexts on a logarithmic axis.

    Args:
        speeds: measurements; those of prefill are left out. At least one is of decoding.
        limit: tokens a second that memory allows, for a context and a number of streams (Bench.limit).
        model: named in the title.
        machine: the line below it.
    """
    streams = min(speed.streams for speed in speeds if speed.kind == "decode")
    points = {s.context: s.tokens_per_second for s in speeds if s.kind == "decode" and s.streams == streams}
    contexts = sorted(points)
    allowed = [(context, limit(context, streams)) for context in _between(contexts)]
    step = round_step(max([*points.values(), *(value for _, value in allowed)]))
    top = step * math.ceil(max([*points.values(), *(value for _, value in allowed)]) * 1.02 / step)
    x, y = _across(contexts), _down(top)
    text = "one text" if streams == 1 else f"{streams} texts together"
    parts = [
        f'<text class="title" x="{_LEFT}" y="34">{escape(model)}: decode speed of {text}</text>',
        f'<text x="{_LEFT}" y="55">{escape(machine)}</text>',
        _key(),
        *(rule(y(i * step), f"{i * step:,g}", _LEFT, _RIGHT) for i in range(round(top / step) + 1)),
        *_labels(contexts, x),
        f'<text x="{_RIGHT}" y="{_BOTTOM + 40}" text-anchor="end">tokens in the cache (logarithmic)</text>',
        _line("limit", [(x(context), y(value)) for context, value in allowed]),
        _line("curve", [(x(context), y(points[context])) for context in contexts]),
        *(_point(x(context), y(points[context]), points[context], context) for context in contexts),
    ]
    return drawing(f"{model}: decode speed against context", parts, _WIDTH, _HEIGHT, _STYLE)


def _between(contexts: list[int]) -> list[int]:
    """Contexts from the first to the last, in equal steps of the axis, for a smooth curve."""
    ratio = contexts[-1] / contexts[0]
    return sorted({round(contexts[0] * ratio ** (i / _CURVE_STEPS)) for i in range(_CURVE_STEPS + 1)})


def _across(contexts: list[int]) -> Callable[[int], float]:
    low, high = math.log(contexts[0]), math.log(contexts[-1])
    if low == high:
        return lambda _: (_LEFT + _RIGHT) / 2
    inner = _RIGHT - _LEFT - 48
    return lambda context: _LEFT + 24 + (math.log(context) - low) / (high - low) * inner


def _down(top: float) -> Callable[[float], float]:
    return lambda value: _BOTTOM - value / top * (_BOTTOM - _TOP)


def _labels(contexts: list[int], x: Callable[[int], float]) -> list[str]:
    """Contexts below the axis, from the right; one that would touch its neighbour is left to its point's tooltip."""
    labels, free = [], math.inf
    for context in reversed(contexts):
        if free - x(context) >= _LABEL:
            labels.append(f'<text x="{x(context):.1f}" y="{_BOTTOM + 20}" text-anchor="middle">{context:,}</text>')
            free = x(context)
    return labels


def _line(kind: str, points: list[tuple[float, float]]) -> str:
    return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _point(x: float, y: float, value: float, context: int) -> str:
    figure = f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"
    below = y + 22 < _BOTTOM
    return (
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4.5">'
        f"<title>{figure} tokens/s after {context:,} tokens</title></circle>"
        f'<text class="figure" x="{x:.1f}" y="{y + 22 if below else y - 12:.1f}" text-anchor="middle">{figure}</text>'
    )


def _key() -> str:
    """What the lines are, and the unit of the axis."""
    return (
        f'<text x="{_LEFT}" y="{_TOP - 16}">tokens/s</text>'
        f'<line class="curve" x1="{_RIGHT - 268}" x2="{_RIGHT - 244}" y1="{_TOP - 20}" y2="{_TOP - 20}"/>'
        f'<text class="of-curve" x="{_RIGHT - 238}" y="{_TOP - 16}">measured</text>'
        f'<line class="limit" x1="{_RIGHT - 166}" x2="{_RIGHT - 142}" y1="{_TOP - 20}" y2="{_TOP - 20}"/>'
        f'<text class="of-limit" x="{_RIGHT - 136}" y="{_TOP - 16}">what memory allows</text>'
    )
