"""What people judge: the outputs of several systems, matched by id or by order."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longra.errors import LongraError, UsageError
from longra.evaluate.json_lines import kind_of, lines_of, object_of, split_field

_NAMED = 5
"""So many ids are told in a message."""

_QUOTED = 40


@dataclass(frozen=True)
class Item:
    """One prompt and what each system made of it.

    Attributes:
        id: as in the files; the number of the line where they have none.
        prompt: "" where no file has one.
        texts: system -> its output.
    """

    id: str
    prompt: str
    texts: dict[str, str]


@dataclass(frozen=True)
class Fields:
    """Where a line's object holds what. The text's field is named behind its file (`out.jsonl:answer`); else it is `text`."""

    id: str = "id"
    prompt: str = "prompt"


@dataclass(frozen=True)
class Outputs:
    """All systems' outputs.

    Attributes:
        systems: their names, from their files'.
        items: those that all systems have, in the order of the first file.
        notes: what was left out, and why.
    """

    systems: tuple[str, ...]
    items: tuple[Item, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Row:
    id: str | None
    prompt: str
    text: str


def read_outputs(sources: Sequence[str], fields: Fields) -> Outputs:
    """Read one JSON lines file for each system, and match what belongs together.

    Lines are matched by their ids; by their order where no line has one.

    Raises:
        LongraError: a file cannot be read, lacks a field, has an id twice or on some lines only; there is another prompt
            or another number of lines than in the first file; no item is in all files.
        UsageError: a file is named twice.
    """
    notes: list[str] = []
    files = {name: _read(source, fields, notes) for name, source in _named(sources).items()}
    with_ids = {name for name, rows in files.items() if rows[0].id is not None}
    if not with_ids:
        _same_length(files)
    elif len(with_ids) < len(files):
        without = next(name for name in files if name not in with_ids)
        raise LongraError(
            f"{without} has no ids and {min(with_ids)} has; give both a field {fields.id!r}, or name another: --id-field NAME"
        )
    rows = {
        name: {str(i) if row.id is None else row.id: row for i, row in enumerate(found, 1)}
        for name, found in files.items()
    }
    first = next(iter(rows.values()))
    common = [id_ for id_ in first if all(id_ in found for found in rows.values())]
    if not common:
        raise LongraError(
            f"no item is in all of {_listed(list(files))}; ids are compared as texts, look at {fields.id!r}"
        )
    notes += _missing(rows)
    return Outputs(tuple(files), tuple(_item(id_, rows) for id_ in common), tuple(notes))


def _named(sources: Sequence[str]) -> dict[str, str]:
    """Each system's source by its name: the file's, with its folder where names would be the same."""
    if len(set(sources)) < len(sources):
        raise UsageError("a file is named twice; give each system once")
    paths = [Path(split_field(source)[0]) for source in sources]
    stems = [path.stem for path in paths]
    names = stems if len(set(stems)) == len(stems) else list(sources)
    return dict(zip(names, sources, strict=True))


def _read(source: str, fields: Fields, notes: list[str]) -> list[_Row]:
    path, field = split_field(source)
    text_field = "text" if field is None else field
    rows: list[_Row] = []
    lines: dict[str | None, int] = {}
    several = 0
    for number, line in lines_of(path):
        if not line.strip():
            continue
        found = object_of(path, number, line)
        where = f"{path}, line {number:,}"
        row = _Row(
            _id(found.get(fields.id), where), _prompt(found, fields.prompt, where), _text(found, text_field, where)
        )
        if rows and (row.id is None) != (rows[0].id is None):
            raise LongraError(f"{where}: some lines have a field {fields.id!r} and some do not; give all one, or none")
        if row.id is not None and row.id in lines:
            raise LongraError(f"{where}: the id {row.id!r} was on line {lines[row.id]:,} already; each must come once")
        several += "sequences" in found
        lines[row.id] = number
        rows.append(row)
    if not rows:
        raise LongraError(f'{path} is empty; it must have one object a line, such as {{"id": 1, "text": "..."}}')
    if several:
        notes.append(f"{path}: {several:,} of {len(rows):,} lines hold several texts; the first of each is judged")
    return rows


def _id(value: Any, where: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise LongraError(f"{where}: the id is {kind_of(value)}; it must be a text or a whole number")
    return str(value)


def _prompt(found: dict[str, Any], field: str, where: str) -> str:
    return "" if found.get(field) is None else _text(found, field, where)


def _text(found: dict[str, Any], field: str, where: str) -> str:
    if field not in found:
        there = ", ".join(found) or "none"
        raise LongraError(
            f"{where} has no field {field!r}; it has {there}. Name the field of the text: FILE.jsonl:FIELD"
        )
    text = found[field]
    if not isinstance(text, str):
        raise LongraError(f"{where}: the field {field!r} is {kind_of(text)}, not a text")
    return text


def _same_length(files: dict[str, list[_Row]]) -> None:
    (first, rows), *others = files.items()
    for name, found in others:
        if len(found) != len(rows):
            raise LongraError(
                f"{name} has {len(found):,} lines and {first} has {len(rows):,}; "
                'without ids line by line must belong together: give each line a field "id", or look for lost lines'
            )


def _missing(rows: dict[str, dict[str, _Row]]) -> list[str]:
    """What is left out because not every system has it."""
    everything = list(dict.fromkeys(id_ for found in rows.values() for id_ in found))
    return [
        f"{name} lacks {len(lacking):,} of {len(everything):,} items, which are left out: {_listed(lacking)}"
        for name, found in rows.items()
        if (lacking := [id_ for id_ in everything if id_ not in found])
    ]


def _item(id_: str, rows: dict[str, dict[str, _Row]]) -> Item:
    prompts: dict[str, str] = {}
    for name, found in rows.items():
        if found[id_].prompt:
            prompts.setdefault(found[id_].prompt, name)
    if len(prompts) > 1:
        (one, first), (other, second), *_ = prompts.items()
        raise LongraError(
            f"item {id_} has another prompt in {second} ({_quoted(other)}) than in {first} ({_quoted(one)}); "
            "only answers to the same prompt can be compared"
        )
    return Item(id_, next(iter(prompts), ""), {name: found[id_].text for name, found in rows.items()})


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _quoted(text: str) -> str:
    words = " ".join(text.split())
    return f"{words[:_QUOTED]!r}..." if len(words) > _QUOTED else repr(words)
