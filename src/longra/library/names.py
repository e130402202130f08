"""How what a user types finds a model: exact, then unique prefix, else the nearest name is suggested."""

import re
from collections.abc import Iterable

from longra.errors import ModelNotFoundError, UsageError

_ALIKE = 0.6
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
    from difflib import SequenceMatcher  # late: only a wrong name needs it

    wanted = typed.lower().rsplit("/", 1)[-1]
    if not wanted:
        return []

    def likeness(name: str) -> float:
        """0 to 1, of the whole name or of a part of it: people type the family, or the size."""
        start = name[: len(wanted)]
        return max(SequenceMatcher(None, wanted, part).ratio() for part in (name, start, *name.split("-")))

    ranked = sorted(((likeness(name), name) for name in set(names)), key=lambda pair: (-pair[0], pair[1]))
    close = [(score, name) for score, name in ranked if score >= _ALIKE]
    return [name for score, name in close if score > close[0][0] - 0.1][:3]


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
