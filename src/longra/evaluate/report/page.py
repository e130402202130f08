"""The parts of a page: its frame, tables, a histogram and a curve, in HTML and SVG without scripts."""

from collections.abc import Sequence
from html import escape

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --faint: #6a7382; --line: #d9dee6; --bar: #3d6fb6; --bad: #b8443a;
  --paper: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --faint: #98a2b3; --line: #38414f; --bar: #79a5e3;
  --bad: #ec8176; --paper: #14181f; } }
body { font: 16px/1.55 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; color: var(--ink);
  background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th { text-align: left; white-space: nowrap; color: var(--faint); font-weight: 600; }
th, td { padding: .35rem 1.1rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: break-word; } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.text { white-space: pre-wrap; } .faint, footer { color: var(--faint); font-size: .88rem; overflow-wrap: anywhere; }
.bad { border-left: 3px solid var(--bad); padding-left: .7rem; } figure { margin: .8rem 0; }
figcaption { color: var(--faint); font-size: .88rem; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: var(--faint); } .bar { fill: var(--bar); }
.bar.over { fill: var(--bad); } .curve { fill: none; stroke: var(--bar); stroke-width: 2; stroke-linejoin: round; }
.dot { fill: var(--bar); } .dot.over { fill: var(--bad); } .axis { stroke: var(--line); }
.limit { stroke: var(--bad); stroke-dasharray: 4 3; }
"""

_WIDTH, _LEFT, _RIGHT = 640, 44, 16

Cell = str | float
"""A text, which is escaped, or a number, which is set to the right."""


def page(title: str, parts: Sequence[str], language: str = "en") -> str:
    """A whole page.

    Args:
        parts: HTML.
    """
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def heading(text: str) -> str:
    """A heading of a section."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph; kind is "faint" or "bad"."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def table(header: Sequence[str], rows: Sequence[Sequence[Cell]], digits: int = 2) -> str:
    """A table; numbers are shown with so many digits, whole ones without."""
    numeric = [all(not isinstance(row[i], str) for row in rows) for i in range(len(header))]
    head = "".join(
        f'<th class="number">{escape(name)}</th>' if number else f"<th>{escape(name)}</th>"
        for name, number in zip(header, numeric, strict=True)
    )
    body = "\n".join(f"<tr>{''.join(_cell(cell, digits) for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{body}\n</table></div>'


def _cell(cell: Cell, digits: int) -> str:
    if isinstance(cell, str):
        return f'<td class="text">{escape(cell)}</td>'
    return (
        f'<td class="number">{cell:,}</td>' if isinstance(cell, int) else f'<td class="number">{cell:,.{digits}f}</td>'
    )


def histogram(values: Sequence[float], top: float, caption: str, bins: int = 20) -> str:
    """How many of the values lie in each of equal parts of 0 to `top`."""
    counts = [0] * bins
    for value in values:
        counts[min(int(value / top * bins), bins - 1)] += 1
    height, bottom, most = 180, 24, max(counts)
    inner = (_WIDTH - _LEFT - _RIGHT) / bins
    scale = (height - 16) / most
    bars = "".join(
        f'<rect class="bar" x="{_LEFT + i * inner + 1:.1f}" y="{height - count * scale:.1f}" width="{inner - 2:.1f}" '
        f'height="{count * scale:.1f}"><title>{i * top / bins:g} to {(i + 1) * top / bins:g}: {count:,}</title></rect>'
        for i, count in enumerate(counts)
        if count
    )
    ticks = "".join(
        f'<text x="{_LEFT + part * (_WIDTH - _LEFT - _RIGHT):.1f}" y="{height + 16}" text-anchor="middle">{part * top:g}</text>'
        for part in (0, 0.25, 0.5, 0.75, 1)
    )
    axis = (
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{height}" y2="{height}"/>'
        f'<text x="{_LEFT - 6}" y="20" text-anchor="end">{most:,}</text>'
    )
    return _figure(height + bottom, bars + axis + ticks, caption)


def curve(values: Sequence[float], caption: str, limit: float | None = None, above_is_bad: bool = True) -> str:
    """Values over equal steps from left to right, and the limit that they should keep to."""
    height, bottom = 110, 20
    top = max([*values, limit or 0.0]) * 1.1 or 1.0
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(values) - 1, 1)

    def y(value: float) -> float:
        return height - value / top * (height - 12)

    points = [(_LEFT + i * step, y(value)) for i, value in enumerate(values)]
    line = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
    dots = "".join(
        f'<circle class="dot{" over" if _is_over(value, limit, above_is_bad) else ""}" cx="{across:.1f}" cy="{down:.1f}" '
        f'r="3"><title>window {number}: {value:.3g}</title></circle>'
        for number, (value, (across, down)) in enumerate(zip(values, points, strict=True), 1)
    )
    rule = "" if limit is None else _rule(y(limit), limit)
    axis = (
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{height}" y2="{height}"/>'
        f'<text x="{_LEFT}" y="{height + 15}">window 1</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="{height + 15}" text-anchor="end">{len(values):,}</text>'
    )
    return _figure(height + bottom, f'{rule}{axis}<polyline class="curve" points="{line}"/>{dots}', caption)


def _rule(y: float, limit: float) -> str:
    return (
        f'<line class="limit" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{limit:g}</text>'
    )


def _is_over(value: float, limit: float | None, above_is_bad: bool) -> bool:
    return limit is not None and (value > limit if above_is_bad else value < limit)


def _figure(height: int, drawing: str, caption: str) -> str:
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(caption)}">{drawing}</svg>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
