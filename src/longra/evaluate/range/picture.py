"""The grid as a picture: accuracy over length and depth, a panel for each task. SVG without scripts."""

from collections.abc import Sequence
from html import escape

from longra.evaluate.range.cells import Finding, depths_of, mean
from longra.evaluate.range.tasks import TASKS

_STYLE = """
svg { --paper: #ffffff; --ink: #1c2330; --faint: #6a7382; --good: 61, 111, 182; --bad: 184, 68, 58; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #14181f; --ink: #e4e8ee; --faint: #98a2b3; --good: 121, 165, 227; --bad: 236, 129, 118; }
}
text { font: 12px system-ui, sans-serif; fill: var(--faint); }
.title { font-size: 17px; font-weight: 600; fill: var(--ink); } .task { font-size: 14px; font-weight: 600; fill: var(--ink); }
.figure { font-size: 13px; font-weight: 600; fill: var(--ink); text-anchor: middle; }
"""
_WIDTH, _LEFT, _RIGHT = 760, 76, 736
_TOP = 76
_ROW, _GAP = 30, 2
_HEAD, _FOOT = 30, 44
"""Of a panel: its title above, the lengths below."""


def picture(findings: Sequence[Finding], model: str) -> str:
    """A drawing of what was found.

    Args:
        findings: at least one.
        model: named in the title.
    """
    lengths = sorted({finding.cell.length for finding in findings})
    parts, y = [], _TOP
    for name in (name for name in TASKS if any(finding.cell.task == name for finding in findings)):
        panel, height = _panel([f for f in findings if f.cell.task == name], name, lengths, y)
        parts += panel
        y += height
    title = f"{model}: what it finds, by length and depth"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" width="{_WIDTH}" height="{y}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n"
        f'<rect width="100%" height="100%" style="fill: var(--paper)"/>\n'
        f'<text class="title" x="24" y="34">{escape(title)}</text>\n'
        f'<text x="24" y="55">percent of what was asked for; blue is found, red is not</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _panel(findings: Sequence[Finding], name: str, lengths: Sequence[int], top: int) -> tuple[list[str], int]:
    """A task's cells, and how high they are together."""
    parts = [f'<text class="task" x="{_LEFT}" y="{top + 18}">{name}: {escape(TASKS[name].title)}</text>']
    step = (_RIGHT - _LEFT) / len(lengths)
    y = top + _HEAD
    for depth in depths_of(findings, name):
        label = "anywhere" if depth is None else f"{depth:.0%} deep"
        parts.append(f'<text x="{_LEFT - 8}" y="{y + _ROW / 2 + 4:.0f}" text-anchor="end">{label}</text>')
        for i, length in enumerate(lengths):
            value = mean(findings, name, length, depth)
            if value is not None:
                parts.append(_cell(_LEFT + i * step, y, step, value, f"{name}, {length:,} tokens, {label}"))
        y += _ROW
    parts.append(f'<text x="{_LEFT - 8}" y="{y + 16}" text-anchor="end">tokens</text>')
    parts += [
        f'<text x="{_LEFT + (i + 0.5) * step:.1f}" y="{y + 16}" text-anchor="middle">{length:,}</text>'
        for i, length in enumerate(lengths)
    ]
    return parts, y - top + _FOOT


def _cell(x: float, y: float, width: float, value: float, label: str) -> str:
    """A cell: the nearer to all or nothing, the stronger its colour."""
    kind = "good" if value >= 0.5 else "bad"
    strength = 0.1 + 0.6 * abs(2 * value - 1)
    return (
        f'<g><title>{label}: {value:.0%}</title><rect x="{x + _GAP / 2:.1f}" y="{y}" width="{width - _GAP:.1f}" '
        f'height="{_ROW - _GAP}" rx="3" style="fill: rgba(var(--{kind}), {strength:.2f})"/>'
        f'<text class="figure" x="{x + width / 2:.1f}" y="{y + _ROW / 2 + 4:.0f}">{100 * value:.0f}</text></g>'
    )
