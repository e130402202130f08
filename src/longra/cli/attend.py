"""`longra attend`: which earlier passages each sentence drew on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longra.cli.shared import console, options
from longra.cli.shared.prompt import read_prompt
from longra.cli.shared.remaining import Remaining
from longra.cli.shared.saving import check_folders, save_text
from longra.cli.shared.streaming import show
from longra.errors import UsageError
from longra.text.width import text_width

if TYPE_CHECKING:
    from longra.attend import Attention, Drawing
    from longra.generation.stream import Stream

COMMAND_OPTIONS = {
    "epilog": 'Examples:  longra attend novel.txt --html seen.html   |   longra attend report.md "What went wrong?"'
}

_LEVELS = " ▁▂▃▄▅▆▇█"
_STRIP = 64
_BEST = 3
_QUOTED = 60


def attend(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The text to go on from; - is standard input.")],
    prompt: Annotated[
        str | None, typer.Argument(metavar="PROMPT", help="A question about the text; the model answers it.")
    ] = None,
    passage: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Look at this continuation instead of generating one.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="OUT", help="Write a page to look at in a browser.")] = None,
    loading: options.Loading,
    max_tokens: Annotated[
        int | None, typer.Option("-n", "--max-tokens", help="New tokens at most; 200 unless said.")
    ] = None,
    temperature: options.Temperature = None,
    seed: options.Seed = None,
    preset: options.PresetName = None,
    as_json: options.Json = False,
) -> None:
    """See which earlier passages each sentence drew on.

    The model goes on with the text (or answers PROMPT about it). For each sentence that it writes, its attention to
    everything before is summed over all heads and layers, and shown as shares of the text's passages.
    """
    from longra.attend import look

    if passage is not None and prompt is not None:
        raise UsageError("--passage is a continuation of the text; leave PROMPT away")
    check_folders(html)
    sampling = options.Sampling(max_tokens=max_tokens, temperature=temperature, seed=seed, preset=preset)
    config = sampling.config({"max_tokens": 200})
    source = read_prompt(None, file)
    loaded, _ = loading.load()
    with Remaining(1) as remaining:
        seen = look(
            loaded,
            source,
            config,
            prompt=prompt,
            passage=passage,
            run=_run,
            progress=remaining.reach,
        )
    if html is not None:
        from longra.attend.page import page

        save_text(html, page(seen, f"{loaded.name}, Longra"))
        console.note(f"wrote {html}")
    if as_json:
        console.result_json(seen.as_json())
    elif html is None:
        console.result("\n\n".join(_shown(seen, i) for i in range(len(seen.drawings))))


def _run(stream: "Stream") -> None:
    """The generation to its end. Ctrl-C ends the command: a part of the text would be shown as if it were all."""
    if show(stream, live=False):
        raise KeyboardInterrupt


def _shown(seen: "Attention", index: int) -> str:
    """A sentence, a strip of the whole text, and the passages it drew on most."""
    drawing = seen.drawings[index]
    best = sorted(range(len(seen.passages)), key=lambda i: -drawing.passages[i])[:_BEST]
    lines = [f"{index + 1}  {' '.join(drawing.text.split())}", f"   |{_strip(seen, drawing)}|"]
    for i in best:
        share = drawing.passages[i] / drawing.drawn if drawing.drawn else 0.0
        lines.append(f"   {share:4.0%}  {_quoted(seen.passages[i])}")
    lines.append(
        f"   of all: your text {drawing.drawn:.0%}, written before {sum(drawing.earlier):.0%}, "
        f"the sentence itself {drawing.own:.0%}, question and chat marks {drawing.frame:.0%}, "
        f"at rest {drawing.resting:.0%}"
    )
    return "\n".join(lines)


def _strip(seen: "Attention", drawing: "Drawing") -> str:
    """Attention over the whole text, from its beginning to its end, in columns of equal length."""
    import numpy as np

    ends = np.cumsum([0, *map(len, seen.passages)])
    shares = np.cumsum([0.0, *drawing.passages])
    heat = np.diff(np.interp(np.linspace(0, ends[-1], _STRIP + 1), ends, shares))
    top = float(heat.max()) or 1.0
    return "".join(_LEVELS[round(float(value) / top * (len(_LEVELS) - 1))] for value in heat)


def _quoted(passage: str) -> str:
    """The beginning of a passage, within the width of a line."""
    words = " ".join(passage.split())
    while text_width(words) > _QUOTED:
        words = words[:-1]
    return words if words == " ".join(passage.split()) else words + " ..."
