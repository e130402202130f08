"""Step `paragraphs`: drop paragraphs that say again what an earlier one said.

Exactly again: the same letters and digits, whatever the case, white space and punctuation. Nearly again: the same
numbers and at least 70 % of the sequences of three words in common. Candidates for the second are found by a sketch, the
eight least hashes of a paragraph's sequences (Broder, On the resemblance and containment of documents, 1997), so that
the time is linear in the text.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import nsmallest
from zlib import crc32

from longra.text.tidy.change import Edit
from longra.text.tidy.document import LIST_ITEM, Document, Line, paragraphs
from longra.text.tidy.scripts import weight
from longra.text.tidy.steps import Report

LEAST_WEIGHT = 8
"""Letters, an ideograph counting twice, of a paragraph that may not come again."""

LEAST_WEIGHT_OF_SPEECH = 40
"""The same for speech, in which "I don't know." may well come again."""

LEAST_WEIGHT_OF_LINE = 40
"""The same for a line that is a paragraph of its own though no blank line follows."""

SEQUENCE = 3
LEAST_WORDS = 20
LEAST_RESEMBLANCE = 0.7
SKETCH = 8
MOST_CANDIDATES = 16

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_STRUCTURE = re.compile(r" {0,3}(?:#{1,6}(?:\s|$)|\||[-*_=](?:\s*[-*_=]){2,}\s*$)")
_SPEECH = re.compile(r"\s*[\"“‘「『—–]")
_SENTENCE_END = re.compile(r"[。！？.!?…][\"'”’」』）)]*\s*$")


def find(document: Document, option: str, report: Report) -> Iterator[Edit]:  # noqa: ARG001
    """Removals of repeated paragraphs, each with the blank lines before it."""
    known, known_lines = _Known(), _Known()
    for block in document.prose:
        for lines in paragraphs(block):
            if known.has(lines):
                yield _removal(document.text, lines[0], lines[-1], "repeated paragraph")
            else:
                yield from _repeated_lines(document.text, lines, known_lines)


def _repeated_lines(text: str, lines: list[Line], known: "_Known") -> Iterator[Edit]:
    """Many texts, Chinese ones above all, end a paragraph with a single newline."""
    for line in lines:
        is_paragraph = _SENTENCE_END.search(line.text) and not _says_less_than(LEAST_WEIGHT_OF_LINE, line.text)
        if is_paragraph and not LIST_ITEM.match(line.text.lstrip()) and known.has([line]):
            yield _removal(text, line, line, "repeated line")


def _removal(text: str, first: Line, last: Line, kind: str) -> Edit:
    """The lines, and the blank ones before them."""
    start = first.start
    while text[start - 1].isspace():  # ends: an earlier paragraph has the same letters
        start -= 1
    start = text.index("\n", start)
    return Edit(start, text[start : last.end], "", kind)


def _says_less_than(least: int, text: str) -> bool:
    """Whether the text has less weight; looks no further than it must."""
    return sum(map(weight, text[: 4 * least])) < least and sum(map(weight, text)) < least


@dataclass
class _Known:
    """The paragraphs so far."""

    exact: set[str] = field(default_factory=set)
    sketches: dict[int, list[frozenset[int]]] = field(default_factory=lambda: defaultdict(list))
    """Least hash of a sequence -> the sequences of each paragraph that has it in its sketch."""

    def has(self, lines: list[Line]) -> bool:
        """Whether these lines repeat a known paragraph; if not, they are known from now on."""
        if any(_STRUCTURE.match(line.text) for line in lines):
            return False
        text = "\n".join(line.text for line in lines)
        least = LEAST_WEIGHT_OF_SPEECH if _SPEECH.match(text) else LEAST_WEIGHT
        if _says_less_than(least, text):
            return False
        words = [match.group().casefold() for match in _WORD.finditer(text)]
        key = " ".join(words)
        if key in self.exact:
            return True
        near = len(words) >= LEAST_WORDS and self._resembles(words)
        if not near:
            self.exact.add(key)
        return near

    def _resembles(self, words: list[str]) -> bool:
        numbers = crc32(" ".join(word for word in words if word[0].isdecimal()).encode())
        joined = (" ".join(words[i : i + SEQUENCE]) for i in range(len(words) - SEQUENCE + 1))
        sequences = frozenset(crc32(sequence.encode(), numbers) for sequence in joined)  # other numbers, other hashes
        sketch = nsmallest(SKETCH, sequences)
        for least in sketch:
            for other in self.sketches[least][-MOST_CANDIDATES:]:
                common = len(sequences & other)
                if common >= LEAST_RESEMBLANCE * (len(sequences) + len(other) - common):
                    return True
        for least in sketch:
            self.sketches[least].append(sequences)
        return False
