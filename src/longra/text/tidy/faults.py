"""Places that `longra tidy` would change: passages that repeat, and sentences that break off."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from longra.text.tidy import loops, paragraphs, sentence
from longra.text.tidy.document import LIST_ITEM, Document
from longra.text.tidy.document import paragraphs as paragraphs_of


@dataclass(frozen=True)
class Fault:
    """Characters text[start:end] that should not be there."""

    start: int
    end: int
    kind: str


def repeated_passages(document: Document) -> list[Fault]:
    """The loop at the end of the text, and paragraphs that an earlier one has said; see `longra.text.tidy`."""
    found = [*loops.find(document, "", _ignore), *paragraphs.find(document, "", _ignore)]
    return [Fault(edit.start, edit.start + len(edit.before), edit.kind) for edit in found]


def unfinished_sentences(document: Document) -> list[Fault]:
    """The unfinished end of the text, and of each paragraph that has a finished sentence before it.

    A paragraph within the text without any finished sentence may be a title or a verse, and one that ends in a colon
    introduces the next.
    """
    found = list(_unfinished_paragraphs(document))
    for edit in sentence.find(document, "", _ignore):
        end = edit.start + len(edit.before)
        if all(fault.end < end for fault in found):
            found.append(Fault(edit.start, end, edit.kind))
    return found


def _unfinished_paragraphs(document: Document) -> Iterator[Fault]:
    for block in document.prose:
        for lines in paragraphs_of(block):
            text = document.text[lines[0].start : lines[-1].end].rstrip()
            if text.endswith((":", "：")) or any(_is_structure(line.text) for line in lines):
                continue
            for edit in sentence.find(Document(text), "", _ignore):
                start = lines[0].start + edit.start
                yield Fault(start, start + len(edit.before), edit.kind)


def _is_structure(line: str) -> bool:
    """Whether it belongs to a list, a table or a quotation, whose items need not be sentences."""
    return LIST_ITEM.match(line.lstrip()) is not None or line.lstrip().startswith(("|", ">"))


def _ignore(_: Any) -> None:
    """What the steps would tell of what they leave alone."""
