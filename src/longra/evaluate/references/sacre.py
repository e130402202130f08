"""BLEU and chrF: sacrebleu's numbers, signatures and tests (Post, A call for clarity in reporting BLEU scores, 2018)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.base import Score as SacreScore
from sacrebleu.metrics.bleu import BLEU, BLEUScore
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest, Result

from longra.errors import UsageError
from longra.evaluate.score import SAMPLES, Comparison, Interval, References, Score, TestKind

BLEU_TOKENIZERS = tuple(BLEU.TOKENIZERS)


@dataclass(frozen=True)
class SacreMeasure:
    """A measure of sacrebleu's: over a corpus, and of one segment."""

    of_corpus: Callable[[], Metric]
    """A new one for each use, for sacrebleu's metrics remember how they were used and say it in their signature."""
    of_segment: Metric


def bleu(tokenize: str) -> SacreMeasure:
    """BLEU; of a segment by itself it leaves out the orders of n-grams that are too long for it.

    Raises:
        UsageError: sacrebleu has no such tokenizer, or what it needs is not installed.
    """
    if tokenize not in BLEU_TOKENIZERS:
        raise UsageError(f"sacrebleu has no tokenizer {tokenize!r}; choose from {', '.join(BLEU_TOKENIZERS)}")
    try:
        return SacreMeasure(partial(BLEU, tokenize=tokenize), BLEU(tokenize=tokenize, effective_order=True))
    except (RuntimeError, ImportError):
        extra = tokenize.partition("-")[0]
        hint = f"pip install 'sacrebleu[{extra}]'" if extra in ("ja", "ko") else "pip install sentencepiece"
        raise UsageError(f"the tokenizer {tokenize} needs more than is installed: {hint}") from None


def chrf(word_order: int = 0) -> SacreMeasure:
    """chrF2 (word_order 0), chrF2+ (1) or chrF2++ (2)."""
    return SacreMeasure(partial(_Chrf, word_order=word_order), _Chrf(word_order=word_order))


class _Chrf(CHRF):
    """As sacrebleu's, but a score of 0 is of the same type as the others: its bootstrap stops at a mixture (2.6)."""

    def _compute_f_score(self, statistics: list[int]) -> float:
        return super()._compute_f_score(statistics) or statistics[0] * 0.0


def measure(of: SacreMeasure, hypotheses: Sequence[str], references: References, samples: int = SAMPLES) -> Score:
    """The measure over all segments, with a bootstrap interval, and of each segment.

    Args:
        samples: of the bootstrap; 0 for none.
    """
    metric = of.of_corpus()
    found: SacreScore = metric.corpus_score(hypotheses, _streams(references), n_bootstrap=max(samples, 1))
    sign = str(metric.get_signature())
    segments = tuple(
        of.of_segment.sentence_score(hypothesis, list(refs)).score
        for hypothesis, refs in zip(hypotheses, references, strict=True)
    )
    around = Interval(float(found._mean), float(found._ci)) if samples else None
    return Score(found.name, found.score, around, sign, found.format(signature=sign), segments, _details(found))


def compare(
    of: SacreMeasure, hypotheses: Sequence[str], baseline: Sequence[str], references: References, kind: TestKind
) -> Comparison:
    """Paired test of hypotheses against a baseline's; for equal scores chance explains all, and the p-value is 1."""
    test = "bs" if kind == "bootstrap" else "ar"
    systems: list[tuple[str, Sequence[str]]] = [("baseline", baseline), ("system", hypotheses)]
    signatures, found = PairedTest(systems, {"measure": of.of_corpus()}, _streams(references), test_type=test)()
    (name,) = signatures
    theirs, ours = found[name]
    assert isinstance(theirs, Result)
    assert isinstance(ours, Result)
    p_value = 1.0 if theirs.score == ours.score or ours.p_value is None else ours.p_value
    return Comparison(name, float(theirs.score), float(ours.score), p_value, str(signatures[name]))


def _streams(references: References) -> Any:  # its annotations leave out the None that its documentation allows
    """References as sacrebleu takes them: the first of each segment, the second of each, None where there is none."""
    most = max(map(len, references))
    return [[refs[i] if i < len(refs) else None for refs in references] for i in range(most)]


def _details(score: SacreScore) -> dict[str, float | list[float]]:
    if not isinstance(score, BLEUScore):
        return {}
    return {
        "precisions": list(score.precisions),
        "brevity_penalty": score.bp,
        "hypothesis_length": score.sys_len,
        "reference_length": score.ref_len,
    }
