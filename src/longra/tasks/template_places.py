"""Where task templates live: the user's own folder first, then the package."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from longra.errors import UsageError
from longra.library.names import nearest
from longra.library.paths import existing_path, templates_folder


def own_templates() -> dict[str, Traversable]:
    """Longra's own, by name."""
    return _by_name(files("longra.tasks").joinpath("templates"))


def user_templates() -> dict[str, Traversable]:
    """The user's, by name; each takes the place of Longra's of that name."""
    folder = templates_folder()
    return _by_name(folder) if folder.is_dir() else {}


def find_template(name_or_path: str) -> Path | Traversable:
    """The file of a template: of a name, the user's before Longra's own; else the one at a path.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    known = own_templates() | user_templates()
    if name_or_path in known:
        return known[name_or_path]
    path = existing_path(name_or_path)
    if path is not None and path.is_file():
        return path
    near = nearest(name_or_path, known)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(known))}"
    raise UsageError(f"there is no template {name_or_path!r}; {hint} (a name of `longra templates`, or a file)")


def _by_name(folder: Traversable) -> dict[str, Traversable]:
    found = {file.name.removesuffix(".yaml"): file for file in folder.iterdir() if file.name.endswith(".yaml")}
    return dict(sorted(found.items()))
