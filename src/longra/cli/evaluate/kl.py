"""`longra evaluate kl`: how far one model's predictions are from another's."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longra.cli.shared import console, options
from longra.cli.shared.reading import measured_text, name_of
from longra.cli.shared.remaining import Remaining
from longra.sizes import counted

if TYPE_CHECKING:
    from longra.evaluate.likelihood.divergence import Divergence

COMMAND_OPTIONS = {
    "epilog": "Examples:  longra evaluate kl smollm2 smollm2 essay.txt --weights q4   |   "
    "longra evaluate kl model.gguf model.gguf essay.txt --reference-cache f32 --cache q8"
}


def kl(
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="The model that is taken for right.")],
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model that is compared; may be the same.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The text to read; - is standard input.")],
    window: Annotated[
        int | None, typer.Option(metavar="N", help="Tokens read at once; 2,048 or less unless said.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="How the text is stored: utf-8, gb18030, big5, utf-16.")] = "utf-8",
    weights: options.Weights = None,
    cache: options.Cache = None,
    reference_weights: Annotated[options.WeightKind | None, typer.Option(help="--weights of the reference.")] = None,
    reference_cache: Annotated[options.CacheKind | None, typer.Option(help="--cache of the reference.")] = None,
    threads: options.Threads = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep what is read here (JSONL); a run that was cut off goes on."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Measure how far one model's predictions are from another's, along a text.

    At each token, the two distributions of the next one are compared: KL(REFERENCE || MODEL) in nats, whether both find
    the same token likeliest, and how many of the ten likeliest they share. The tokenizers must be the same; --weights and
    --cache are for MODEL. Ctrl-C ends early and shows what is compared; with --output the same command
    goes on.
    """
    from longra.cli.app import EXIT_INTERRUPTED
    from longra.evaluate.journal import Journal, way_on
    from longra.evaluate.likelihood.divergence import Comparison

    text = measured_text(file, encoding)
    one, _ = options.load_model(
        reference, threads=threads, weights=reference_weights, cache=reference_cache, cache_dir="none"
    )
    other, _ = options.load_model(model, threads=threads, weights=weights, cache=cache, cache_dir="none")
    comparison = Comparison(one, other, text, window)
    try:
        with Journal(output, comparison.run_of) as journal:
            comparison.resume(journal.rows)
            with Remaining(comparison.work) as remaining:
                result = comparison.run(remaining.advance, journal.add)
    except KeyboardInterrupt:
        if len(comparison.kl) == 0:
            raise
        result = comparison.result()
    if as_json:
        console.result_json({"reference": one.name, "model": other.name, "file": name_of(file)} | result.as_json())
    else:
        console.result(_shown(result))
    if not result.complete:
        console.note(
            f"interrupted: {result.positions:,} positions are compared, and not the whole text; {way_on(output)}"
        )
        raise typer.Exit(EXIT_INTERRUPTED)


def _shown(result: "Divergence") -> str:
    from longra.evaluate.likelihood.divergence import TOP

    rows = [
        (f"{result.mean:.6f}", "mean KL, nats"),
        *((f"{value:.6f}", f"{percent} % of positions are below") for percent, value in result.percentiles.items()),
        (f"{result.most:.6f}", f"largest, after {result.most_after!r}"),
        (f"{result.same_choice:.2%}", "of positions have the same likeliest token"),
        (f"{result.top_overlap:.2%}", f"of the {TOP} likeliest tokens are shared"),
    ]
    table = console.table(("VALUE", "MEASURE"), rows, right=frozenset({0}))
    return f"{table}\n{counted(result.positions, 'position')}, windows of {result.window:,} tokens"
