"""The steps by name, and the little language that chooses them: `unicode,cjk,variant:taiwan`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Protocol, cast

from longra.errors import UsageError
from longra.text.tidy.change import Edit, Note
from longra.text.tidy.document import Document

DEFAULT_STEPS = ("unicode", "whitespace", "cjk", "loops", "paragraphs", "sentence")
"""For prose, in this order: first the characters, then what is repeated, and last the end that is left."""

SUMMARIES = {
    "unicode": "Repair mojibake, remove control characters, compose accents (NFC).",
    "whitespace": "Remove trailing and doubled spaces and superfluous blank lines.",
    "cjk": "Space and punctuate between Chinese and Latin text.",
    "variant": "One form of Chinese: auto (what most characters have), simplified, traditional, taiwan, hongkong.",
    "loops": "Collapse a passage that repeats until the end of the text.",
    "paragraphs": "Drop paragraphs that repeat an earlier one, exactly or nearly.",
    "sentence": "Drop an unfinished last sentence.",
    "grammar": "Correct clear mistakes of English grammar, offline.",
    "markdown": "Bring headings, lists, fences and blank lines of Markdown into one form.",
    "code": "Take out the fenced code; Python is parsed and formatted.",
}
"""Step -> what it does. Each lives in longra/text/tidy/<step>.py."""

OPTIONS = {
    "variant": {
        "auto": "auto",
        "simplified": "simplified",
        "s": "simplified",
        "cn": "simplified",
        "hans": "simplified",
        "traditional": "traditional",
        "t": "traditional",
        "hant": "traditional",
        "taiwan": "taiwan",
        "tw": "taiwan",
        "hongkong": "hongkong",
        "hk": "hongkong",
    }
}
"""Step -> accepted option -> its full name. The first is what the step does without one."""


Report = Callable[[Note], None]
"""Takes what a step saw and left as it was."""


class StepModule(Protocol):
    """What a step's file offers."""

    def find(self, document: Document, option: str, report: Report) -> Iterable[Edit]:
        """Edits that the step wants, in ascending order, not overlapping."""
        ...


@dataclass(frozen=True)
class Step:
    """A chosen step and its option ("" where the step has none)."""

    name: str
    option: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.option}" if self.option else self.name

    def find(self, document: Document, report: Report) -> list[Edit]:
        """Edits that this step wants in a document; its file, and the library behind it, load here."""
        module = cast(StepModule, import_module(f"longra.text.tidy.{self.name}"))
        return list(module.find(document, self.option, report))


def parse_steps(spec: str | None) -> list[Step]:
    """Read a choice of steps.

    Args:
        spec: names separated by commas, each with an option after a colon where it has one: `unicode,variant:tw`.
            `default` stands for the default steps. None or "" means the default steps.

    Raises:
        UsageError: a name or an option is unknown; the message suggests the nearest.
    """
    words = [word.strip().lower() for word in (spec or "default").split(",")]
    steps: list[Step] = []
    for word in words:
        if not word:
            raise UsageError(f"an empty name in the steps {spec!r}; write them as {','.join(DEFAULT_STEPS)}")
        steps += [Step(name) for name in DEFAULT_STEPS] if word == "default" else [_parse_step(word)]
    return steps


def _parse_step(word: str) -> Step:
    name, colon, option = (part.strip() for part in word.partition(":"))
    if name not in SUMMARIES:
        raise UsageError(f"there is no step {name!r}{_nearest(name, [*SUMMARIES, 'default'])}")
    known = OPTIONS.get(name)
    if known is None:
        if colon:
            raise UsageError(f"the step {name!r} takes no option, not {option!r}; write just {name!r}")
        return Step(name)
    if not colon:
        return Step(name, next(iter(known.values())))
    if option not in known:
        raise UsageError(f"{name} has no option {option!r}{_nearest(option, list(known))}")
    return Step(name, known[option])


def _nearest(word: str, known: list[str]) -> str:
    near = get_close_matches(word, known, n=1, cutoff=0.5)
    suggestion = f"; did you mean {near[0]!r}?" if near else "; choose from"
    return f"{suggestion} {'Known: ' if near else ''}{', '.join(known)}"
