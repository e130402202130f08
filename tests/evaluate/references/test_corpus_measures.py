"""BLEU, chrF and ROUGE are those of sacrebleu and rouge-score, whatever the text."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score import rouge_scorer, tokenizers
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from longra.errors import UsageError
from longra.evaluate.references import sacre
from longra.evaluate.references.choose_tokenizer import bleu_tokenizer, rouge_tokenizer
from longra.evaluate.references.lcs import lcs_length, lcs_places
from longra.evaluate.references.rouge import KINDS, compare_rouge, overlaps, rouge
from longra.evaluate.references.rouge_tokens import RougeTokenizer, tokenizer
from longra.evaluate.resample import interval, p_value

LATIN = "the cat The CAT sat, on a mat. don't x1 3.14 1,000 &quot; <skipped> - -- ... \u200b é e\u0301 İ ß ﬁ"
OTHER = "中 文 中文 。 ！ ” あ ア 한국 мир Ω \r \t \n \u3000 \u2028 \x0b \x85 🙂 \ufeff "
WORDS = f"{LATIN} {OTHER}".split(" ")
text = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=20)
corpora = st.integers(1, 5).flatmap(
    lambda size: st.tuples(
        st.lists(text, min_size=size, max_size=size),
        st.lists(st.lists(text, min_size=1, max_size=3), min_size=size, max_size=size),
    )
)
ROUGE = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "rougeLsum": "ROUGE-Lsum"}


def streams(references: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """As sacrebleu's documentation has it: one list for each alternative, None where a segment has fewer."""
    most = max(len(refs) for refs in references)
    return [[(list(refs) + [None] * most)[i] for refs in references] for i in range(most)]


@given(corpora, st.sampled_from(["13a", "zh", "char", "intl", "none", "ja-mecab"]))
@settings(max_examples=60)
def test_bleu_is_sacrebleus(corpus: tuple[list[str], list[list[str]]], tokenize: str) -> None:
    hypotheses, references = corpus
    score = sacre.measure(sacre.bleu(tokenize), hypotheses, references, samples=50)
    theirs = BLEU(tokenize=tokenize)
    found = theirs.corpus_score(hypotheses, streams(references), n_bootstrap=50)
    assert score.value == found.score
    assert score.signature == str(theirs.get_signature())
    assert score.line == found.format(signature=str(theirs.get_signature()))
    assert score.interval is not None
    assert (score.interval.mean, score.interval.margin) == (found._mean, found._ci)
    alone = BLEU(tokenize=tokenize, effective_order=True)
    assert list(score.segments) == [
        alone.sentence_score(h, r).score for h, r in zip(hypotheses, references, strict=True)
    ]


@given(corpora, st.sampled_from([0, 2]))
@settings(max_examples=40)
def test_chrf_is_sacrebleus(corpus: tuple[list[str], list[list[str]]], word_order: int) -> None:
    hypotheses, references = corpus
    score = sacre.measure(sacre.chrf(word_order), hypotheses, references, samples=50)
    theirs = CHRF(word_order=word_order)
    try:
        found = theirs.corpus_score(hypotheses, streams(references), n_bootstrap=50)
        assert score.line == found.format(signature=str(theirs.get_signature()))
        assert score.signature == str(theirs.get_signature())
    except TypeError:  # sacrebleu 2.6, where some of the samples score 0
        found = theirs.corpus_score(hypotheses, streams(references))
    assert score.value == found.score
    assert list(score.segments) == [
        theirs.sentence_score(h, r).score for h, r in zip(hypotheses, references, strict=True)
    ]


@given(text, text)
@settings(max_examples=250)
def test_rouge_is_rouge_scores(reference: str, hypothesis: str) -> None:
    found = rouge_scorer.RougeScorer(list(ROUGE)).score(reference, hypothesis)
    ours = overlaps(reference, hypothesis, "ascii")
    assert {kind: tuple(ours[kind]) for kind in KINDS} == {ROUGE[kind]: tuple(found[kind]) for kind in ROUGE}


@given(text, text, st.sampled_from(["unicode", "char", "word"]))
@settings(max_examples=120)
def test_rouge_of_other_tokens(reference: str, hypothesis: str, tokens: RougeTokenizer) -> None:
    class Ours(tokenizers.Tokenizer):
        def tokenize(self, text: str) -> list[str]:
            return tokenizer(tokens)(text)

    kinds = ["rouge1", "rouge2", "rougeL"]
    found = rouge_scorer.RougeScorer(kinds, tokenizer=Ours()).score(reference, hypothesis)
    ours = overlaps(reference, hypothesis, tokens)
    assert [tuple(ours[ROUGE[kind]]) for kind in kinds] == [tuple(found[kind]) for kind in kinds]


@given(corpora)
@settings(max_examples=60)
def test_rouge_of_a_corpus_takes_the_best_reference(corpus: tuple[list[str], list[list[str]]]) -> None:
    hypotheses, references = corpus
    scorer = rouge_scorer.RougeScorer(list(ROUGE))
    each = [scorer.score_multi(refs, text) for text, refs in zip(hypotheses, references, strict=True)]
    for score, kind in zip(rouge(hypotheses, references, "ascii", samples=0), ROUGE, strict=True):
        assert score.segments == tuple(found[kind].fmeasure for found in each)
        assert score.value == pytest.approx(np.mean([found[kind].fmeasure for found in each]))
        assert score.details["recall"] == pytest.approx(np.mean([found[kind].recall for found in each]))


def test_sentences_of_chinese_end_at_their_marks() -> None:
    first, second = "他说：“今天下雨！”我们回家。", "我们回家。他说：“今天下雨！”"
    scores = overlaps(first, second, "char")
    assert scores["ROUGE-Lsum"].f_measure == 1
    assert scores["ROUGE-L"].f_measure < 1
    assert overlaps("One. Two.", "Two. One.", "ascii")["ROUGE-Lsum"].f_measure < 1  # as rouge-score


def test_tokens() -> None:
    line = "ROUGE-1 对Café很好，我来到北京清华大学"
    assert tokenizer("ascii")(line) == ["rouge", "1", "caf"]
    assert tokenizer("unicode")(line) == ["rouge", "1", "对café很好", "我来到北京清华大学"]
    assert tokenizer("char")(line) == [*("rouge", "1", "对", "café"), *"很好我来到北京清华大学"]
    assert tokenizer("word")(line)[-4:] == ["我", "来到", "北京", "清华大学"]
    assert tokenizer("unicode")("हिन्दी में") == ["हिन्दी", "में"]  # vowel signs are inside words


@given(st.text("abc", max_size=30), st.text("abc", max_size=30))
@settings(max_examples=120)
def test_subsequences(first: str, second: str) -> None:
    table = rouge_scorer._lcs_table(first, second)
    assert lcs_length(first, second) == table[-1][-1]
    assert lcs_places(first, second) == rouge_scorer._backtrack_norec(table, first, second)


@pytest.mark.parametrize(
    ("references", "bleu", "rouge_"),
    [
        (["The cat sat.", "It rained."], "13a", "ascii"),
        (["Die Straße war überschwemmt, darüber hörte man später nichts."], "13a", "unicode"),
        (["Мир."], "13a", "unicode"),
        (["今天下雨。"], "zh", "char"),
        (["GPT-4 是一个模型"], "zh", "char"),
        (["これはペンです。"], "char", "char"),
        (["ฉันรักภาษาไทย"], "char", "unicode"),
        (["...", "12"], "13a", "ascii"),
    ],
)
def test_choice_by_script(references: list[str], bleu: str, rouge_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longra.evaluate.references.choose_tokenizer.find_spec", lambda _: None)
    assert bleu_tokenizer([references])[0] == bleu
    assert rouge_tokenizer([references])[0] == rouge_


def test_japanese_words_where_mecab_is_installed() -> None:
    assert bleu_tokenizer([["これはペンです。"]]) == ("ja-mecab", "the references are in Japanese")
    score = sacre.measure(sacre.bleu("ja-mecab"), ["これはペンです。"], [["これはペンではない。"]], samples=0)
    assert "|tok:ja-mecab-0.996-IPA|" in score.signature
    assert score.details["hypothesis_length"] == 5


def test_unknown_tokenizer() -> None:
    with pytest.raises(UsageError, match="no tokenizer '13b'; choose from none, zh, 13a"):
        sacre.bleu("13b")


HYPOTHESES = [
    f"the {w} sat on the mat and looked at {w} number {i}" for i, w in enumerate(["cat", "dog", "cow", "hen"] * 5)
]
BASELINE = [line.replace("looked at", "saw") if i % 2 else line for i, line in enumerate(HYPOTHESES)]
REFERENCES = [[line, line.replace("sat", "stood")] for line in HYPOTHESES]


@pytest.mark.parametrize(("kind", "short"), [("bootstrap", "bs"), ("randomisation", "ar")])
def test_paired_tests_are_sacrebleus(kind: str, short: str) -> None:
    found = sacre.compare(sacre.bleu("13a"), HYPOTHESES, BASELINE, REFERENCES, kind)
    pair = [("baseline", BASELINE), ("system", HYPOTHESES)]
    signatures, results = PairedTest(pair, {"BLEU": BLEU()}, streams(REFERENCES), test_type=short)()
    assert (found.baseline, found.system) == tuple(result.score for result in results["BLEU"])
    assert found.p_value == results["BLEU"][1].p_value < 0.05
    assert found.signature == str(signatures["BLEU"])


@pytest.mark.parametrize("kind", ["bootstrap", "randomisation"])
def test_rouge_tests_tell_a_difference_and_none(kind: str) -> None:
    better = {test.name: test for test in compare_rouge(HYPOTHESES, BASELINE, REFERENCES, "ascii", kind)}
    assert better["ROUGE-L"].p_value < 0.01
    assert better["ROUGE-L"].system > better["ROUGE-L"].baseline
    same = compare_rouge(HYPOTHESES, HYPOTHESES, REFERENCES, "ascii", kind)
    assert {test.p_value for test in same} == {1.0}
    assert sacre.compare(sacre.chrf(), HYPOTHESES, HYPOTHESES, REFERENCES, kind).p_value == 1.0


def test_randomisation_is_exact_where_all_swaps_can_be_counted() -> None:
    """Three pairs have eight swaps; two of them, all or none, move the means as far as they are apart."""
    assert p_value([0.0, 0.0, 0.0], [0.1, 0.2, 0.4], "randomisation") == pytest.approx(0.25, abs=0.015)


def test_interval_is_that_of_the_mean() -> None:
    values = np.random.default_rng(5).normal(0.4, 0.1, 400)
    found = interval(values.tolist())
    assert found.mean == pytest.approx(values.mean(), abs=0.001)
    assert found.margin == pytest.approx(1.96 * values.std() / 20, rel=0.08)
    assert found == interval(values.tolist())
