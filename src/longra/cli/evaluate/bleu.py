"""`longra evaluate bleu`: shared runs of words with references, by sacrebleu."""

from typing import Annotated

import typer

from longra.cli.evaluate import against_references as shared
from longra.cli.evaluate.generating import Generating
from longra.evaluate.score import SAMPLES

COMMAND_OPTIONS = {
    "epilog": "Examples:  longra evaluate bleu out.txt ref.txt   |   "
    "longra evaluate bleu new.jsonl:text ref-a.txt ref-b.txt --baseline old.jsonl:text   |   "
    'longra evaluate bleu set.jsonl:zh set.jsonl:en -m MODEL --prompt "Translate into English: {source}"'
}


def bleu(
    *,
    hypotheses: shared.HypothesisArgument,
    references: shared.ReferenceArguments,
    tokenize: Annotated[
        str | None, typer.Option(metavar="NAME", help="sacrebleu's tokenizer; chosen by the references' script.")
    ] = None,
    generating: Generating,
    baseline: shared.BaselineOption = None,
    test: shared.TestOption = None,
    samples: shared.SamplesOption = SAMPLES,
    segments: shared.SegmentsOption = False,
    as_json: shared.JsonOption = False,
    html: shared.HtmlOption = None,
) -> None:
    """Shared runs of words with references (BLEU): sacrebleu's numbers and signature."""
    from longra.evaluate.references import sacre
    from longra.evaluate.references.choose_tokenizer import bleu_tokenizer

    kind = shared.checked_test(test, baseline)
    corpus = shared.read_corpus(hypotheses, references, baseline, generating, html)
    name, reason = (tokenize, None) if tokenize is not None else bleu_tokenizer(corpus.references)
    measure = sacre.bleu(name)
    score = sacre.measure(measure, corpus.hypotheses, corpus.references, shared.checked_samples(samples, corpus))
    tests = (
        []
        if corpus.baseline is None
        else [sacre.compare(measure, corpus.hypotheses, corpus.baseline, corpus.references, kind)]
    )
    found = shared.Found(corpus, [score], tests, name, reason)
    shared.show(f"BLEU of {hypotheses}", found, shared.Shown(segments, as_json, html))
