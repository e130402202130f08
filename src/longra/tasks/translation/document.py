"""A document as a translator sees it: passages that are translated sentence by sentence, and all else, which stays."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

Wanted = Callable[[str], bool]
"""Whether there is something to translate in a sentence."""

CHAIN = 20
"""Segments, about two pages: so many are translated one after the other, each with those before it in sight. Chains are
translated side by side, so where they begin depends on the document alone."""


@dataclass(frozen=True)
class Segment:
    """A sentence, or what stands for one: a heading, a cell of a table, a subtitle.

    Attributes:
        text: in one line, as the model reads it.
        line: where it begins in the document, from 1.
    """

    text: str
    line: int


class Passage(Protocol):
    """A stretch of the document, and the segments that are translated in it."""

    @property
    def start(self) -> int:
        """First character of what is written anew."""

    @property
    def end(self) -> int:
        """Behind the last one."""

    @property
    def segments(self) -> Sequence[Segment]:
        """What is to be translated, in order; at least one."""

    def write(self, translations: Sequence[str | None], spaced: bool) -> str:
        """What comes to stand there.

        Args:
            translations: of each segment; None for one that stays as it is.
            spaced: whether the target language has spaces between sentences.
        """


@dataclass(frozen=True)
class Document:
    """A text and its passages, in order, in chains; what was before the text is the byte order mark that some editors write."""

    text: str
    chains: Sequence[Sequence[Passage]]
    mark: str = ""

    @property
    def passages(self) -> Iterator[Passage]:
        """All of them."""
        return (passage for chain in self.chains for passage in chain)

    @property
    def segments(self) -> list[Segment]:
        """All of them, in order."""
        return [segment for passage in self.passages for segment in passage.segments]

    def write(self, translations: Iterator[str | None], spaced: bool) -> Iterator[str]:
        """The translated document, in pieces: each as soon as there are the translations for it.

        Args:
            translations: of all segments, in order; None for one that stays as it is.
        """
        yield self.mark
        at = 0
        for passage in self.passages:
            yield self.text[at : passage.start]
            yield passage.write([next(translations) for _ in passage.segments], spaced)
            at = passage.end
        yield self.text[at:]


def chained(passages: Sequence[Passage], begins: Callable[[Passage], bool] = lambda _: False) -> list[list[Passage]]:
    """Passages in chains of CHAIN segments or somewhat more.

    Args:
        begins: whether a new chain must begin with a passage, as with a heading, if the last one is at least half full.
    """
    chains: list[list[Passage]] = []
    size = CHAIN
    for passage in passages:
        if size >= CHAIN or (size >= CHAIN // 2 and begins(passage)):
            chains.append([])
            size = 0
        chains[-1].append(passage)
        size += len(passage.segments)
    return chains
