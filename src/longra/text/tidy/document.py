"""A text cut into prose and code blocks, once, so that every step means the same by "code"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

LIST_ITEM = re.compile(r"(?P<indent> *)(?P<marker>[-*+]|\d{1,9}[.)])(?P<gap> +|\t|$)")
"""A bullet or a number, and the space behind it (CommonMark 0.31, section 5.2)."""

_QUOTE = re.compile(r"(?: {0,3}> ?)*")
_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<item>(?:[-*+]|\d{1,9}[.)]) +)?(?P<marks>`{3,}|~{3,})(?P<info>.*)$")
_CLOSING = re.compile(r"(?P<indent>[ \t]*)(?P<marks>`{3,}|~{3,})[ \t]*\r?$")
_STARTS_WITH_CJK = re.compile(r"[\u3000-\u303f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef“‘—…]")
_SENTENCE_ENDS = tuple(mark + closer for mark in ".!?…" for closer in ("", "'", '"', "”", "’", ")"))


class Line(NamedTuple):
    """One line of the text: where it starts, and its characters without the newline."""

    start: int
    text: str

    @property
    def end(self) -> int:
        """Where the line's newline stands, or the end of the text."""
        return self.start + len(self.text)

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing but white space."""
        return not self.text.strip()


@dataclass(frozen=True)
class Fence:
    """The line that opens a fenced block."""

    indent: int
    """Columns before the marks."""
    marks: str
    info: str
    """What follows the marks: the language."""
    quotes: int
    """How many `>` stand before it."""

    def is_closed_by(self, line: str) -> bool:
        """A closing fence is at least as long, and not indented as code would be (CommonMark, section 4.5)."""
        quotes, rest = _split_quote(line)
        closing = _CLOSING.match(rest)
        return (
            closing is not None
            and quotes == self.quotes
            and closing["marks"][0] == self.marks[0]
            and len(closing["marks"]) >= len(self.marks)
            and _columns(closing["indent"]) < self.indent + 4
        )


@dataclass(frozen=True)
class Block:
    """Neighbouring lines that are all prose or all one block of code; a fenced block includes its fence lines."""

    lines: tuple[Line, ...]
    is_code: bool
    fence: Fence | None = None
    is_closed: bool = True

    @property
    def start(self) -> int:
        """First character."""
        return self.lines[0].start

    @property
    def end(self) -> int:
        """Behind the last character; the newline that follows is not part of the block."""
        return self.lines[-1].end

    @property
    def inner(self) -> tuple[Line, ...]:
        """The lines between the fences."""
        return self.lines[1:-1] if self.is_closed else self.lines[1:]

    @property
    def code(self) -> str:
        """What a fenced block holds, without the quotation marks and the indent that the fence has too."""
        indent = self.fence.indent if self.fence else 0
        rest = [_split_quote(line.text)[1] if self.fence and self.fence.quotes else line.text for line in self.inner]
        return "\n".join(line[min(indent, len(line) - len(line.lstrip(" "))) :] for line in rest)


class Document:
    """A text and its blocks. With `all_code` the whole text is taken as code."""

    def __init__(self, text: str, all_code: bool = False) -> None:
        self.text = text
        self.all_code = all_code

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """All lines, the last one too if it has no newline; only "\\n" ends a line."""
        lines: list[Line] = []
        start = 0
        for line in self.text.split("\n"):
            lines.append(Line(start, line))
            start += len(line) + 1
        return tuple(lines)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The text as alternating prose and code, by CommonMark's rules for fences and indented code, with some
        leniences for what models write: a closing fence may stand further left than the opening one, and in a list
        both may stand anywhere; and indented lines that read as prose are prose."""
        return tuple(_cut(self.lines))

    @cached_property
    def prose(self) -> tuple[Block, ...]:
        """The blocks that are not code."""
        return () if self.all_code else tuple(block for block in self.blocks if not block.is_code)

    @cached_property
    def tail(self) -> Block | None:
        """The prose that ends the text; None if the text ends with code."""
        last = self.blocks[-1]
        if last.is_code or self.all_code or all(line.is_blank for line in last.lines):
            return None
        return last

    @property
    def prose_lines(self) -> Iterator[Line]:
        """The lines that are not code."""
        for block in self.prose:
            yield from block.lines


def paragraphs(block: Block) -> Iterator[list[Line]]:
    """The runs of lines between blank lines."""
    run: list[Line] = []
    for line in block.lines:
        if not line.is_blank:
            run.append(line)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _cut(lines: tuple[Line, ...]) -> Iterator[Block]:
    start = 0
    at = 0
    item_width = 0  # column where the text of the list item around this line begins; 0 outside lists
    while at < len(lines):
        text = lines[at].text
        fence = _opening_fence(text, item_width)
        if fence:
            end, closed = _fence_end(lines, at, fence)
        elif not item_width and _starts_indented_code(lines, at):
            end, closed = _indented_end(lines, at), True
        else:
            item_width = _item_width_after(text, item_width)
            at += 1
            continue
        if start < at:
            yield Block(lines[start:at], is_code=False)
        yield Block(lines[at:end], is_code=True, fence=fence, is_closed=closed)
        start = at = end
    if start < len(lines):
        yield Block(lines[start:], is_code=False)


def _split_quote(line: str) -> tuple[int, str]:
    """How many `>` lead the line, and what follows them."""
    if ">" not in line:
        return 0, line
    match = _QUOTE.match(line)
    lead = match.group() if match else ""
    return lead.count(">"), line[len(lead) :] if ">" in lead else line


def _columns(indent: str) -> int:
    """Width of leading white space; a tab reaches to the next multiple of 4."""
    return len(indent.expandtabs(4))


def _opening_fence(line: str, item_width: int) -> Fence | None:
    if "```" not in line and "~~~" not in line:
        return None
    quotes, rest = _split_quote(line)
    match = _FENCE.match(rest)
    if match is None or (match["marks"][0] == "`" and "`" in match["info"]):
        return None
    indent = _columns(match["indent"])
    if not item_width and indent >= 4:  # a line of indented code; in a list a fence may stand anywhere
        return None
    return Fence(indent + len(match["item"] or ""), match["marks"], match["info"].strip(), quotes)


def _fence_end(lines: tuple[Line, ...], opening: int, fence: Fence) -> tuple[int, bool]:
    """Index behind the closing fence, and whether there is one; a quoted block also ends with its quotation."""
    for at in range(opening + 1, len(lines)):
        if fence.is_closed_by(lines[at].text):
            return at + 1, True
        if fence.quotes and _split_quote(lines[at].text)[0] < fence.quotes:
            return at, False
    return len(lines), False


def _item_width_after(text: str, item_width: int) -> int:
    """The column of the list item that the next line may belong to."""
    if not text.strip():
        return item_width
    item = LIST_ITEM.match(text.expandtabs(4))
    if item:
        return item.end() if item["gap"] else item.end() + 1
    indent = len(text) - len(text.lstrip(" \t"))
    return item_width if _columns(text[:indent]) >= min(item_width, 2) else 0


def _is_indented(text: str) -> bool:
    return bool(text.strip()) and (
        text.startswith("    ") or _columns(text[: len(text) - len(text.lstrip(" \t"))]) >= 4
    )


def _starts_indented_code(lines: tuple[Line, ...], at: int) -> bool:
    """Four columns of indent behind a blank line are code, unless they are how the author indents paragraphs."""
    if not _is_indented(lines[at].text) or (at > 0 and not lines[at - 1].is_blank):
        return False
    return not _reads_as_prose(lines[at].text.strip())


def _reads_as_prose(line: str) -> bool:
    """Chinese, or a capital letter, at least four words and the end of a sentence."""
    if _STARTS_WITH_CJK.match(line):
        return True
    return line.lstrip("\"'“‘(")[:1].isupper() and line.endswith(_SENTENCE_ENDS) and len(line.split(None, 4)) >= 4


def _indented_end(lines: tuple[Line, ...], at: int) -> int:
    """Index behind the last indented line; blank lines between indented ones belong to the code."""
    end = at
    for index in range(at, len(lines)):
        if _is_indented(lines[index].text):
            end = index + 1
        elif not lines[index].is_blank:
            break
    return end
