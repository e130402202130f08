"""`longra bench`: how fast a model runs here, and how near that is to what the machine could do."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longra.cli.shared import console, options
from longra.cli.shared.remaining import Remaining
from longra.cli.shared.saving import save_text
from longra.errors import UsageError
from longra.memory import peak_memory
from longra.sizes import counted

if TYPE_CHECKING:
    from longra.backends.native import NativeBackend
    from longra.evaluate.speed.measure import Bench, Speed

COMMAND_OPTIONS = {
    "epilog": "Example:  longra bench -m qwen2.5-coder-0.5b-instruct --decode-at 32,512,2048,8000,32000 --plot speed.svg"
}


def bench(
    *,
    running: options.Running,
    prefill: Annotated[str, typer.Option(help="Prompt lengths to read, in tokens.")] = "512,2048",
    decode_at: Annotated[str, typer.Option(help="Tokens in the cache before decoding.")] = "32,2048",
    streams: Annotated[str, typer.Option(help="Texts to decode together, for each --decode-at.")] = "1",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="OUT", dir_okay=False, help="Draw decode speed against context (SVG).")
    ] = None,
) -> None:
    """Measure speed, beside what the machine could do.

    Both ceilings are measured in the same run: reading memory from several prefetched streams, and multiplying random
    operands on the widest unit. The machine should have nothing else to do. Ctrl-C ends early and keeps what was
    measured.
    """
    lengths, contexts = _numbers("--prefill", prefill), _numbers("--decode-at", decode_at)
    counts = _numbers("--streams", streams)
    _check_plot(plot, bool(contexts and counts))
    from longra.backends.native import NativeBackend
    from longra.cli.app import EXIT_INTERRUPTED
    from longra.evaluate.speed.measure import Bench
    from longra.evaluate.speed.run import jobs, measure, work

    loaded, _ = running.load(cache_dir="none")
    backend = loaded.engine.backend
    assert isinstance(backend, NativeBackend)
    todo = jobs(lengths, contexts, counts, loaded.spec.context)
    run = Bench(backend, backend, loaded.spec, loaded.engine.pool.take)
    speeds: list[Speed] = []
    with Remaining(work(todo)) as remaining:
        run.advance = remaining.advance

        def done(speed: "Speed") -> None:
            speeds.append(speed)
            remaining.clear()
            if not as_json:
                console.write(_line(speed) + "\n")

        complete = measure(run, todo, done)
    machine = _machine(backend, run)
    if as_json:
        head = {"model": loaded.name, "load_seconds": loaded.load_seconds, "complete": complete}
        console.result_json(head | _facts(backend, run) | {"results": [asdict(speed) for speed in speeds]})
    else:
        console.result(f"{loaded.name}, {machine}; peak memory {peak_memory() / 1e6:,.0f} MB")
    if plot is not None:
        _save_plot(plot, speeds, run, loaded.name, machine)
    _keep(speeds, running, loaded.name)
    if not complete:
        console.note(f"interrupted: {len(speeds)} of {len(todo)} measured")
        raise typer.Exit(EXIT_INTERRUPTED)


def _numbers(option: str, text: str) -> list[int]:
    try:
        return [int(word) for word in text.split(",") if word.strip()]
    except ValueError:
        example = "1,4,16" if option == "--streams" else "512,8000"
        raise UsageError(f"{option} is {text!r}; give whole numbers such as {example}") from None


def _check_plot(plot: Path | None, decodes: bool) -> None:
    """Say what would spoil the drawing now rather than after minutes."""
    if plot is None:
        return
    if not decodes:
        raise UsageError("--plot draws decode speed; give --decode-at and --streams")
    if not plot.resolve().parent.is_dir():
        raise UsageError(f"--plot {plot}: there is no folder {plot.parent}; make it first")


def _save_plot(plot: Path, speeds: "list[Speed]", run: "Bench", model: str, machine: str) -> None:
    from longra.evaluate.speed.plot import decode_plot

    if not any(speed.kind == "decode" for speed in speeds):
        console.note(f"{plot}: not written, no decoding was measured")
        return
    save_text(plot, decode_plot(speeds, run.limit, model, machine))
    console.note(f"{plot}: written")


def _keep(speeds: "list[Speed]", running: options.Running, name: str) -> None:
    """Let `longra recommend` know how fast an installed model is here, if it ran as it usually does."""
    from longra.choose.machine import identity
    from longra.choose.measured import MeasuredSpeed, keep_speeds
    from longra.library import find_installed

    installed = find_installed(name)
    if installed is None or running.threads or running.cache:
        return
    today = date.today().isoformat()
    keep_speeds(
        identity(),
        [
            MeasuredSpeed(installed.name, running.weights, speed.context, speed.tokens_per_second, today)
            for speed in speeds
            if speed.kind == "decode" and speed.streams == 1
        ],
    )


def _facts(backend: "NativeBackend", run: "Bench") -> dict[str, object]:

    return {
        "threads": backend.threads,
        "isa": backend.isa,
        "cache": backend.cache,
        "weight_bytes": backend.weight_bytes,
        "product_bytes": backend.product_bytes,
        "bandwidth_bytes_per_second": run.read_rate,
        "matrix_operations_per_second": run.multiply_rate,
        "peak_memory_bytes": peak_memory(),
    }


def _machine(backend: "NativeBackend", run: "Bench") -> str:
    return (
        f"{backend.threads} threads, {backend.isa}, {backend.cache} cache; this machine reads "
        f"{run.read_rate / 1e9:.1f} GB/s and multiplies {run.multiply_rate / 1e12:.2f} TOP/s"
    )


def _line(speed: "Speed") -> str:
    first = speed.seconds_to_first_token
    return (
        f"{speed.kind:8} {speed.context:7,} tokens  {counted(speed.streams, 'stream'):10}  "
        f"{speed.tokens_per_second:9,.1f} tokens/s  "
        f"{speed.bytes_per_second / 1e9:5.1f} GB/s ({speed.share_of_bandwidth:4.0%} of memory)  "
        f"{speed.operations_per_second / 1e12:5.2f} TOP/s ({speed.share_of_matrix_peak:4.0%} of the matrix peak)  "
        + (f"{speed.tokens_per_second_per_stream:.1f} tokens/s each" if first is None else f"first token {first:.2f} s")
    )
