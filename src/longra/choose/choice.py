"""Models that do what is wanted on a machine, ranked, and why each other one was left out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from longra.choose.machine import Machine
from longra.choose.needs import Form, Needs, forms, needs, read_bytes
from longra.choose.tasks import DEFAULT_TASK, TASKS, Task
from longra.errors import LongraError
from longra.library.catalogue import Entry, Figure
from longra.sizes import human_bytes

USUAL_CONTEXT = 4096

_SHORT = {
    "task": "were not made for the task",
    "licence": "have no open licence",
    "language": "do not know the language",
    "context": "hold fewer tokens",
}


@dataclass(frozen=True)
class Wish:
    """What a model is to do.

    Attributes:
        task: a name in TASKS.
        context: tokens that a text may have; None for 4,096, or fewer where a model holds fewer.
        open_licence: only licences that the Open Source Initiative has approved.
        language: an ISO 639 code that the model must know, or None.
        least_speed: tokens a second.
    """

    task: str = DEFAULT_TASK
    context: int | None = None
    open_licence: bool = False
    language: str | None = None
    least_speed: float = 0.0

    def context_of(self, entry: Entry) -> int:
        """Tokens that a model's cache is to hold."""
        return min(USUAL_CONTEXT, entry.context) if self.context is None else self.context


@dataclass(frozen=True)
class Advice:
    """A model that does what is wanted.

    Attributes:
        form: the most exact one that fits and is fast enough.
        needs: memory.
        speed: tokens a second with a full context.
        measured_at: the context at which the speed was measured on this machine; None where it is an estimate.
        figure: of the task's measure, if somebody has measured it.
        is_comparable: the model is ranked by this figure.
        reason: one line.
    """

    entry: Entry
    form: Form
    needs: Needs
    speed: float
    measured_at: int | None
    figure: Figure | None
    is_comparable: bool
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """Under stable names."""
        entry = self.entry
        memory = {name: round(value) for name, value in vars(self.needs).items()} | {"total": round(self.needs.total)}
        return {
            "name": entry.name,
            "form": self.form.stored,
            "weights_option": self.form.option,
            "memory_bytes": memory,
            "tokens_per_second": self.speed,
            "speed_is": "estimated" if self.measured_at is None else "measured",
            "measured_at": self.measured_at,
            "figure": None if self.figure is None else asdict(self.figure),
            "is_comparable": self.is_comparable,
            "figures": [asdict(figure) for figure in entry.figures],
            "licence": entry.licence,
            "is_open": entry.is_open,
            "languages": list(entry.languages),
            "parameters": entry.parameters,
            "context": entry.context,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class LeftOut:
    """A model that does not do what is wanted, and why: the first of "task", "licence", "language", "context", "memory"
    and "speed" that it fails at. `advice` is what it could do, where it fails at memory or speed."""

    entry: Entry
    reason: str
    advice: Advice | None = None


@dataclass(frozen=True)
class Choice:
    """Models in order, and the others."""

    ranked: list[Advice]
    left_out: list[LeftOut]


def choose(wish: Wish, machine: Machine, entries: Iterable[Entry]) -> Choice:
    """Rank the models that do what is wanted.

    Raises:
        LongraError: there is none; the message says what is short, and by how much.
    """
    judged = [judge(entry, wish, machine) for entry in entries]
    found = [advice for advice in judged if isinstance(advice, Advice)]
    left_out = [other for other in judged if isinstance(other, LeftOut)]
    if not found:
        raise LongraError(_nothing(wish, machine, left_out))
    return Choice(_reasoned(sorted(found, key=_order), TASKS[wish.task]), left_out)


def judge(entry: Entry, wish: Wish, machine: Machine) -> Advice | LeftOut:
    """Whether a model does what is wanted, and in which form."""
    reason = _unsuitable(entry, wish, TASKS[wish.task])
    if reason is not None:
        return LeftOut(entry, reason)
    tried = [advise(entry, form, wish, machine) for form in forms(entry)]
    fitting = [advice for advice in tried if machine.holds(advice.needs)]
    quick = [advice for advice in fitting if advice.speed >= wish.least_speed]
    return quick[0] if quick else LeftOut(entry, "speed" if fitting else "memory", (fitting or tried)[-1])


def _unsuitable(entry: Entry, wish: Wish, task: Task) -> str | None:
    if not task.suits(entry):
        return "task"
    if wish.open_licence and not entry.is_open:
        return "licence"
    if wish.language is not None and wish.language not in entry.languages:
        return "language"
    if wish.context is not None and wish.context > entry.context:
        return "context"
    return None


def advise(entry: Entry, form: Form, wish: Wish, machine: Machine) -> Advice:
    """What a model in a form takes and gives, whether or not that is enough."""
    task, context = TASKS[wish.task], wish.context_of(entry)
    figure = task.figure(entry)
    speed, measured_at = _speed(entry, form, context, machine)
    return Advice(entry, form, needs(entry, form, context), speed, measured_at, figure, task.compares(figure))


def _speed(entry: Entry, form: Form, context: int, machine: Machine) -> tuple[float, int | None]:
    """What was measured nearest to a context, else what memory allows."""
    known = [s for s in machine.speeds if s.model == entry.name and s.weights == form.option]
    if known:
        nearest = min(known, key=lambda speed: abs(speed.context - context))
        return nearest.tokens_per_second, nearest.context
    return machine.bandwidth / read_bytes(entry, form, context), None


def _order(advice: Advice) -> tuple[float, int]:
    """Smaller is better; every figure is above 0."""
    value = advice.figure.value if advice.figure is not None and advice.is_comparable else 0.0
    return -value, -advice.entry.parameters


def _reasoned(ranked: list[Advice], task: Task) -> list[Advice]:
    """With a line each that says what speaks for a model, or against it."""
    return [replace(advice, reason=_reason(advice, ranked[:i], task)) for i, advice in enumerate(ranked)]


def _reason(advice: Advice, above: list[Advice], task: Task) -> str:
    gains = []
    if above and advice.speed > max(other.speed for other in above):
        gains.append("faster")
    if above and advice.needs.total < min(other.needs.total for other in above):
        gains.append("smaller")
    gain = f"{' and '.join(gains)} than all above" if gains else ""
    if not advice.is_comparable:
        whose = f"no comparable {task.metric} figure"
        return f"{whose}; {gain}" if gain else whose
    if not above:
        return f"the best {task.metric} figure of those that fit"
    return gain or f"{above[-1].entry.name} is rated higher"


def _nothing(wish: Wish, machine: Machine, left_out: list[LeftOut]) -> str:
    """Why no model is left, and what the next one would need."""
    for reason, says in (("speed", _too_slow), ("memory", _too_large)):
        others = [other.advice for other in left_out if other.reason == reason and other.advice is not None]
        if others:
            return says(wish, machine, others)
    counts = Counter(other.reason for other in left_out)
    why = ", ".join(f"{count} {_SHORT[reason]}" for reason, count in counts.most_common())
    return f"no known model does all that is asked: {why}; ask for less, or `longra models` lists all"


def _too_large(wish: Wish, machine: Machine, others: list[Advice]) -> str:
    least = min(others, key=lambda advice: advice.needs.total)
    context = wish.context_of(least.entry)
    return (
        f"no model fits into {human_bytes(machine.memory)} at {context:,} tokens; the smallest, {least.entry.name} "
        f"({least.form.name}), needs {human_bytes(least.needs.total)}; ask for a shorter --context, or free memory"
    )


def _too_slow(wish: Wish, machine: Machine, others: list[Advice]) -> str:
    best = max(others, key=lambda advice: advice.speed)
    return (
        f"no model that fits into {human_bytes(machine.memory)} writes {wish.least_speed:g} tokens a second here; the "
        f"fastest, {best.entry.name} ({best.form.name}), writes {best.speed:.3g}; ask for a lower --min-speed"
    )
