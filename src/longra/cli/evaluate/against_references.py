"""What the measures against references share on the command line: options, reading, and showing what was found."""

import textwrap
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longra.cli.evaluate.generating import Generating, Written, write
from longra.cli.shared import console
from longra.cli.shared.saving import check_folders, save_text
from longra.errors import UsageError
from longra.evaluate.score import Comparison, Score, TestKind

if TYPE_CHECKING:
    from longra.evaluate.score import References

HypothesisArgument = Annotated[
    str, typer.Argument(metavar="HYP", help="What was generated: a segment a line, FILE.jsonl:FIELD, or - for a pipe.")
]
ReferenceArguments = Annotated[
    list[str], typer.Argument(metavar="REF...", help="What it should be; several are alternatives of each segment.")
]
BaselineOption = Annotated[
    str | None, typer.Option("--baseline", metavar="HYP", help="Test against what another system generated.")
]
TestOption = Annotated[
    TestKind | None,
    typer.Option("--test", help="How to test against the baseline, in pairs; randomisation unless said."),
]
SamplesOption = Annotated[
    int, typer.Option("--bootstrap", metavar="N", min=0, help="Samples for the 95 % interval; 0 for none.")
]
SegmentsOption = Annotated[bool, typer.Option("--segments", help="Print each segment's score too.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
HtmlOption = Annotated[
    Path | None, typer.Option("--html", metavar="OUT", help="Write a page: histogram, worst segments.")
]

_LEAST_SAMPLES = 40
_FEW = 20
_SHOWN_COLUMNS = 48


@dataclass(frozen=True)
class Corpus:
    """Segments that belong together by their number."""

    hypotheses: list[str]
    references: "References"
    baseline: list[str] | None
    written: Written | None = None


@dataclass(frozen=True)
class Found:
    """All that was measured."""

    corpus: Corpus
    scores: list[Score]
    comparisons: list[Comparison]
    tokenizer: str | None
    reason: str | None


@dataclass(frozen=True)
class Shown:
    """How the user wants it."""

    segments: bool
    as_json: bool
    html: Path | None


def read_corpus(
    hypotheses: str, references: list[str], baseline: str | None, generating: Generating, html: Path | None
) -> Corpus:
    """Read all sides and check that they have as many segments; then have a model write the hypotheses, if there is one.

    Raises:
        LongraError, UsageError: see `longra.evaluate.references.segments` and `longra.cli.evaluate.generating`.
    """
    generating.check()
    check_folders(html)
    from longra.evaluate.references.segments import read_references, read_segments, same_number

    if [hypotheses, *references, baseline].count("-") > 1:
        raise UsageError("standard input (-) can be read once; give files for the others")
    ours = read_segments(hypotheses)
    theirs = None if baseline is None else read_segments(baseline)
    if theirs is not None and baseline is not None:
        same_number(baseline, len(theirs), "the hypotheses", len(ours))
        if len(ours) == 1:
            raise UsageError("a paired test needs 2 segments or more, and there is 1; leave --baseline out")
    expected = read_references(references, len(ours))
    if generating.model is None:
        return Corpus(ours, expected, theirs)
    written = write(generating, hypotheses, ours)
    return Corpus(written.texts, expected, theirs, written)


def checked_test(test: TestKind | None, baseline: str | None) -> TestKind:
    """How to test against the baseline.

    Raises:
        UsageError: there is none to test against.
    """
    if test is not None and baseline is None:
        raise UsageError(f"--test {test} has nothing to compare with; add --baseline HYP")
    return test or "randomisation"


def checked_samples(samples: int, corpus: Corpus) -> int:
    """How many samples the bootstrap takes: none for a single segment, which has nothing to draw from.

    Raises:
        UsageError: too few for the quantiles of an interval.
    """
    if 0 < samples < _LEAST_SAMPLES:
        raise UsageError(f"--bootstrap {samples} is too few for a 95 % interval; give {_LEAST_SAMPLES} or more, or 0")
    return samples if len(corpus.hypotheses) > 1 else 0


def show(title: str, found: Found, how: Shown) -> None:
    """Print, and write the page if one is wanted."""
    if how.html is not None:
        from longra.evaluate.report.corpus import corpus_page

        page = corpus_page(
            title,
            found.scores,
            found.comparisons,
            found.corpus.hypotheses,
            found.corpus.references,
            found.reason,
            None if found.corpus.written is None else found.corpus.written.signature,
        )
        save_text(how.html, page)
        console.note(f"{how.html}: written")
    empty = sum(not text.strip() for text in found.corpus.hypotheses)
    if empty:
        console.warning(f"{empty:,} of {len(found.corpus.hypotheses):,} hypotheses are empty")
    if how.as_json:
        console.result_json(_as_json(found, how.segments))
        return
    if found.reason is not None:
        console.note(f"tokenizer {found.tokenizer}: {found.reason}")
    if how.segments:
        console.result(_segment_table(found) + "\n")
    for score in found.scores:
        console.result(score.line)
    if found.corpus.written is not None:
        console.result(f"HYP|{found.corpus.written.signature}")
    if found.comparisons:
        console.result("\n" + _comparison_table(found.comparisons))
        if len(found.corpus.hypotheses) < _FEW:
            console.warning(f"{len(found.corpus.hypotheses)} segments say little about a difference; take 100 or more")


def _segment_table(found: Found) -> str:
    """Each segment's scores, and how its hypothesis begins."""
    rows = [
        (
            str(number),
            *(_figure(score.name, score.segments[number - 1]) for score in found.scores),
            textwrap.shorten(text, _SHOWN_COLUMNS, placeholder=" …") or "(empty)",
        )
        for number, text in enumerate(found.corpus.hypotheses, 1)
    ]
    header = ("SEGMENT", *(score.name for score in found.scores), "HYPOTHESIS")
    return console.table(header, rows, right=frozenset(range(len(found.scores) + 1)))


def _comparison_table(comparisons: list[Comparison]) -> str:
    rows = [
        (
            test.name,
            _figure(test.name, test.baseline),
            _figure(test.name, test.system),
            _figure(test.name, test.system - test.baseline, "+"),
            f"{test.p_value:.4f}",
            test.signature,
        )
        for test in comparisons
    ]
    header = ("", "BASELINE", "SYSTEM", "DIFFERENCE", "P-VALUE", "TEST")
    return console.table(header, rows, right=frozenset({1, 2, 3, 4}))


def _figure(name: str, value: float, sign: str = "") -> str:
    """As many digits as are usual: ROUGE is a share, the others are per cent."""
    return f"{value:{sign}.4f}" if name.startswith("ROUGE") else f"{value:{sign}.2f}"


def _as_json(found: Found, segments: bool) -> dict[str, Any]:
    def without_segments(score: Score) -> dict[str, Any]:
        return {name: value for name, value in asdict(score).items() if name != "segments"}

    written = found.corpus.written
    return {
        "count": len(found.corpus.hypotheses),
        "tokenizer": found.tokenizer,
        "tokenizer_reason": found.reason,
        "scores": [without_segments(score) for score in found.scores],
        "comparisons": [asdict(comparison) for comparison in found.comparisons],
        "segments": _segments_json(found) if segments else None,
        "generated": None if written is None else written.settings | {"signature": written.signature},
    }


def _segments_json(found: Found) -> list[dict[str, Any]]:
    texts = zip(found.corpus.hypotheses, found.corpus.references, strict=True)
    return [
        {
            "number": number,
            "scores": {score.name: score.segments[number - 1] for score in found.scores},
            "hypothesis": hypothesis,
            "references": list(references),
        }
        for number, (hypothesis, references) in enumerate(texts, 1)
    ]
