"""What was measured on this machine before: its bandwidth, and the speed of models, kept in the store."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from longra.errors import StoreError
from longra.library import store
from longra.library.manifest import write_json
from longra.library.paths import store_home

_FILE = "measured.json"


@dataclass(frozen=True)
class MeasuredSpeed:
    """Decoding, as `longra bench` has measured it.

    Attributes:
        model: its name in the store.
        weights: what `--weights` was.
        context: tokens before those that were timed.
        tokens_per_second: of one text.
        date: year, month and day.
    """

    model: str
    weights: str | None
    context: int
    tokens_per_second: float
    date: str


def known_bandwidth(machine: str) -> float | None:
    """Bytes a second, if it was measured on a machine of this identity."""
    value = _read(machine).get("bandwidth")
    return float(value) if isinstance(value, (int, float)) else None


def keep_bandwidth(machine: str, bandwidth: float) -> None:
    """Keep it for the next time. A store that cannot be written keeps nothing."""
    _write(_read(machine) | {"machine": machine, "bandwidth": bandwidth})


def known_speeds(machine: str) -> list[MeasuredSpeed]:
    """All that were measured on a machine of this identity."""
    try:
        return [MeasuredSpeed(**speed) for speed in _read(machine).get("speeds", ())]
    except TypeError:  # of another version
        return []


def keep_speeds(machine: str, speeds: list[MeasuredSpeed]) -> None:
    """Keep them for the next time, in place of those of the same model, weights and context."""
    new = {(speed.model, speed.weights, speed.context): speed for speed in [*known_speeds(machine), *speeds]}
    _write(_read(machine) | {"machine": machine, "speeds": [asdict(speed) for speed in new.values()]})


def _read(machine: str) -> dict[str, Any]:
    """What is kept of a machine; nothing where the file is another machine's, missing or damaged."""
    try:
        table = json.loads((store_home() / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) and table.get("machine") == machine else {}


def _write(table: dict[str, Any]) -> None:
    try:
        store.make_writable(store_home())
        write_json(store_home() / _FILE, table)
    except (OSError, StoreError):
        return
