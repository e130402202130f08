"""`longra verify`: hash the files of installed models again."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from longra.cli.shared import console
from longra.sizes import counted, human_bytes

if TYPE_CHECKING:
    from longra.library.manifest import Manifest

COMMAND_OPTIONS = {"epilog": "Example:  longra verify smollm2-135m-instruct"}


def verify(
    name: Annotated[
        str | None, typer.Argument(help="An installed model, or the start of its name; all if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help='Print one JSON object: {"models": [...]}.')] = False,
) -> None:
    """Hash the files of installed models again and compare with what was recorded when they were installed.

    The exit code is 1 if a file is missing or changed."""
    from longra.errors import ModelNotFoundError
    from longra.library import find_installed, store

    if name is None:
        manifests, damaged = store.installed()
    else:
        found = find_installed(name)
        if found is None:
            raise ModelNotFoundError(f"{name} is not installed; `longra models` lists what is")
        manifests, damaged = [found], []
    reports = [_report(manifest, quiet=as_json) for manifest in manifests]
    for broken in damaged:
        console.warning(f"the record of {broken} cannot be read; type `longra remove {broken}` and install it again")
    if as_json:
        console.result_json({"models": reports, "damaged": damaged})
    elif not reports and not damaged:
        console.note("no model is installed; `longra models` lists the known ones")
    if damaged or not all(report["ok"] for report in reports):
        raise typer.Exit(1)


def _report(manifest: "Manifest", quiet: bool) -> dict[str, Any]:
    from longra.library import store
    from longra.library.catalogue import entries

    differences = store.verify(manifest)
    if not quiet:
        size = human_bytes(manifest.bytes)
        console.result(
            f"{manifest.name}  {'changed' if differences else 'ok'}  {counted(len(manifest.files), 'file')}, {size}"
        )
        for difference in differences:
            console.result(f"  {difference.path}: expected {difference.expected}, found {difference.found}")
        if differences:
            known = manifest.name in entries()
            what = manifest.name if known else f"{manifest.source} --name {manifest.name}"
            console.note(f"type `longra install --force {what}` to install {manifest.name} again")
    return {
        "name": manifest.name,
        "ok": not differences,
        "bytes": manifest.bytes,
        "differences": [
            {"path": d.path, "kind": d.kind, "expected": d.expected, "found": d.found} for d in differences
        ],
    }
