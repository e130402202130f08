"""Programming languages: their names, their files, and how their functions end."""

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from longra.errors import UsageError
from longra.library.names import nearest


@dataclass(frozen=True)
class Language:
    """A programming language.

    Attributes:
        name: as a fence of Markdown and `--lang` have it.
        suffixes: of its files.
        blocks: what ends a function: less indent, or its closing brace; None where no rule is known.
        comment: what begins a comment that reaches to the end of the line.
    """

    name: str
    suffixes: tuple[str, ...]
    blocks: Literal["indent", "braces"] | None
    comment: str


_BRACES = {
    "c": (".c", ".h"),
    "cpp": (".cpp", ".cc", ".cxx", ".hpp", ".hh"),
    "csharp": (".cs",),
    "dart": (".dart",),
    "go": (".go",),
    "java": (".java",),
    "javascript": (".js", ".mjs", ".jsx"),
    "kotlin": (".kt", ".kts"),
    "php": (".php",),
    "rust": (".rs",),
    "scala": (".scala",),
    "swift": (".swift",),
    "typescript": (".ts", ".tsx"),
}
_OTHERS = {
    "bash": ((".sh", ".bash"), "#"),
    "haskell": ((".hs",), "--"),
    "lua": ((".lua",), "--"),
    "r": ((".r", ".R"), "#"),
    "ruby": ((".rb",), "#"),
    "sql": ((".sql",), "--"),
}
PYTHON = Language("python", (".py", ".pyi"), "indent", "#")
LANGUAGES = {
    language.name: language
    for language in (
        PYTHON,
        *(Language(name, suffixes, "braces", "//") for name, suffixes in _BRACES.items()),
        *(Language(name, suffixes, None, comment) for name, (suffixes, comment) in _OTHERS.items()),
    )
}
_SHORT = {
    "py": "python",
    "js": "javascript",
    "ts": "typescript",
    "c++": "cpp",
    "c#": "csharp",
    "rs": "rust",
    "sh": "bash",
}
_LOOKS_LIKE_PYTHON = re.compile(r"^\s*(?:def \w+\(|class \w+.*:|import \w+$|from \S+ import )", re.MULTILINE)


def language_named(name: str) -> Language:
    """The language of a name.

    Raises:
        UsageError: it is not known here; the message names the nearest.
    """
    short = name.strip().lower()
    found = LANGUAGES.get(_SHORT.get(short, short))
    if found is None:
        near = nearest(short, LANGUAGES)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(LANGUAGES))}"
        raise UsageError(f"there is no language {name!r}; {hint}")
    return found


def guess_language(code: str, file: PurePath | None = None) -> Language | None:
    """The language of a file, by its suffix; else Python if code looks like it, else None."""
    if file is not None:
        for language in LANGUAGES.values():
            if file.suffix in language.suffixes:
                return language
    return PYTHON if _LOOKS_LIKE_PYTHON.search(code) else None
