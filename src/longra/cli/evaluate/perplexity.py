"""`longra evaluate perplexity`: how surprised a model is by a text."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longra.cli.shared import console, options
from longra.cli.shared.reading import measured_text, name_of
from longra.cli.shared.remaining import Remaining

if TYPE_CHECKING:
    from longra.evaluate.likelihood.perplexity import Perplexity

COMMAND_OPTIONS = {"epilog": "Example:  longra evaluate perplexity qwen2.5-coder-0.5b-instruct essay.txt --window 4096"}


def perplexity(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name, source or path of a model.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The text; - is standard input.")],
    window: Annotated[
        int | None, typer.Option(metavar="N", help="Tokens read at once; 2,048 or less unless said.")
    ] = None,
    stride: Annotated[
        int | None, typer.Option(metavar="N", help="From one window to the next; half a window unless said.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="How the text is stored: utf-8, gb18030, big5, utf-16.")] = "utf-8",
    threads: options.Threads = None,
    weights: options.Weights = None,
    cache: options.Cache = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep what is read here (JSONL); a run that was cut off goes on."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Measure how surprised a model is by a text: for each token, word or Chinese character, and byte.

    The text is read in windows that overlap, and each token is scored once: the first window scores all its tokens, each
    later one those beyond the one before. Ctrl-C ends early and shows what is scored; with --output the same
    command goes on.
    """
    from longra.cli.app import EXIT_INTERRUPTED
    from longra.evaluate.journal import Journal, way_on
    from longra.evaluate.likelihood.perplexity import Scoring

    text = measured_text(file, encoding)
    loaded, _ = options.load_model(model, threads=threads, weights=weights, cache=cache, cache_dir="none")
    scoring = Scoring(loaded, text, window, stride)
    try:
        with Journal(output, scoring.run_of) as journal:
            scoring.resume(journal.rows)
            with Remaining(scoring.work) as remaining:
                result = scoring.run(remaining.advance, journal.add)
    except KeyboardInterrupt:
        if scoring.scored == 0:
            raise
        result = scoring.result()
    if as_json:
        console.result_json({"model": loaded.name, "file": name_of(file)} | result.as_json())
    else:
        console.result(_shown(result))
    if not result.complete:
        console.note(f"interrupted: {result.tokens:,} tokens are scored, and not the whole text; {way_on(output)}")
        raise typer.Exit(EXIT_INTERRUPTED)


def _shown(result: "Perplexity") -> str:
    unit = {"words": "word", "characters": "character"}[result.unit]
    rows = [
        (f"{result.per_token:.4f}", "perplexity per token", f"{result.tokens:,} tokens"),
        (
            "-" if result.per_unit is None else f"{result.per_unit:.4f}",
            f"perplexity per {unit}",
            f"{result.units:,} {result.unit}",
        ),
        (f"{result.bits_per_character:.4f}", "bits per character", f"{result.characters:,} code points"),
        (f"{result.bits_per_byte:.4f}", "bits per byte", f"{result.bytes:,} bytes in UTF-8"),
    ]
    table = console.table(("VALUE", "MEASURE", "OVER"), rows, right=frozenset({0}))
    first = "each begins with the model's first token" if result.begins else "the first token is not scored"
    return f"{table}\nwindows of {result.window:,} tokens, {result.stride:,} apart; {first}"
