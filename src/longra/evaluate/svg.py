"""The parts that drawings share: their frame, their colours, round steps of an axis. No scripts, no fonts, no library."""

import math
from html import escape

_COLOURS = """
svg { --paper: #ffffff; --ink: #1c2330; --faint: #6a7382; --line: #e2e6ec; --curve: #3d6fb6; --limit: #b8443a; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #14181f; --ink: #e4e8ee; --faint: #98a2b3; --line: #2c3440; --curve: #79a5e3; --limit: #ec8176; }
}
svg text { font: 12px system-ui, "Noto Sans CJK SC", sans-serif; fill: var(--faint); }
svg .title { font-size: 17px; font-weight: 600; fill: var(--ink); }
svg .figure { font-weight: 600; fill: var(--ink); paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
svg .grid { stroke: var(--line); }
svg .dot { fill: var(--curve); stroke: var(--paper); stroke-width: 1.5; }
"""


def drawing(title: str, parts: list[str], width: int, height: int, style: str = "") -> str:
    """A whole SVG file, in light and in dark.

    Args:
        title: for those who cannot see it.
        parts: SVG.
        style: CSS besides the shared one.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img">\n<title>{escape(title)}</title>\n<style>{_COLOURS}{style}</style>\n'
        f'<rect width="100%" height="100%" style="fill: var(--paper)"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def round_step(span: float) -> float:
    """A step of 1, 2 or 5 times a power of ten, four to ten of which make the span."""
    power = 10.0 ** math.floor(math.log10(span / 4))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= span / 4)


def rule(y: float, label: str, left: float, right: float) -> str:
    """A line across at a height, named on its left."""
    return (
        f'<line class="grid" x1="{left:g}" x2="{right:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{left - 8:g}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )
