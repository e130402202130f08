"""`longra evaluate chrf`: shared runs of characters with references, by sacrebleu."""

from typing import Annotated

import typer

from longra.cli.evaluate import against_references as shared
from longra.cli.evaluate.generating import Generating
from longra.evaluate.score import SAMPLES

COMMAND_OPTIONS = {
    "epilog": "Examples:  longra evaluate chrf out.txt ref.txt   |   longra evaluate chrf out.txt ref.txt --word-order 2"
}


def chrf(
    *,
    hypotheses: shared.HypothesisArgument,
    references: shared.ReferenceArguments,
    word_order: Annotated[
        int, typer.Option(metavar="N", min=0, max=2, help="Also runs of up to N words: 2 is chrF++.")
    ] = 0,
    generating: Generating,
    baseline: shared.BaselineOption = None,
    test: shared.TestOption = None,
    samples: shared.SamplesOption = SAMPLES,
    segments: shared.SegmentsOption = False,
    as_json: shared.JsonOption = False,
    html: shared.HtmlOption = None,
) -> None:
    """Shared runs of characters with references (chrF): sacrebleu's numbers and signature.

    It needs no tokenizer, and is fairer than BLEU to languages with many forms of a word.
    """
    from longra.evaluate.references import sacre

    kind = shared.checked_test(test, baseline)
    corpus = shared.read_corpus(hypotheses, references, baseline, generating, html)
    measure = sacre.chrf(word_order)
    score = sacre.measure(measure, corpus.hypotheses, corpus.references, shared.checked_samples(samples, corpus))
    tests = (
        []
        if corpus.baseline is None
        else [sacre.compare(measure, corpus.hypotheses, corpus.baseline, corpus.references, kind)]
    )
    found = shared.Found(corpus, [score], tests, None, None)
    shared.show(f"{score.name} of {hypotheses}", found, shared.Shown(segments, as_json, html))
