"""A chart of the chances of the next token, before and after, on a terminal or a pipe."""

import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from longra.cli.shared import console
from longra.sizes import counted
from longra.text.width import text_width

if TYPE_CHECKING:
    from longra.sampling.effect import Effect
    from longra.sampling.truncation import Float64

_PARTS = " ▏▎▍▌▋▊▉"
_FIGURE = 8  # columns of "100.00 %"
_LEAST_BAR, _MOST_BAR = 8, 30


def chart(effect: "Effect", top: int, spell: Callable[[int], str]) -> str:
    """Lines: the likeliest tokens, the rest together, and how many may be drawn with how much surprise.

    Args:
        top: tokens to show, the likeliest before and the likeliest after.
        spell: a token as it is shown.
    """
    shown = effect.likeliest(top)
    names = [spell(token) for token in shown]
    sides = [[float(side[token]) for token in shown] for side in effect]
    if others := len(effect.before) - len(shown):
        names.append(f"{others:,} others")
        for side, chances in zip(sides, effect, strict=True):
            side.append(float(np.delete(chances, shown).sum()))
    width = max(map(text_width, [*names, "TOKEN"]))
    room = (shutil.get_terminal_size().columns - width - 2 * (_FIGURE + 3) - 1) // 2
    columns = min(max(room, _LEAST_BAR), _MOST_BAR)
    highest = max(map(max, sides))
    side_width = _FIGURE + 1 + columns
    lines = [f"{'TOKEN':<{width}}  {'BEFORE':<{side_width}}  AFTER"]
    for name, before, after in zip(names, *sides, strict=True):
        pad = " " * (width - text_width(name))
        left = f"{_figure(before)} {bar(before / highest, columns):<{columns}}"
        right = f"{_figure(after)} {bar(after / highest, columns)}"
        lines.append(f"{name}{pad}  {_painted(left, '2')}  {_painted(right, '36')}".rstrip())
    return "\n".join([*lines, "", _sums(effect)])


def bar(share: float, columns: int) -> str:
    """A bar of `share` (0 to 1) of so many columns, in eighths of a column; what is above 0 is seen."""
    eighths = max(round(share * columns * 8), 1 if share > 0 else 0)
    full, part = divmod(eighths, 8)
    return "█" * full + (_PARTS[part] if part else "")


def _figure(chance: float) -> str:
    if chance == 0:
        return f"{'-':>6}  "
    return f"{100 * chance:6.2f} %" if chance >= 0.00005 else "< 0.01 %"


def _painted(text: str, code: str) -> str:
    return console.paint(text, code, sys.stdout)


def _sums(effect: "Effect") -> str:
    """How many tokens may be drawn, and how surprising the draw is."""
    from longra.sampling.effect import entropy_bits

    def told(side: "Float64") -> str:
        count = int((side > 0).sum())
        return f"{counted(count, 'token')} may be drawn, {entropy_bits(side):.2f} bits of surprise on average"

    return f"before: {told(effect.before)}\nafter:  {told(effect.after)}"
