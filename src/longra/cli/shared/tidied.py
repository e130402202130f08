"""The options that tidy what a verb has written, and the texts that come of it."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from longra.errors import UsageError
from longra.sizes import counted

if TYPE_CHECKING:
    from longra.text.tidy import Step, TidyResult

Tidy = Annotated[
    str | None, typer.Option(metavar="[=STEPS]", help="Tidy the text at the end; see `longra tidy --help`.")
]
NoTidy = Annotated[bool, typer.Option("--no-tidy", help="Leave the text as the model wrote it.")]


class TidyCommand(TyperCommand):
    """`--tidy` takes its value only after "=", so that a prompt may follow it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        words = ["--tidy=default" if word == "--tidy" else word for word in args[:end]]
        return super().parse_args(ctx, [*words, *args[end:]])


def steps_of(tidy: str | None, no_tidy: bool, default: str | None = None) -> "list[Step] | None":
    """The steps that are meant; None leaves the text as it is.

    Args:
        default: steps where neither option is given.

    Raises:
        UsageError: both options are given, or there is no such step.
    """
    if no_tidy and tidy is not None:
        raise UsageError("--tidy and --no-tidy contradict each other; give one of them")
    spec = None if no_tidy else tidy or default
    if spec is None:
        return None
    from longra.text.tidy import parse_steps

    return parse_steps(spec)


@dataclass(frozen=True)
class Tidied:
    """A text as it is shown, and how it was tidied, if it was."""

    text: str
    before: str
    how: "TidyResult | None" = None

    def as_json(self) -> dict[str, Any]:
        """What it changes in the JSON object of a text."""
        if self.how is None:
            return {}
        return {
            "text": self.text,
            "tidy": {
                "before": self.before,
                "changes": [asdict(change) for change in self.how.changes],
                "notes": [asdict(note) for note in self.how.notes],
            },
        }


def tidied(text: str, steps: "list[Step] | None") -> Tidied:
    """A text, tidied by the steps if there are any."""
    if steps is None:
        return Tidied(text, text)
    from longra.text.tidy import tidy

    how = tidy(text, steps)
    return Tidied(how.text, text, how)


_REMOVING = ("loops", "paragraphs", "sentence")


def removed(how: "TidyResult") -> str:
    """What went of a text besides signs and spaces, counted by kind; empty where nothing did."""
    kinds = Counter(change.kind for change in how.changes if change.step in _REMOVING)
    return ", ".join(counted(number, kind) for kind, number in kinds.items())
