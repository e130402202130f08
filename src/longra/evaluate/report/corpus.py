"""The page of a measure against references: scores, a histogram of the segments, and the worst of them."""

from collections.abc import Sequence

from longra.evaluate.report import page
from longra.evaluate.score import Comparison, References, Score

WORST = 20


def corpus_page(
    title: str,
    scores: Sequence[Score],
    comparisons: Sequence[Comparison],
    hypotheses: Sequence[str],
    references: References,
    tokenizer: str | None,
    generated: str | None = None,
) -> str:
    """The page.

    Args:
        tokenizer: why the tokenizer was chosen; None where there was no choice.
        generated: which model wrote the hypotheses, and how; None where they were there.
    """
    parts = [_scores(scores)]
    if tokenizer is not None:
        parts.append(page.paragraph(f"The tokenizer was chosen because {tokenizer}.", "faint"))
    if generated is not None:
        parts.append(page.paragraph(f"A model wrote the hypotheses: {generated}", "faint"))
    if comparisons:
        parts += [page.heading("Beside the baseline"), _comparisons(comparisons)]
    parts.append(page.heading(f"{len(hypotheses):,} segments"))
    parts += [_histogram(score) for score in scores]
    parts += _worst(scores[-1], hypotheses, references)
    return page.page(title, parts)


def _scores(scores: Sequence[Score]) -> str:
    digits = _digits(scores[0].name)
    rows = [
        (
            score.name,
            score.value,
            "" if score.interval is None else f"{score.interval.mean:.{digits}f} ± {score.interval.margin:.{digits}f}",
            score.signature,
        )
        for score in scores
    ]
    return page.table(("measure", "score", "95 % of samples", "signature"), rows, digits)


def _comparisons(comparisons: Sequence[Comparison]) -> str:
    rows = [(test.name, test.baseline, test.system, f"{test.p_value:.4f}", test.signature) for test in comparisons]
    return page.table(("measure", "baseline", "system", "p-value", "test"), rows, _digits(comparisons[0].name))


def _histogram(score: Score) -> str:
    top = 1.0 if score.name.startswith("ROUGE") else 100.0
    return page.histogram(score.segments, top, f"Segments by their own {score.name}")


def _worst(score: Score, hypotheses: Sequence[str], references: References) -> list[str]:
    order = sorted(range(len(hypotheses)), key=lambda i: score.segments[i])[:WORST]
    rows = [(i + 1, score.segments[i], hypotheses[i] or "(empty)", _alternatives(references[i])) for i in order]
    return [
        page.heading(f"The {len(rows)} worst segments by {score.name}"),
        page.table(("segment", score.name, "hypothesis", "reference"), rows, _digits(score.name)),
    ]


def _alternatives(references: Sequence[str]) -> str:
    if len(references) == 1:
        return references[0] or "(empty)"
    return "\n".join(f"{number}. {text or '(empty)'}" for number, text in enumerate(references, 1))


def _digits(name: str) -> int:
    return 4 if name.startswith("ROUGE") else 2
