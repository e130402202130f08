"""`longra bench`: how fast a model runs here, and how near that is to what the machine could do."""

import resource
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from longra.cli import console, options
from longra.errors import UsageError

if TYPE_CHECKING:
    from longra.evaluate.speed import Speed

COMMAND_OPTIONS = {
    "epilog": "Example:  longra bench -m qwen2.5-coder-0.5b-instruct --prefill 512,8000 --decode-at 32,8000"
}


def bench(
    model: Annotated[str | None, typer.Option("-m", "--model", help="Name, source or path of a model.")] = None,
    prefill: Annotated[str, typer.Option(help="Prompt lengths to read, in tokens.")] = "512,2048",
    decode_at: Annotated[str, typer.Option(help="Tokens in the cache before decoding.")] = "32,2048",
    context: options.Context = None,
    rope_scaling: options.RopeScaling = None,
    threads: options.Threads = None,
    weights: options.Weights = None,
    cache: options.Cache = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure speed, beside what the machine could do.

    Both ceilings are measured in the same run: reading memory from several prefetched streams, and multiplying random
    operands on the widest unit. The machine should have nothing else to do.
    """
    from longra.backends.native import NativeBackend
    from longra.evaluate.speed import Bench, Shape

    lengths, contexts = _numbers("--prefill", prefill), _numbers("--decode-at", decode_at)
    loaded, _ = options.load_model(
        model,
        threads=threads,
        weights=weights,
        cache=cache,
        context=context,
        rope_scaling=rope_scaling,
        cache_dir="none",
    )
    spec, backend = loaded.spec, loaded.engine.backend
    longest = max([*lengths, *(context + 32 for context in contexts)], default=0)
    if longest > spec.context:
        raise UsageError(f"{longest:,} tokens do not fit into {loaded.name}'s context of {spec.context:,}")
    assert isinstance(backend, NativeBackend)
    run = Bench(backend, backend, Shape(spec.layers, spec.heads, spec.head_dim), loaded.engine.pool.take)
    speeds = []
    for measure, values in ((run.prefill, lengths), (run.decode, contexts)):
        for value in values:
            speeds.append(measure(value))
            if not as_json:
                console.result(_line(speeds[-1]))
    if as_json:
        console.result_json(
            {
                "model": loaded.name,
                "threads": backend.threads,
                "isa": backend.isa,
                "weight_bytes": backend.weight_bytes,
                "bandwidth_bytes_per_second": run.read_rate,
                "matrix_operations_per_second": run.multiply_rate,
                "peak_memory_bytes": _peak_memory(),
                "load_seconds": loaded.load_seconds,
                "results": [asdict(speed) for speed in speeds],
            }
        )
    else:
        console.result(
            f"{loaded.name}, {backend.threads} threads, {backend.isa}; this machine reads {run.read_rate / 1e9:.1f} GB/s and "
            f"multiplies {run.multiply_rate / 1e12:.2f} TFLOP/s; peak memory {_peak_memory() / 1e6:,.0f} MB"
        )


def _numbers(option: str, text: str) -> list[int]:
    try:
        return [int(word) for word in text.split(",") if word.strip()]
    except ValueError:
        raise UsageError(f"{option} is {text!r}; give token counts such as 512,8000") from None


def _line(speed: "Speed") -> str:
    return (
        f"{speed.kind:8} {speed.context:7,} tokens  {speed.tokens_per_second:9,.1f} tokens/s  "
        f"{speed.bytes_per_second / 1e9:5.1f} GB/s ({speed.share_of_bandwidth:4.0%} of memory)  "
        f"{speed.operations_per_second / 1e12:5.2f} TFLOP/s ({speed.share_of_matrix_peak:4.0%} of the matrix peak)"
    )


def _peak_memory() -> int:
    """Bytes; the unit of ru_maxrss is a kilobyte but on macOS."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
