"""How much the parts of a text say the same: the BLEU of each with all others as its references.

(Zhu et al., Texygen: a benchmarking platform for text generation models, 2018.)
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sacrebleu.metrics.bleu import BLEU, MAX_NGRAM_ORDER
from sacrebleu.metrics.helpers import extract_all_word_ngrams

Runs = Counter[tuple[str, ...]]


def self_bleu(parts: Sequence[Sequence[str]]) -> list[float]:
    """Each part's BLEU, 0 to 100, beside the others; sacrebleu's sentence BLEU of the same tokens.

    A run of words counts as often as the other part that has it most often. The two highest counts of each run are found
    once for all parts, so that the time is linear in the text.

    Args:
        parts: the tokens of each part, none with white space in it.
    """
    if len(parts) < 2:
        return [0.0] * len(parts)
    runs: list[Runs] = [extract_all_word_ngrams(" ".join(part), 1, MAX_NGRAM_ORDER)[0] for part in parts]
    best: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for number, counted in enumerate(runs):
        for run, count in counted.items():
            first, owner, second = best.get(run, (0, -1, 0))
            best[run] = (count, number, first) if count > first else (first, owner, max(second, count))
    lengths = [len(part) for part in parts]
    return [_bleu(number, counted, best, lengths) for number, counted in enumerate(runs)]


def _bleu(number: int, runs: Runs, best: dict[tuple[str, ...], tuple[int, int, int]], lengths: list[int]) -> float:
    correct, total = [0] * MAX_NGRAM_ORDER, [0] * MAX_NGRAM_ORDER
    for run, count in runs.items():
        first, owner, second = best[run]
        total[len(run) - 1] += count
        correct[len(run) - 1] += min(count, second if owner == number else first)
    own = lengths[number]
    others = lengths[:number] + lengths[number + 1 :]
    nearest = min(others, key=lambda length: (abs(length - own), length))
    found: Any = BLEU.compute_bleu(correct, total, own, nearest, smooth_method="exp", effective_order=True)
    return float(found.score)
