"""`longra templates`: what Longra says to models for each task, to read, to copy and to change."""

import re
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Annotated

import typer

from longra.cli.shared import console, options
from longra.errors import LongraError, UsageError

if TYPE_CHECKING:
    from longra.tasks.template import Template

COMMAND_OPTIONS = {"epilog": "Examples:  longra templates text   |   longra templates text --copy story"}

_NAME = re.compile(r"\w[\w.-]{0,63}")


def templates(
    name: Annotated[str | None, typer.Argument(metavar="NAME|FILE", help="The one to show; all unless given.")] = None,
    copy: Annotated[
        str | None,
        typer.Option(metavar="NEW", help="Copy it to your own folder under this name, to change it there."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List the templates of tasks, show one, or copy one.

    A template in your own folder takes the place of Longra's of the same name; under another name, `--template NAME`
    uses it.
    """
    if name is None:
        if copy is not None:
            raise UsageError(f"--copy {copy} needs a NAME to copy; `longra templates` lists them")
        _list(as_json)
        return
    from longra.tasks.template_places import find_template

    file = find_template(name)
    if copy is not None:
        _copy(file, copy)
    elif as_json:
        from longra.tasks.template import Template

        console.result_json(_row(Template.load(name)))
    else:
        console.write(file.read_text(encoding="utf-8"))
        console.note(f"({file})")


def _list(as_json: bool) -> None:
    from longra.library.paths import templates_folder
    from longra.tasks.template import Template
    from longra.tasks.template_places import own_templates, user_templates

    mine = user_templates()
    rows = []
    for name in sorted(own_templates() | mine):
        try:
            rows.append(_row(Template.load(name)))
        except LongraError as error:  # the others can be used
            console.warning(str(error))
    if as_json:
        console.result_json({"templates": rows, "folder": str(templates_folder())})
        return
    lines = [(row["name"], row["task"], "yours" if row["name"] in mine else "", row["about"]) for row in rows]
    console.result(console.table(("TEMPLATE", "TASK", "", "WHAT IT IS FOR"), lines))


def _row(template: "Template") -> dict[str, str]:
    return {"name": template.name, "task": template.task, "about": template.about, "file": template.source}


def _copy(file: Traversable, name: str) -> None:
    from longra.cli.shared.saving import save_text
    from longra.library.paths import templates_folder

    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be a template's name; use letters, digits, '.', '_' and '-'")
    folder = templates_folder()
    target = folder / f"{name}.yaml"
    if target.exists():
        raise UsageError(f"{target} is there already; change it, delete it, or give another name")
    folder.mkdir(parents=True, exist_ok=True)
    save_text(target, file.read_text(encoding="utf-8"))
    console.result(str(target))
