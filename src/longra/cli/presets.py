"""`longra presets`: generation parameters that are kept under a name."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from longra.cli.shared import console, options
from longra.errors import LongraError

if TYPE_CHECKING:
    from longra.sampling.presets import Preset

GROUP = typer.Typer(name="presets", add_completion=False, rich_markup_mode=None)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Of a preset.")]


@GROUP.callback(
    invoke_without_command=True,
    epilog='Examples:  longra presets show gemma3   |   longra generate --preset gemma3 "..."   |   '
    'longra tune "..." --save story',
)
def presets(ctx: typer.Context, as_json: options.Json = False) -> None:
    """List the presets: generation parameters that are kept under a name.

    `--preset NAME` takes one, with every verb that generates; other options come before it. `longra tune --save` makes
    one, and so does writing a file.
    """
    if ctx.invoked_subcommand is not None:
        return
    from longra.library.paths import presets_folder
    from longra.sampling.presets import find_preset, preset_names

    found = []
    for name in preset_names():
        try:
            found.append(find_preset(name))
        except LongraError as error:
            console.warning(str(error))
    if as_json:
        console.result_json({"folder": str(presets_folder()), "presets": [_as_json(preset) for preset in found]})
        return
    rows = [(preset.name, "you" if preset.file else "Longra", _values(preset), preset.about) for preset in found]
    console.result(console.table(("PRESET", "FROM", "PARAMETERS", "ABOUT"), rows))
    console.note(f"your own are in {presets_folder()}")


@GROUP.command(epilog="Example:  longra presets show gemma3")
def show(name: NameArgument, as_json: options.Json = False) -> None:
    """Show a preset as the file that it is, or could be."""
    from longra.sampling.presets import find_preset

    preset = find_preset(name)
    if as_json:
        console.result_json(_as_json(preset))
        return
    console.note(f"{preset.file or 'comes with Longra'}")
    console.write(preset.as_yaml())


@GROUP.command(epilog="Example:  longra presets remove story")
def remove(name: NameArgument) -> None:
    """Delete a preset of your own."""
    from longra.sampling.presets import remove_preset

    console.note(f"removed {remove_preset(name)}")


def _values(preset: "Preset") -> str:
    return ", ".join(f"{name.replace('_', '-')} {value}" for name, value in preset.values.items())


def _as_json(preset: "Preset") -> dict[str, Any]:
    return {
        "name": preset.name,
        "values": dict(preset.values),
        "about": preset.about,
        "source": preset.source,
        "file": None if preset.file is None else str(preset.file),
    }
