"""What was measured, as lines, a table and JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BASE = "longra"


@dataclass(frozen=True)
class Row:
    """One figure of each engine.

    Attributes:
        kind: "prefill" or "decode".
        context: tokens of each prompt.
        streams: prompts at once.
        speeds: tokens a second, of all streams together, by engine.
    """

    kind: str
    context: int
    streams: int
    speeds: Mapping[str, float]

    @property
    def label(self) -> str:
        """What was measured, in words."""
        many = f", {self.streams} streams" if self.streams > 1 else ""
        return f"{self.kind} {'at ' if self.kind == 'decode' else ''}{self.context:,}{many}"

    @property
    def ratios(self) -> dict[str, float]:
        """How many times a peer's speed Longra's is."""
        return {name: self.speeds[BASE] / value for name, value in self.speeds.items() if name != BASE}

    def as_json(self) -> dict[str, Any]:
        """An object of --json's results."""
        numbers = {"tokens_per_second": dict(self.speeds), "ratio": self.ratios}
        return {"kind": self.kind, "context": self.context, "streams": self.streams} | numbers


def line(row: Row) -> str:
    """For who waits."""
    speeds = "  ".join(f"{name} {value:,.1f}" for name, value in row.speeds.items())
    return "  ".join([f"{row.label:30}", speeds, *(f"x{ratio:.2f} {name}" for name, ratio in row.ratios.items())])


def markdown(model: str, versions: Mapping[str, str], rows: Sequence[Row]) -> str:
    """A table: tokens a second of each engine, and how many times a peer's Longra's is."""
    peers = [name for name in versions if name != BASE]
    header = [model, versions[BASE], *(cell for name in peers for cell in (versions[name], "times"))]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        cells = [row.label, _figure(row.speeds[BASE])]
        for name in peers:
            cells += [_figure(row.speeds[name]), f"{row.ratios[name]:.1f}"] if name in row.speeds else ["", ""]
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _figure(speed: float) -> str:
    return f"{speed:,.0f}" if speed >= 100 else f"{speed:.1f}"
