"""`longra remove`: take an installed model out of the store."""

from typing import Annotated

import typer

from longra.cli import console

COMMAND_OPTIONS = {"epilog": "Example:  longra remove codegen-350m-mono"}


def remove(
    name: Annotated[str, typer.Argument(help="The name of an installed model, or the start of it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object: name and bytes freed.")] = False,
) -> None:
    """Remove an installed model, or what an unfinished install has left.

    A model that was installed from a path stays there; Longra only forgets it."""
    from longra.library import name_to_remove, store
    from longra.library.progress import Reporter

    found = name_to_remove(name)
    freed = store.remove(found, Reporter())
    if as_json:
        console.result_json({"name": found, "bytes_freed": freed})
    else:
        console.result(f"removed {found}, {console.human_bytes(freed)} freed")
