"""`longra evaluate text`: a long text by itself."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longra.cli.shared import console
from longra.cli.shared.reading import measured_text, name_of
from longra.cli.shared.saving import save_text
from longra.sizes import counted

if TYPE_CHECKING:
    from longra.evaluate.document.measure import Flag, Measure, Report

COMMAND_OPTIONS = {
    "epilog": "Examples:  longra evaluate text story.md --target-length 3000   |   "
    'longra generate "..." -n 4000 | longra evaluate text'
}

_BARS = "▁▂▃▄▅▆▇█"
_CURVE_COLUMNS = 40


def text(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The text; standard input unless given.")] = None,
    target_length: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="The length asked for: words, or characters of Chinese and Japanese."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    html: Annotated[Path | None, typer.Option("--html", metavar="OUT", help="Write a page with the curves.")] = None,
    encoding: Annotated[str, typer.Option(help="How the text is stored: utf-8, gb18030, big5, utf-16.")] = "utf-8",
) -> None:
    """Measure a long text by itself: length, repetition, loops, unfinished sentences, mixed scripts.

    Each measure is also a curve over windows of 250 words (400 characters), so that decay shows; what is beyond a limit is
    told with its reason.
    """
    from longra.evaluate.document.measure import measure_text

    report = measure_text(measured_text(file, encoding), target_length)
    if html is not None:
        from longra.evaluate.report.document import document_page

        save_text(html, document_page(f"The text of {name_of(file)}", report))
        console.note(f"{html}: written")
    if as_json:
        console.result_json(asdict(report))
        return
    console.result(_length(report) + "\n")
    console.result(_table(report))
    for flag in report.flags:
        console.result("\n" + _told(flag, report))


def _length(report: "Report") -> str:
    target = "" if report.target is None else f" of {report.target:,} asked for: S_l {report.length_score:.1f}"
    code = f"; {report.code_characters:,} characters of code are not measured" if report.code_characters else ""
    return (
        f"{report.length:,} {report.unit}{target}; "
        f"{counted(len(report.windows), 'window')}, {counted(report.sections, 'section')}{code}"
    )


def _table(report: "Report") -> str:
    flagged = {flag.measure for flag in report.flags}
    rows = [
        (
            measure.name,
            _figure(measure.whole),
            _figure(max(measure.curve) if measure.above_is_bad else min(measure.curve)),
            f"{'<=' if measure.above_is_bad else '>='} {measure.limit:g}",
            "!" if measure.name in flagged else "",
            _spark(measure),
        )
        for measure in report.measures
    ]
    header = ("MEASURE", "WHOLE", "WORST WINDOW", "LIMIT", "", "CURVE")
    return console.table(header, rows, right=frozenset({1, 2}))


def _figure(value: float) -> str:
    return f"{value:.3g}"


def _spark(measure: "Measure") -> str:
    """The curve in one line; each column is the worst of its windows. A full bar is the highest of them, or the limit."""
    size = -(-len(measure.curve) // _CURVE_COLUMNS)
    groups = [measure.curve[i : i + size] for i in range(0, len(measure.curve), size)]
    worst = [max(group) if measure.above_is_bad else min(group) for group in groups]
    top = max([*worst, measure.limit])
    return "".join(_BARS[min(int(value / top * len(_BARS)), len(_BARS) - 1)] if top else _BARS[0] for value in worst)


def _told(flag: "Flag", report: "Report") -> str:
    """Where a measure is beyond its limit, and what that means."""
    side = "above" if flag.value > flag.limit else "below"
    where = f" {_places(flag, report)}" if flag.windows else ""
    return f"! {flag.measure}{where}: {_figure(flag.value)}, {side} {flag.limit:g}. {flag.reason}"


def _places(flag: "Flag", report: "Report") -> str:
    first = report.windows[flag.windows[0] - 1]
    if len(flag.windows) == 1:
        return f"in window {flag.windows[0]:,} (line {first.line:,})"
    return f"in {len(flag.windows):,} windows from window {flag.windows[0]:,} (line {first.line:,}) on"
