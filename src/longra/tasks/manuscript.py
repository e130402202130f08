"""A text in the making: it grows by paragraphs, and what says again what was said is not taken."""

from longra.text.tidy.document import Document
from longra.text.tidy.faults import repeated_passages
from longra.text.units import count

LOOK_EVERY = 16
"""Words or characters after which a paragraph is worth a look though it has not ended: a loop may have no end."""


class Manuscript:
    """Paragraphs that are kept, and the one in the making.

    Attributes:
        kept: the paragraphs so far; it only ever gets longer.
        open: the paragraph in the making.
    """

    def __init__(self) -> None:
        self.kept = ""
        self.open = ""
        self._shown = 0
        self._written = 0
        self._looked = 0

    @property
    def text(self) -> str:
        """All there is."""
        return self.kept + self.open

    @property
    def written(self) -> int:
        """Words and ideographs of all there is."""
        return self._written + count(self.open)

    def take(self) -> str:
        """What was kept since the last call."""
        whole = self.kept.rstrip()
        fresh, self._shown = whole[self._shown :], max(self._shown, len(whole))
        return fresh

    def add(self, piece: str) -> bool:
        """The open paragraph grows; whether there is so much new that it is worth a look."""
        self.open += piece
        if "\n" not in piece and count(self.open) < self._looked + LOOK_EVERY:
            return False
        self._looked = count(self.open)
        return True

    def cut_repeats(self) -> bool:
        """Whether the open paragraph repeats something; what repeats is gone then, and all before it is kept."""
        faults = repeated_passages(Document(self.text))
        new = [fault.start for fault in faults if fault.end > len(self.kept)]
        if new:
            self.keep(min(new))
        return bool(new)

    def keep_paragraphs(self) -> None:
        """Keep the paragraphs that are whole; a heading waits for what stands below it."""
        lines = self.open.splitlines(keepends=True)
        if lines and not lines[-1].endswith("\n"):
            lines.pop()
        while lines and (not lines[-1].strip() or lines[-1].startswith("#")):
            lines.pop()
        self._move(sum(map(len, lines)))

    def new_paragraph(self) -> None:
        """Keep all; what comes next begins a paragraph."""
        self.keep(len(self.text))
        if self.kept:
            self.open = "\n\n"

    def keep(self, end: int) -> None:
        """Keep the text up to a place, or what is kept already if that is more; the rest is gone."""
        whole = len(self.text[:end].rstrip())
        self.open = self.open[: max(whole - len(self.kept), 0)]
        self._move(len(self.open))

    def _move(self, length: int) -> None:
        """So much of the open paragraph is kept."""
        self.kept, self.open = self.kept + self.open[:length], self.open[length:]
        self._written = count(self.kept)
        self._looked = count(self.open)
