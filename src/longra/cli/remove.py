"""`longra remove`: take an installed model out of the store, or empty the prefix cache."""

from typing import Annotated

import typer

from longra.cli.shared import console
from longra.errors import UsageError
from longra.sizes import human_bytes

COMMAND_OPTIONS = {"epilog": "Examples:  longra remove codegen-350m-mono   |   longra remove --prefix-cache"}


def remove(
    name: Annotated[str | None, typer.Argument(help="The name of an installed model, or the start of it.")] = None,
    prefix_cache: Annotated[bool, typer.Option("--prefix-cache", help="Empty the prefix cache on disk.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object: name and bytes freed.")] = False,
) -> None:
    """Remove an installed model, what an unfinished install has left, or the prefix cache.

    A model that was installed from a path stays there; Longra only forgets it."""
    if prefix_cache == (name is not None):
        raise UsageError("give the name of an installed model, or --prefix-cache; `longra models` lists the names")
    what, freed = _empty_cache() if name is None else _remove(name)
    if as_json:
        console.result_json({"name": what, "bytes_freed": freed})
    else:
        console.result(f"removed {what or 'the prefix cache'}, {human_bytes(freed)} freed")


def _remove(name: str) -> tuple[str, int]:
    from longra.library import name_to_remove, store
    from longra.library.progress import Reporter

    found = name_to_remove(name)
    return found, store.remove(found, Reporter())


def _empty_cache() -> tuple[None, int]:
    from longra.engine.page_folder import clear
    from longra.library.cache import cache_folder

    folder = cache_folder()
    return None, 0 if folder is None else clear(folder)
