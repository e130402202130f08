"""`longra completion`: install shell completion."""

from importlib import import_module
from typing import Annotated, Any

import typer

from longra.cli.shared import console
from longra.errors import UsageError

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")


def completion(
    shell: Annotated[str | None, typer.Argument(help="bash, zsh, fish, powershell or pwsh.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the script in place of installing it.")] = False,
) -> None:
    """Install completion of verbs and options for your shell.

    Example:  longra completion bash
    """
    shells: Any = import_module("typer.completion")  # its functions are not exported in the typed sense
    shells.completion_init()
    shell = shell or _current_shell()
    if shell not in SHELLS:
        raise UsageError(f"there is no completion for the shell {shell!r}; choose one of {', '.join(SHELLS)}")
    if show:
        console.result(shells.get_completion_script(prog_name="longra", complete_var="_LONGRA_COMPLETE", shell=shell))
        return
    _, path = shells.install(shell=shell, prog_name="longra", complete_var="_LONGRA_COMPLETE")
    console.note(f"completion for {shell} is installed in {path}; it works in the next shell that you open")


def _current_shell() -> str | None:
    shellingham: Any = import_module("shellingham")  # comes with typer
    try:
        return str(shellingham.detect_shell()[0])
    except shellingham.ShellDetectionFailure:
        return None
