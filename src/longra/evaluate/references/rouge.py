"""ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum (Lin, ROUGE: a package for automatic evaluation of summaries, 2004).

The values are those of the package rouge-score, without its stemmer, for its own tokens (`ascii`); see `rouge_tokens` for
the others. Its table of longest common subsequences is quadratic in time and memory in plain Python, too slow for long
texts, and it brings nltk with it; so it is what the tests compare with, not what runs.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from longra import __version__
from longra.evaluate.references.lcs import lcs_length, lcs_places
from longra.evaluate.references.rouge_tokens import RougeTokenizer, signature, tokenizer
from longra.evaluate.resample import SEED, TRIALS, interval, p_value
from longra.evaluate.score import SAMPLES, Comparison, References, Score, TestKind

KINDS = ("ROUGE-1", "ROUGE-2", "ROUGE-L", "ROUGE-Lsum")

_SENTENCE_END = re.compile(r"(?<=[。！？])(?![。！？”’」』）])|(?<=[。！？][”’」』）])")


class Overlap(NamedTuple):
    """How much of two texts is common, as shares of the hypothesis (precision) and of the reference (recall)."""

    precision: float
    recall: float
    f_measure: float


def rouge(
    hypotheses: Sequence[str], references: References, tokens: RougeTokenizer, samples: int = SAMPLES
) -> list[Score]:
    """The four measures, each the mean of the segments' F-measures.

    With several references, each segment and measure takes the one with the highest F-measure.

    Args:
        samples: of the bootstrap; 0 for none.
    """
    measured = _segments(hypotheses, references, tokens)
    sign = _signature(references, tokens, samples)
    return [_score(kind, [segment[kind] for segment in measured], sign, samples) for kind in KINDS]


def compare_rouge(
    hypotheses: Sequence[str], baseline: Sequence[str], references: References, tokens: RougeTokenizer, kind: TestKind
) -> list[Comparison]:
    """Paired tests of hypotheses against a baseline's, one for each measure."""
    ours, theirs = (_segments(texts, references, tokens) for texts in (hypotheses, baseline))
    test = f"bs:{SAMPLES}" if kind == "bootstrap" else f"ar:{TRIALS}"
    comparisons = []
    for name in KINDS:
        system, other = ([segment[name].f_measure for segment in side] for side in (ours, theirs))
        means = sum(other) / len(other), sum(system) / len(system)
        sign = f"{test}|seed:{SEED}|{_signature(references, tokens, 0)}"
        comparisons.append(Comparison(name, *means, p_value(other, system, kind), sign))
    return comparisons


def overlaps(reference: str, hypothesis: str, tokens: RougeTokenizer) -> dict[str, Overlap]:
    """The four measures of one text against one reference."""
    cut = tokenizer(tokens)
    ours, theirs = cut(hypothesis), cut(reference)
    by_sentence = [[cut(part) for part in _sentences(text, tokens)] for text in (reference, hypothesis)]
    return {
        "ROUGE-1": _of_ngrams(theirs, ours, 1),
        "ROUGE-2": _of_ngrams(theirs, ours, 2),
        "ROUGE-L": _overlap(lcs_length(theirs, ours), len(ours), len(theirs)),
        "ROUGE-Lsum": _of_sentences(*by_sentence),
    }


def _segments(hypotheses: Sequence[str], references: References, tokens: RougeTokenizer) -> list[dict[str, Overlap]]:
    return [_best(refs, hypothesis, tokens) for hypothesis, refs in zip(hypotheses, references, strict=True)]


def _best(references: Sequence[str], hypothesis: str, tokens: RougeTokenizer) -> dict[str, Overlap]:
    each = [overlaps(reference, hypothesis, tokens) for reference in references]
    return {kind: max((found[kind] for found in each), key=lambda overlap: overlap.f_measure) for kind in KINDS}


def _score(name: str, segments: list[Overlap], sign: str, samples: int) -> Score:
    values = tuple(segment.f_measure for segment in segments)
    precision, recall, mean = (sum(column) / len(segments) for column in zip(*segments, strict=True))
    around = interval(values, samples) if samples else None
    spread = f" (μ = {around.mean:.4f} ± {around.margin:.4f})" if around else ""
    line = f"{name}|{sign} = {mean:.4f}{spread} P = {precision:.4f} R = {recall:.4f}"
    return Score(name, mean, around, sign, line, values, {"precision": precision, "recall": recall})


def _signature(references: References, tokens: RougeTokenizer, samples: int) -> str:
    counts = {len(refs) for refs in references}
    number = counts.pop() if len(counts) == 1 else "var"
    boot = f"|bs:{samples}|seed:{SEED}" if samples else ""
    ends = "newline+cjk" if _has_cjk_sentences(tokens) else "newline"
    return f"nrefs:{number}{boot}|case:lc|stem:no|tok:{signature(tokens)}|sent:{ends}|version:longra-{__version__}"


def _has_cjk_sentences(tokens: RougeTokenizer) -> bool:
    return tokens in ("char", "word")


def _sentences(text: str, tokens: RougeTokenizer) -> list[str]:
    """Lines, as rouge-score has them; in Chinese and Japanese, which put no line break there, also behind 。！？."""
    lines = text.split("\n")
    if _has_cjk_sentences(tokens):
        lines = [part for line in lines for part in _SENTENCE_END.split(line)]
    return [line for line in lines if line]


def _of_ngrams(reference: list[str], hypothesis: list[str], order: int) -> Overlap:
    theirs, ours = (Counter(zip(*(words[i:] for i in range(order)), strict=False)) for words in (reference, hypothesis))
    return _overlap((theirs & ours).total(), ours.total(), theirs.total())


def _of_sentences(reference: list[list[str]], hypothesis: list[list[str]]) -> Overlap:
    """Union of the common subsequences of each sentence of the reference with all of the hypothesis (section 3.2).

    As in the original script, a token counts at most as often as it stands in both texts.
    """
    left = Counter(token for sentence in reference for token in sentence)
    left &= Counter(token for sentence in hypothesis for token in sentence)
    hits = 0
    for sentence in reference:
        places = {place for other in hypothesis for place in lcs_places(sentence, other)}
        for place in places:
            if left[sentence[place]] > 0:
                left[sentence[place]] -= 1
                hits += 1
    return _overlap(hits, sum(map(len, hypothesis)), sum(map(len, reference)))


def _overlap(common: int, ours: int, theirs: int) -> Overlap:
    precision, recall = common / max(ours, 1), common / max(theirs, 1)
    both = precision + recall
    return Overlap(precision, recall, 2 * precision * recall / both if both > 0 else 0.0)
