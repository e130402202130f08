"""The sums behind a recommendation, for one model, line by line."""

from dataclasses import dataclass
from typing import Any

from longra.choose.choice import Advice, Choice, LeftOut, Wish, advise, choose, judge
from longra.choose.machine import Machine
from longra.choose.needs import BASE_BYTES, CACHE_BYTES, ENTRY_BYTES, Needs, cache_width, forms, read_bytes
from longra.choose.tasks import TASKS
from longra.errors import LongraError
from longra.library.catalogue import Entry, Figure, Shape
from longra.sizes import human_bytes

_WHY = {
    "task": "it was not made for {task}",
    "licence": "{licence} is not an open-source licence",
    "language": "it knows {languages}",
    "context": "it holds {context:,} tokens",
    "memory": "it does not fit",
    "speed": "it is too slow",
}


@dataclass(frozen=True)
class Explained:
    """What is to be said of one model."""

    entry: Entry
    wish: Wish
    machine: Machine
    judged: Advice | LeftOut
    place: int | None
    ranked: int

    def lines(self) -> list[str]:
        """For people."""
        blocks = [_sums(advise(self.entry, form, self.wish, self.machine), self) for form in forms(self.entry)]
        lines = [f"{self.entry.name}: {self.entry.about}"]
        for block in blocks:
            lines += ["", *block]
        return [*lines, "", *_quality(self.entry), "", self.verdict(), _rule(self.wish)]

    def verdict(self) -> str:
        """Whether it is recommended, and in which form."""
        if isinstance(self.judged, LeftOut):
            facts = {
                "task": self.wish.task,
                "licence": self.entry.licence,
                "languages": ", ".join(self.entry.languages),
                "context": self.entry.context,
            }
            return f"left out for {self.wish.task}: {_WHY[self.judged.reason].format(**facts)}"
        return f"number {self.place} of {self.ranked} for {self.wish.task}, held as {self.judged.form.name}"

    def as_json(self) -> dict[str, Any]:
        """For programs: the sums of each form, and the verdict."""
        found = [advise(self.entry, form, self.wish, self.machine) for form in forms(self.entry)]
        return {
            "name": self.entry.name,
            "task": self.wish.task,
            "memory_bytes": round(self.machine.memory),
            "bandwidth_bytes_per_second": round(self.machine.bandwidth),
            "forms": [advice.as_json() for advice in found],
            "place": self.place,
            "left_out": self.judged.reason if isinstance(self.judged, LeftOut) else None,
        }


def explained(entry: Entry, wish: Wish, machine: Machine, entries: list[Entry]) -> Explained:
    """One model, and its place among all."""
    try:
        choice = choose(wish, machine, entries)
    except LongraError:  # nothing does what is wanted; the sums are still to be seen
        choice = Choice([], [])
    names = [advice.entry.name for advice in choice.ranked]
    place = names.index(entry.name) + 1 if entry.name in names else None
    return Explained(entry, wish, machine, judge(entry, wish, machine), place, len(names))


def _sums(advice: Advice, told: Explained) -> list[str]:
    entry, form, shape = advice.entry, advice.form, advice.entry.shape
    context = told.wish.context_of(entry)
    return [
        form.name,
        _sum("weights", advice.needs.weights, f"{entry.parameters:,} x {form.bits:.3g} bits"),
        _sum(
            *("cache", advice.needs.cache),
            f"{_kept(shape, context)} x {shape.kv_heads} heads x {cache_width(shape)} numbers x {CACHE_BYTES} bytes",
        ),
        _sum(
            *("overhead", advice.needs.overhead),
            f"{human_bytes(BASE_BYTES)} + {shape.vocabulary:,} entries of the vocabulary x {ENTRY_BYTES} bytes",
        ),
        _sum("memory", advice.needs.total, _fits(advice.needs, told.machine)),
        f"  speed     {advice.speed:>7.3g}/s  {_pace(advice, context, told.machine)}",
    ]


def _kept(shape: Shape, context: int) -> str:
    """Tokens that layers keep, in words."""
    if context <= shape.window or not shape.windowed:
        return f"{context:,} tokens x {shape.layers} layers"
    whole = shape.layers - shape.windowed
    return f"({context:,} tokens x {whole} layers + {shape.window:,} x {shape.windowed} layers with a window)"


def _fits(needs: Needs, machine: Machine) -> str:
    if needs.cache > machine.cache:
        return f"does not fit: the cache may take {human_bytes(machine.cache)}, half of this machine's memory"
    return f"{'fits' if machine.holds(needs) else 'does not fit'} into {human_bytes(machine.memory)}"


def _sum(name: str, value: float, why: str) -> str:
    return f"  {name:9} {human_bytes(value):>8}  {why}"


def _pace(advice: Advice, context: int, machine: Machine) -> str:
    if advice.measured_at is not None:
        return f"measured on this machine after {advice.measured_at:,} tokens"
    moved = read_bytes(advice.entry, advice.form, context)
    return f"estimated: {human_bytes(machine.bandwidth)}/s over {human_bytes(moved)} that a token is made from"


def _quality(entry: Entry) -> list[str]:
    if not entry.figures:
        return ["quality: no figures are known"]
    return ["quality", *map(_figure, entry.figures)]


def _figure(figure: Figure) -> str:
    kind = ", ".join(filter(None, (figure.variant, figure.note)))
    where = f"{figure.reference.evaluator}, {figure.reference.title}, {figure.reference.date}, {figure.reference.url}"
    return f"  {figure.metric} {figure.value:g} ({kind}): {where}"


def _rule(wish: Wish) -> str:
    task = TASKS[wish.task]
    return (
        f"rule: of the models that fit, those with a {task.metric} figure of the {task.evaluator} come first, best "
        "first; then the others, largest first, since figures of other evaluators cannot be compared"
    )
