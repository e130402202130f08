"""Where the function ends that a model goes on with.

The function is the innermost one that is open where the model begins to write, or else the first that it begins itself.
In Python it ends before the first line that is indented no more than its `def` or `class`, outside of strings and
brackets, and before the comments above that line; in languages with braces, behind the brace that closes it. Blocks of
`if`, `for` and their like are no functions. Only whole lines are looked at.
"""

import re

from longra.tasks.coding.languages import Language

_HEAD = re.compile(r"(?P<indent>[ \t]*)(?:async\s+def|def|class)\b")
_PYTHON = re.compile(
    r"(?s:'''(?:\\.|.)*?(?:'''|\Z)|\"\"\"(?:\\.|.)*?(?:\"\"\"|\Z))|'(?:\\.|[^'\\\n])*'?|\"(?:\\.|[^\"\\\n])*\"?|#[^\n]*|[(\[{}\])]|\n"
)
_BRACED = re.compile(r"(?s:/\*.*?(?:\*/|\Z))|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"?|`[^`]*`?|'(?:\\.|[^'\\\n])*'|[{}]")
_CLOSING = re.compile(r"[;),]*")
_CONTROL = re.compile(r"\b(?:if|else|for|while|do|switch|case|match|loop|try|catch|finally|unsafe|select|when)\b")


def function_end(before: str, written: str, language: Language | None) -> int | None:
    """Where the function ends.

    Args:
        before: code before the place where the model began.
        written: what it has written.

    Returns:
        a place in `written`; None while the function goes on, or where there is no rule for the language.
    """
    whole = before + written[: written.rfind("\n") + 1]
    if language is None or language.blocks is None or len(whole) <= len(before):
        return None
    find = _indent_end if language.blocks == "indent" else _brace_end
    end = find(whole, len(before))
    return None if end is None else end - len(before)


def _indent_end(code: str, begin: int) -> int | None:
    heads: list[int] = []  # indents of the functions and classes that are open
    target: int | None = None
    for start in _statements(code):
        line = code[start:].split("\n", 1)[0]
        indent = len(line) - len(line.lstrip())
        if start >= begin:
            target = heads[-1] if target is None and heads else target
            if target is not None and indent <= target:
                if code[begin:start].strip():
                    return _behind_code(code[:start], target)
                target = None  # it had ended before
        heads = [head for head in heads if head < indent]
        if _HEAD.match(line):
            heads.append(indent)
    return None


def _behind_code(code: str, indent: int) -> int:
    """The end of the code without blank lines, and comments indented so little, at its end: they belong to what follows."""
    lines = code.rstrip().split("\n")
    while len(lines) > 1 and _comment_at(lines[-1], indent):
        lines = "\n".join(lines[:-1]).rstrip().split("\n")
    return len("\n".join(lines))


def _comment_at(line: str, indent: int) -> bool:
    text = line.lstrip()
    return text.startswith("#") and len(line) - len(text) <= indent


def _statements(code: str) -> list[int]:
    """Where lines start that are not blank, not comments, and not within a string or brackets."""
    starts, open_brackets = [0], 0
    for mark in _PYTHON.finditer(code):
        sign = mark.group()
        if sign in "([{":
            open_brackets += 1
        elif sign in ")]}":
            open_brackets -= 1
        elif sign == "\n" and open_brackets <= 0:
            starts.append(mark.end())
    return [start for start in starts if code[start:].lstrip(" \t")[:1] not in ("", "\n", "#", ")", "]", "}")]


def _brace_end(code: str, begin: int) -> int | None:
    open_braces: list[bool] = []  # whether each is a function's, or a class's
    target: int | None = None
    for mark in _BRACED.finditer(code):
        if mark.start() >= begin and target is None and any(open_braces):
            target = len(open_braces) - 1 - open_braces[::-1].index(True)
        if mark.group() == "{":
            head = code[code.rfind("\n", 0, mark.start()) + 1 : mark.start()]
            open_braces.append(_CONTROL.search(head) is None)
        elif mark.group() == "}" and open_braces:
            open_braces.pop()
            if mark.start() >= begin and len(open_braces) == target:
                closing = _CLOSING.match(code, mark.end())
                return closing.end() if closing else mark.end()
    return None
