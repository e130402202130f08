"""gettext catalogues, line by line: polib wraps strings anew and sets comments its own way (docs/design.md).

An empty `msgstr` is filled from its `msgid`; all else stays, what is translated already and the header among it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from longra.tasks.translation.document import Document, Segment, Wanted
from longra.tasks.translation.formats import plain
from longra.tasks.translation.formats.plain import lines_of

_FIELD = re.compile(r'\s*(?P<name>msgctxt|msgid|msgid_plural|msgstr(?:\[\d+\])?)\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*$')
_MORE = re.compile(r'\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*$')
_ESCAPE = re.compile(r"\\(?:[0-7]{1,3}|x[0-9A-Fa-f]{2}|.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_SPELLED = {character: f"\\{letter}" for letter, character in _ESCAPED.items()} | {'"': '\\"', "\\": "\\\\"}


@dataclass
class _Field:
    """A keyword with its string: what it is called, its value, its line, and its characters in the file."""

    name: str
    value: str
    line: int
    start: int
    end: int


@dataclass
class _Entry:
    """A message and its translations."""

    fields: list[_Field] = field(default_factory=list)

    def __getitem__(self, name: str) -> _Field | None:
        return next((found for found in self.fields if found.name == name), None)

    @property
    def translations(self) -> list[_Field]:
        """The `msgstr`s."""
        return [found for found in self.fields if found.name.startswith("msgstr")]


@dataclass(frozen=True)
class _Message:
    """An empty `msgstr`, and what it is to be a translation of."""

    name: str
    start: int
    end: int
    kept: str
    newline: str
    source: Document
    line: int

    @property
    def segments(self) -> Sequence[Segment]:
        """The sentences of the message, each with the line of its `msgid`."""
        return [Segment(segment.text, self.line) for segment in self.source.segments]

    def write(self, translations: Sequence[str | None], spaced: bool) -> str:
        """The `msgstr`, in the lines that the message has; empty as it was if a sentence of it stays untranslated."""
        if None in translations:
            return self.kept
        lines = "".join(self.source.write(iter(translations), spaced)).splitlines(keepends=True)
        strings = [f'"{_escaped(line)}"' for line in (lines if len(lines) < 2 else ["", *lines])]
        return f"{self.name} {self.newline.join(strings)}"


def read(text: str, wanted: Wanted) -> Document:
    """A catalogue; its entries have nothing to do with each other, so each is a chain of its own."""
    newline = "\r\n" if "\r\n" in text else "\n"
    chains = []
    for entry in _entries(text):
        messages = []
        for target in entry.translations:
            source = _source(entry, target)
            if source is None or not source.value or target.value:
                continue
            message = plain.read(source.value, wanted)
            if message.segments:
                kept = text[target.start : target.end]
                messages.append(_Message(target.name, target.start, target.end, kept, newline, message, source.line))
        if messages:
            chains.append(messages)
    return Document(text, chains)


def _source(entry: _Entry, target: _Field) -> _Field | None:
    """What a `msgstr` translates: the plural, but for the first of several forms."""
    plural = entry["msgid_plural"]
    first = target.name in ("msgstr", "msgstr[0]")
    return entry["msgid"] if plural is None or (first and len(entry.translations) > 1) else plural


def _entries(text: str) -> Iterator[_Entry]:
    entry = _Entry()
    is_open = False  # whether a string may go on in the next line
    for number, line in enumerate(lines_of(text), 1):
        begins, more = _FIELD.match(line.text), _MORE.match(line.text)
        if begins:
            if begins["name"] in ("msgctxt", "msgid") and entry.translations:
                yield entry
                entry = _Entry()
            start = line.start + begins.start("name")
            entry.fields.append(_Field(begins["name"], _unescaped(begins["value"]), number, start, line.end))
        elif more and is_open:
            entry.fields[-1].value += _unescaped(more["value"])
            entry.fields[-1].end = line.end
        is_open = begins is not None or (more is not None and is_open)
    yield entry


def _unescaped(value: str) -> str:
    def character(match: re.Match[str]) -> str:
        code = match[0][1:]
        if code[0] in "01234567":
            return chr(int(code, 8))
        return chr(int(code[1:], 16)) if code[0] == "x" and len(code) > 1 else _ESCAPED.get(code, code)

    return _ESCAPE.sub(character, value)


def _escaped(value: str) -> str:
    return "".join(_SPELLED.get(character, character) for character in value)
