"""Chooses the tokenizer of a measure from the script of the references, and says why."""

from importlib.util import find_spec

from longra.evaluate.references.rouge_tokens import RougeTokenizer
from longra.evaluate.score import References
from longra.text.script import SAMPLE, SHARE, scripts_of

KANA_SHARE = 0.1
"""Of the letters; Japanese has several times as many, Chinese none but in names."""

ASCII_SHARE = 0.995
"""Of the letters; English has more, languages with accents less."""


def bleu_tokenizer(references: References) -> tuple[str, str]:
    """Sacrebleu's tokenizer for the language of the references (`zh`, `ja-mecab`, `char` or `13a`), and the reason."""
    scripts = scripts_of(_text(references))
    least = max(1.0, SHARE * scripts.total())
    if scripts["Hiragana"] + scripts["Katakana"] >= max(1.0, KANA_SHARE * scripts.total()):
        if find_spec("MeCab") and find_spec("ipadic"):
            return "ja-mecab", "the references are in Japanese"
        return "char", "the references are in Japanese, and ja-mecab is not here: pip install 'sacrebleu[ja]'"
    if scripts["Han"] >= least:
        return "zh", "the references are in Chinese"
    if scripts["Thai"] >= least:
        return "char", "the references are in Thai, which puts no spaces between words"
    return "13a", "the references have spaces between words"


def rouge_tokenizer(references: References) -> tuple[RougeTokenizer, str]:
    """`char`, `ascii` or `unicode`, and the reason."""
    text = _text(references)
    scripts = scripts_of(text)
    ideographs = scripts["Han"] + scripts["Hiragana"] + scripts["Katakana"]
    if ideographs >= max(1.0, SHARE * scripts.total()):
        return "char", "the references are in Chinese or Japanese; `--tokenize word` counts words of Chinese instead"
    letters = [character for character in text if character.isalpha()]
    if sum(map(str.isascii, letters)) >= ASCII_SHARE * len(letters):
        return "ascii", "the references have English letters, and these are what rouge-score counts"
    return "unicode", "the references have letters that rouge-score would drop"


def _text(references: References) -> str:
    """The beginning of the references, as much as is looked at."""
    parts: list[str] = []
    size = 0
    for refs in references:
        for text in refs:
            parts.append(text)
            size += len(text) + 1
        if size >= SAMPLE:
            break
    return "\n".join(parts)[:SAMPLE]
