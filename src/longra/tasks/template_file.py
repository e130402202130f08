"""Reads a task template's YAML, and checks every key and value of it."""

from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from typing import Any

from longra.errors import TemplateError, UsageError
from longra.sampling import GenerationConfig

FIELDS: dict[str, tuple[str, ...]] = {
    "text": ("request", "length", "unit"),
    "code": ("request", "code", "lang", "comment"),
    "translate": ("text", "source", "target", "context", "glossary", "keep"),
}
"""Task -> what the texts of its templates may name."""

FORMS = {"chat": ("system", "user", "answer", "more"), "base": ("text",)}
"""Kind of model -> the texts that it may be given."""

_NEEDED = {"chat": "user", "base": "text"}
_KEYS = ("task", "about", "chat", "base", "sampling", "tidy")
_NOT_SAMPLING = ("stop", "logit_bias", "logprobs", "num_sequences", "draft_text")
SAMPLING = tuple(name for name in GenerationConfig.__dataclass_fields__ if name not in _NOT_SAMPLING)
LARGEST = 1 << 16
"""Bytes of a template; it is meant to be read."""


class _Wrong(Exception):  # noqa: N818 (never leaves this file)
    """A key, and what is wrong with it."""


def read_template(path: Traversable) -> dict[str, Any]:
    """The fields of a `Template` but its name and source.

    Raises:
        TemplateError: the file cannot be read or is wrong; the message names it, the key and what is allowed.
    """
    try:
        return _checked(_parsed(path))
    except OSError as error:
        raise TemplateError(f"cannot read {path}: {error.strerror}") from None
    except _Wrong as error:
        raise TemplateError(f"{path}: {error}") from None


def _parsed(path: Traversable) -> Any:
    import yaml

    data = path.read_bytes()
    if len(data) > LARGEST:
        raise _Wrong(f"has {len(data):,} bytes, and a template {LARGEST:,} at most")
    try:
        return yaml.safe_load(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _Wrong(f"is not UTF-8 (byte {data[error.start]:#04x} at {error.start:,})") from None
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = "" if place is None else f"line {place.line + 1}: "
        raise _Wrong(f"{where}{getattr(error, 'problem', None) or error}; it must be YAML") from None
    except (RecursionError, ValueError) as error:  # nested too deeply; a date that is none
        raise _Wrong(f"{error}; it must be YAML") from None


def _checked(value: Any) -> dict[str, Any]:
    table = _table("the file", value, _KEYS)
    task = _choice("task", table.get("task"), FIELDS)
    forms = {kind: _form(kind, table[kind], task) for kind in FORMS if table.get(kind) is not None}
    if not forms:
        raise _Wrong("has neither `chat:` nor `base:`; add at least one")
    return {
        "task": task,
        "about": " ".join(_text("about", table.get("about", "")).split()),
        "chat": forms.get("chat"),
        "base": forms.get("base"),
        "stops": {kind: _stops(f"{kind}.stop", table[kind].get("stop")) for kind in forms},
        "defaults": _sampling(table.get("sampling")),
        "tidy": _tidy(table.get("tidy")),
    }


def _form(kind: str, value: Any, task: str) -> dict[str, str]:
    table = _table(kind, value, (*FORMS[kind], "stop"))
    if _NEEDED[kind] not in table:
        raise _Wrong(f"`{kind}` has no `{_NEEDED[kind]}`, which is what the model reads")
    texts = {key: _text(f"{kind}.{key}", table[key]) for key in FORMS[kind] if key in table}
    for key, text in texts.items():
        _check_jinja(f"{kind}.{key}", text, FIELDS[task])
    return texts


def _check_jinja(key: str, text: str, fields: tuple[str, ...]) -> None:
    from jinja2 import TemplateError as JinjaError
    from jinja2 import meta

    from longra.text.template_sandbox import LimitedEnvironment

    try:
        named = meta.find_undeclared_variables(LimitedEnvironment().parse(text))
    except (JinjaError, RecursionError) as error:
        raise _Wrong(f"`{key}` is no Jinja: {error}") from None
    for name in sorted(named - set(fields)):
        raise _Wrong(f"`{key}` names {name!r}; it may name {', '.join(fields)}")


def _sampling(value: Any) -> dict[str, Any]:
    table = {} if value is None else _table("sampling", value, SAMPLING)
    try:
        GenerationConfig(**table)
    except UsageError as error:
        raise _Wrong(f"`sampling`: {error}") from None
    return table


def _tidy(value: Any) -> str | None:
    if value is None or value == "none":
        return None
    from longra.text.tidy import parse_steps

    steps = _text("tidy", value)
    try:
        parse_steps(steps)
    except UsageError as error:
        raise _Wrong(f"`tidy`: {error}, none") from None
    return steps


def _stops(key: str, value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(item, str) and item for item in values):
        raise _Wrong(f"`{key}` is {value!r}; it must be a list of texts that are not empty")
    return tuple(values)


def _table(key: str, value: Any, allowed: Iterable[str]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _Wrong(f"{key} is no table; it must have the keys {', '.join(allowed)}")
    for name in value:
        if name not in allowed:
            raise _Wrong(f"{key} has the key {name!r}; it may have {', '.join(allowed)}")
    return dict(value)


def _choice(key: str, value: Any, allowed: Iterable[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise _Wrong(f"`{key}` is {value!r}; it must be {', '.join(allowed)}")
    return value


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong(f"`{key}` is {value!r}; it must be a text")
    return value
