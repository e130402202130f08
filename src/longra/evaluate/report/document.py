"""The page of a text measured by itself: its length, what is flagged and why, and all curves."""

from longra.evaluate.document.limits import LIMITS
from longra.evaluate.document.measure import Flag, Measure, Report
from longra.evaluate.report import page

_TITLES = {
    "rep_2": "Repeated pairs (rep-2)",
    "rep_3": "Repeated runs of three (rep-3)",
    "rep_4": "Repeated runs of four (rep-4)",
    "distinct_1": "Different words (distinct-1)",
    "distinct_2": "Different pairs (distinct-2)",
    "compression_ratio": "Compression ratio",
    "self_bleu": "Self-BLEU with the other windows",
    "repeated": "Share of repeated passages",
    "unfinished": "Unfinished sentences",
    "foreign_script": "Share in another script",
    "length_score": "Length (S_l)",
}


def document_page(title: str, report: Report) -> str:
    """The page."""
    parts = [page.paragraph(_length(report))]
    parts += [page.heading("Worth a look" if report.flags else "Nothing is beyond its limit")]
    parts += [_flag(flag, report) for flag in report.flags]
    parts += [
        page.heading("Over the text"),
        page.paragraph(
            f"Each point is a window of the text; {_window(report)}. The broken line is the limit.", "faint"
        ),
    ]
    for measure in report.measures:
        caption = f"{_TITLES[measure.name]}; whole text: {measure.whole:.3g}"
        parts.append(page.curve(measure.curve, caption, measure.limit, measure.above_is_bad))
    parts += [page.heading("Figures"), _figures(report)]
    return page.page(title, parts)


def _length(report: Report) -> str:
    target = ""
    if report.length_score is not None:
        target = f" of {report.target:,} asked for; S_l {report.length_score:.1f} of 100"
    code = f" {report.code_characters:,} characters of code are not measured." if report.code_characters else ""
    return f"{report.length:,} {report.unit}{target}.{code}"


def _window(report: Report) -> str:
    return f"{report.windows[0].units:,} {report.unit} each but for the last"


def _flag(flag: Flag, report: Report) -> str:
    side = "above" if flag.value > flag.limit else "below"
    where = ""
    if flag.windows:
        lines = ", ".join(f"{number} (line {report.windows[number - 1].line:,})" for number in flag.windows[:10])
        more = f" and {len(flag.windows) - 10:,} more" if len(flag.windows) > 10 else ""
        where = f" In window {lines}{more}."
    return page.paragraph(
        f"{_TITLES[flag.measure]}: {flag.value:.3g}, {side} {flag.limit:g}. {flag.reason}{where}", "bad"
    )


def _figures(report: Report) -> str:
    header = ("measure", "whole text", "first window", "last window", "limit of a window", "what it means beyond it")
    return page.table(header, [_row(measure) for measure in report.measures], digits=3)


def _row(measure: Measure) -> tuple[page.Cell, ...]:
    limit = f"{'≤' if measure.above_is_bad else '≥'} {measure.limit:g}"
    first, last = measure.curve[0], measure.curve[-1]
    return (_TITLES[measure.name], measure.whole, first, last, limit, LIMITS[measure.name].reason)
