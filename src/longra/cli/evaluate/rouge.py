"""`longra evaluate rouge`: shared words and sequences with references."""

from typing import Annotated, Literal

import typer

from longra.cli.evaluate import against_references as shared
from longra.cli.evaluate.generating import Generating
from longra.evaluate.score import SAMPLES

COMMAND_OPTIONS = {
    "epilog": "Examples:  longra evaluate rouge out.txt ref.txt   |   "
    "longra evaluate rouge out.jsonl:summary ref.jsonl:summaries --tokenize word"
}


def rouge(
    *,
    hypotheses: shared.HypothesisArgument,
    references: shared.ReferenceArguments,
    tokenize: Annotated[
        Literal["ascii", "unicode", "char", "word"] | None,
        typer.Option(help="What counts as a token; chosen by the references' script."),
    ] = None,
    generating: Generating,
    baseline: shared.BaselineOption = None,
    test: shared.TestOption = None,
    samples: shared.SamplesOption = SAMPLES,
    segments: shared.SegmentsOption = False,
    as_json: shared.JsonOption = False,
    html: shared.HtmlOption = None,
) -> None:
    """Shared words and sequences with references: ROUGE-1, -2, -L and -Lsum.

    `ascii` gives the numbers of the package rouge-score; `unicode` knows all alphabets, `char` takes each character of
    Chinese and Japanese as a token, `word` each word of Chinese.
    """
    from longra.evaluate.references.choose_tokenizer import rouge_tokenizer
    from longra.evaluate.references.rouge import compare_rouge
    from longra.evaluate.references.rouge import rouge as measure

    kind = shared.checked_test(test, baseline)
    corpus = shared.read_corpus(hypotheses, references, baseline, generating, html)
    name, reason = (tokenize, None) if tokenize is not None else rouge_tokenizer(corpus.references)
    scores = measure(corpus.hypotheses, corpus.references, name, shared.checked_samples(samples, corpus))
    tests = (
        []
        if corpus.baseline is None
        else compare_rouge(corpus.hypotheses, corpus.baseline, corpus.references, name, kind)
    )
    found = shared.Found(corpus, scores, tests, name, reason)
    shared.show(f"ROUGE of {hypotheses}", found, shared.Shown(segments, as_json, html))
