"""How what a user types finds a model: exact, then unique prefix, else the nearest name is suggested."""

import re
from collections.abc import Iterable

from longra.errors import ModelNotFoundError, UsageError

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,95}")


def match(typed: str, names: Iterable[str]) -> str | None:
    """The name that is meant: the same but for case, or the only one that starts so; None if there is no such.

    Raises ModelNotFoundError if several names start so, naming them."""
    wanted = typed.lower()
    known = sorted(set(names))
    exact = [name for name in known if name.lower() == wanted]
    if exact:
        return exact[0]
    starting = [name for name in known if wanted and name.lower().startswith(wanted)]
    if len(starting) > 1:
        raise ModelNotFoundError(
            f"{typed!r} is the start of {len(starting)} names: {', '.join(starting)}; type more of it"
        )
    return starting[0] if starting else None


def nearest(typed: str, names: Iterable[str]) -> list[str]:
    """Up to three names that look like what was typed, best first."""
    import difflib  # late: only a wrong name needs it

    wanted = typed.lower().rsplit("/", 1)[-1]
    known = sorted(set(names))
    inside = [name for name in known if len(wanted) >= 3 and wanted in name.lower()]
    alike = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    return list(dict.fromkeys(inside + alike))[:3]


def checked_name(name: str) -> str:
    """name, if it can serve as a model's name and folder; raises UsageError if not."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a model's name: use 1 to 96 of a-z, 0-9, '.', '_' and '-',"
            " starting with a letter or digit"
        )
    return name


def slug(text: str) -> str:
    """A model's name made from a repository's, file's or package's name: "SmolLM2 Q4.gguf" -> "smollm2-q4"."""
    stem = re.sub(r"\.(gguf|safetensors|bin)$", "", text.strip().lower())
    cleaned = re.sub(r"[^a-z0-9._]+", "-", stem).strip("-._")
    return cleaned[:96] or "model"
