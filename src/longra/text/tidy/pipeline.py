"""Runs steps over a text until nothing changes any more. Here, and only here, is the text changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from longra.text.tidy.change import Change, Edit, Note, TidyResult, apply_edits, to_changes
from longra.text.tidy.document import Document
from longra.text.tidy.steps import Step, parse_steps

MOST_ROUNDS = 64
"""Two rounds are usual. A step can uncover work for an earlier one; this many in a row is a fault."""


def tidy(text: str, steps: str | Sequence[Step | str] | None = None) -> TidyResult:
    """Tidy a text.

    The steps run in the order given, again and again until a whole round changes nothing, so that tidying the result
    once more changes nothing either. Text in code blocks and code spans is left alone by all steps but `code`; a
    pipeline with `code` takes the whole text as code. A text whose lines all end in CR LF keeps these ends.

    Args:
        text: any text. Half surrogates, which no file can hold, become U+FFFD.
        steps: as for `parse_steps`: "unicode,variant:tw", a list of such names or of `Step`, or None for the default.

    Raises:
        UsageError: a step or its option is unknown.
    """
    chosen = _choose(steps)
    whole, found = _without_surrogates(text)
    run = _Run(chosen)
    result = whole if _ends_in_crlf(whole) else run.to_the_end(whole)
    if _ends_in_crlf(result):  # from the beginning, or by what the steps removed
        result = run.to_the_end(result.replace("\r\n", "\n")).replace("\n", "\r\n")
    return TidyResult(result, (*found, *run.changes), tuple(run.notes()))


def _ends_in_crlf(text: str) -> bool:
    """Whether every line of the text ends in CR LF."""
    return "\n" in text and text.count("\n") == text.count("\r\n")


def _choose(steps: str | Sequence[Step | str] | None) -> list[Step]:
    if steps is None or isinstance(steps, str):
        return parse_steps(steps)
    return [step for item in steps for step in ([item] if isinstance(item, Step) else parse_steps(item))]


def _without_surrogates(text: str) -> tuple[str, list[Change]]:
    """Half surrogates replaced, whatever the steps: neither a file nor the libraries behind the steps take them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        edits = [
            Edit(at, character, "\ufffd", "half surrogate")
            for at, character in enumerate(text)
            if "\ud800" <= character <= "\udfff"
        ]
        return apply_edits(text, edits), to_changes("unicode", text, edits)
    return text, []


@dataclass
class _Run:
    steps: list[Step]
    changes: list[Change] = field(default_factory=list)
    remarks: dict[Step, list[Note]] = field(default_factory=dict)
    """Step -> what it said when it last looked."""
    at_rest: dict[Step, str] = field(default_factory=dict)
    """Step -> a text in which it found nothing to do, so that it need not look at it again."""

    def to_the_end(self, text: str) -> str:
        """Rounds until one changes nothing; the text then reached, with `changes` and `remarks` to match."""
        history = [(text, 0)]  # the text after each round, and how many changes led to it
        seen = {text: 0}
        for _ in range(MOST_ROUNDS):
            text = self._round(text)
            if text in seen:  # nothing changed, or steps that undo each other go round in circles
                return self._settle(history[seen[text] :])
            seen[text] = len(history)
            history.append((text, len(self.changes)))
        self.remarks[Step("pipeline")] = [Note("pipeline", 1, f"the text did not come to rest in {MOST_ROUNDS} rounds")]
        return text

    def notes(self) -> list[Note]:
        """What the steps said about the text they came to rest in."""
        return [note for remarks in self.remarks.values() for note in remarks]

    def _settle(self, circle: list[tuple[str, int]]) -> str:
        """Choose one text of the circle, the same from wherever the circle is entered."""
        text, count = min(circle, key=lambda member: (len(member[0]), member[0]))
        del self.changes[count:]
        return text

    def _round(self, text: str) -> str:
        document = Document(text, all_code=any(step.name == "code" for step in self.steps))
        for step in self.steps:
            if self.at_rest.get(step) == text:
                continue
            remarks: list[Note] = []
            edits = step.find(document, remarks.append)
            self.remarks[step] = remarks
            if edits:
                self.changes += to_changes(step.name, text, edits)
                text = apply_edits(text, edits)
                document = Document(text, document.all_code)
            else:
                self.at_rest[step] = text
        return text
