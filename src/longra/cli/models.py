"""`longra models`: what is installed and what is known."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from longra.cli.shared import console
from longra.sizes import human_bytes

if TYPE_CHECKING:
    from longra.library.catalogue import Entry
    from longra.library.manifest import Manifest

COMMAND_OPTIONS = {"epilog": "Example:  longra models --json"}


def models(
    as_json: Annotated[bool, typer.Option("--json", help='Print one JSON object: {"models": [...]}.')] = False,
) -> None:
    """List the models that are installed, and the ones that `longra install` knows by name."""
    from longra.library import catalogue, store

    good, damaged = store.installed()
    rows = [_of_installed(manifest) for manifest in good]
    names = {row["name"] for row in rows}
    rows += [_of_known(entry) for entry in catalogue.entries().values() if entry.name not in names]
    for row in rows:
        row["default"] = row["name"] == catalogue.default_model()
    if as_json:
        console.result_json({"models": rows, "damaged": damaged})
        return
    header = ("NAME", "SIZE", "TASK", "CONTEXT", "LICENCE", "STATE")
    console.result(console.table(header, [_line(row) for row in rows], right=frozenset({1, 3})))
    for name in damaged:
        console.warning(f"the record of {name} cannot be read; type `longra remove {name}` and install it again")


def _of_installed(manifest: "Manifest") -> dict[str, Any]:
    facts = {"context": manifest.context, "licence": manifest.licence, "parameters": manifest.parameters}
    if manifest.context is None or manifest.licence is None:
        facts = {key: value if value is not None else _read(manifest).get(key) for key, value in facts.items()}
    return {
        "name": manifest.name,
        "installed": True,
        "bytes": manifest.bytes,
        "task": manifest.task,
        **facts,
        "source": manifest.source,
        "path": manifest.reference,
    }


def _of_known(entry: "Entry") -> dict[str, Any]:
    return {
        "name": entry.name,
        "installed": False,
        "bytes": entry.bytes,
        "task": entry.task,
        "context": entry.context,
        "licence": entry.licence,
        "parameters": entry.parameters,
        "source": entry.sources[0].source,
        "path": None,
    }


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    state = "installed" if row["installed"] else "known"
    return (
        row["name"],
        human_bytes(row["bytes"]) if row["bytes"] is not None else "-",
        row["task"] or "-",
        f"{row['context']:,}" if row["context"] is not None else "-",
        row["licence"] or "-",
        state + (", default" if row["default"] else ""),
    )


def _read(manifest: "Manifest") -> dict[str, Any]:
    """Context and licence from the model's own files, for a model that the catalogue does not know."""
    from longra.errors import LongraError
    from longra.files.checkpoint import open_checkpoint
    from longra.library import store

    try:
        checkpoint = open_checkpoint(store.path_of(manifest))
    except LongraError:
        return {}
    try:
        config = checkpoint.config
        prefix = config.get("general.architecture", "")
        keys = (f"{prefix}.context_length", "max_position_embeddings", "n_positions", "n_ctx")
        context = next((int(config[key]) for key in keys if isinstance(config.get(key), int)), None)
        return {"context": context, "licence": config.get("general.license")}
    finally:
        checkpoint.close()
