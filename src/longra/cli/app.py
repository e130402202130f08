"""The `longra` command: finds the verb, runs it, and turns what goes wrong into one line and an exit code."""

import os
import re
import sys
import traceback
from importlib import import_module
from typing import Annotated, Any

import typer

from longra.cli.lazy import LazyGroup
from longra.cli.shared import console
from longra.errors import LongraError

VERBS = {
    "generate": "Continue a text, or answer a message.",
    "code": "Write code, go on with it, or fill a gap in it.",
    "translate": "Translate a text or a file.",
    "chat": "Talk with a model.",
    "logs": "List, show, search and remove the conversations that are kept.",
    "templates": "Show what is said to models for each task, and copy it.",
    "attend": "See which earlier passages each sentence drew on.",
    "tidy": "Clean up a text step by step.",
    "evaluate": "Measure a text, beside references or by itself.",
    "tune": "Try sets of generation parameters on a prompt, side by side.",
    "params": "Explain the generation parameters, and show what each does.",
    "presets": "List, show or remove kept generation parameters.",
    "recommend": "Rank the known models for a task, on this machine.",
    "install": "Fetch a model and check it.",
    "models": "List the models that are installed or known.",
    "remove": "Remove an installed model.",
    "verify": "Hash an installed model's files again.",
    "inspect": "Show a model file and its weight file, and how they fit.",
    "bench": "Measure speed, beside what the machine could do.",
    "doctor": "Show what Longra found on this machine.",
    "completion": "Install completion for your shell.",
}
"""Verb -> what it does. Each lives in longra/cli/<verb>.py as a function of the same name, or in a package with a GROUP."""

EXIT_INTERRUPTED = 130


class Verbs(LazyGroup):
    """The verbs of `longra`."""

    package = "longra.cli"
    verbs = VERBS


app = typer.Typer(cls=Verbs, add_completion=False, rich_markup_mode=None)


@app.callback(
    invoke_without_command=True,
    epilog="`longra VERB --help` explains a verb. Data live in the platform's folder, or in LONGRA_HOME.",
)
def longra(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with an error (anywhere).")] = False,  # noqa: ARG001
) -> None:
    """Longra writes long text with open models, on the CPU that you own.

    Example:  longra generate "The history of printing begins"
    """
    if version:
        from longra import __version__

        console.result(f"longra {__version__}")
    elif ctx.invoked_subcommand is None:
        console.result(ctx.get_help())


def run(arguments: list[str] | None = None) -> int:
    """Run the command; see `longra.cli.main`."""
    console.prepare()
    words, debug = _take_debug(sys.argv[1:] if arguments is None else arguments)
    command = typer.main.get_command(app)
    if "_LONGRA_COMPLETE" in os.environ:
        _complete(command)
    try:
        with command.make_context("longra", words) as ctx:
            command.invoke(ctx)
        sys.stdout.flush()
        return 0
    except typer.Exit as exit_:
        return exit_.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        console.abandon_stdout()  # the reader has what it wanted: `longra generate ... | head`
        return 0
    except Exception as error:
        if debug:
            traceback.print_exc()
        message, code = _explain(error)
        console.error(message)
        return code


def _complete(command: Any) -> None:
    """Answer the shell's question about possible words, and leave."""
    import_module("typer.completion").completion_init()
    command.main(args=[], prog_name="longra")


def _take_debug(words: list[str]) -> tuple[list[str], bool]:
    """`--debug` counts anywhere before `--`, so that it can be added at the end of a line that failed."""
    end = words.index("--") if "--" in words else len(words)
    head = [word for word in words[:end] if word != "--debug"]
    return head + words[end:], len(head) < end


def _explain(error: Exception) -> tuple[str, int]:
    """The line to print for an error, and the exit code."""
    if isinstance(error, LongraError):
        return str(error), error.exit_code
    if hasattr(error, "format_message"):  # typer's own: a missing or unknown option, a value of the wrong kind
        ctx = getattr(error, "ctx", None)
        hint = f"; try `{ctx.command_path} --help`" if ctx is not None else ""
        return _reworded(error.format_message().rstrip(".")) + hint, getattr(error, "exit_code", 2)
    if isinstance(error, MemoryError):
        return "there is not enough memory; use a smaller model or context, or --weights q4", 1
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror}{where}", 1
    cause = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {cause}; this is a fault in Longra, --debug shows where", 1


def _reworded(message: str) -> str:
    """What typer says, in the words of its users."""
    extra = re.fullmatch(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", message, re.DOTALL)
    if extra:
        return f"there is no place for {extra[1]!r}; a text with spaces needs quotes"
    return message
