"""A drawing of values with their intervals, one below the other."""

from collections.abc import Callable, Sequence
from html import escape

from longra.evaluate.human.figures import Figure

_WIDTH, _LABELS, _ROW, _TOP = 640, 190, 26, 10


def ranges(
    rows: Sequence[tuple[str, Figure]], lowest: float, highest: float, middle: float | None, caption: str
) -> str:
    """The drawing, in the style of the other figures of a page.

    Args:
        lowest, highest: the ends of the scale.
        middle: where a line is drawn, such as at 50 %.
    """
    bottom = _TOP + _ROW * len(rows)
    scale = (_WIDTH - _LABELS - 16) / (highest - lowest)

    def x(value: float) -> float:
        return _LABELS + (min(max(value, lowest), highest) - lowest) * scale

    parts = [_mark(label, figure, _TOP + _ROW * (i + 0.5), x) for i, (label, figure) in enumerate(rows)]
    parts.append(f'<line class="axis" x1="{_LABELS}" x2="{_WIDTH - 16}" y1="{bottom}" y2="{bottom}"/>')
    if middle is not None:
        parts.append(f'<line class="limit" x1="{x(middle):.1f}" x2="{x(middle):.1f}" y1="{_TOP}" y2="{bottom}"/>')
    for tick in sorted({lowest, highest, (lowest + highest) / 2 if middle is None else middle}):
        parts.append(f'<text x="{x(tick):.1f}" y="{bottom + 15}" text-anchor="middle">{tick:g}</text>')
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {bottom + 20}" role="img" aria-label="{escape(caption)}">{"".join(parts)}</svg>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _mark(label: str, figure: Figure, y: float, x: Callable[[float], float]) -> str:
    name = f'<text x="{_LABELS - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(_short(label))}</text>'
    bar = ""
    if figure.low is not None and figure.high is not None:
        bar = f'<line class="curve" x1="{x(figure.low):.1f}" x2="{x(figure.high):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
    title = f"<title>{figure.value:.3g}</title>"
    return f'{name}{bar}<circle class="dot" cx="{x(figure.value):.1f}" cy="{y:.1f}" r="4">{title}</circle>'


def _short(label: str) -> str:
    return label if len(label) <= 26 else label[:25] + "…"
