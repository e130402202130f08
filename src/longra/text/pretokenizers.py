"""How a byte-level vocabulary splits text before merging, by the name that a GGUF file gives to it.

The expressions are facts about the models: each is the one that its publisher's tokenizer was trained with, under the
names that llama.cpp's converter writes to `tokenizer.ggml.pre`.
"""

from typing import TYPE_CHECKING

from longra.errors import FormatError
from longra.files.mapped import shown

if TYPE_CHECKING:
    from tokenizers import pre_tokenizers

_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_TAIL = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CASED = r"[^\r\n\p{L}\p{N}]?"

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = rf"{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*{_TAIL}"
QWEN2 = rf"{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*{_TAIL}"
QWEN35 = (
    rf"{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}"
    rf"| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*{_TAIL}"
)
GPT4O = (
    rf"{_CASED}{_UPPER}*{_LOWER}+{_CONTRACTION}?|{_CASED}{_UPPER}+{_LOWER}*{_CONTRACTION}?"
    rf"|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*{_TAIL}"
)
TEKKEN = rf"{_CASED}{_UPPER}*{_LOWER}+|{_CASED}{_UPPER}+{_LOWER}*|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*{_TAIL}"
_PUNCTUATED = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
) + _TAIL

# Each name is a list of expressions that are applied one after the other; what no expression matches stays a piece.
_DIGITS = [r"\p{N}", GPT2]
_SPLITS: dict[str, list[str]] = {
    "gpt-2": [GPT2],
    "llama-bpe": [LLAMA3],
    "qwen2": [QWEN2],
    "qwen35": [QWEN35],
    "gpt-4o": [GPT4O],
    "tekken": [TEKKEN],
    "starcoder": _DIGITS,
    "falcon": [r"[\p{P}\$\+<=>\^~\|`]+", GPT2, r"[0-9][0-9][0-9]"],
    "deepseek-coder": [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", r"[一-龥ࠀ-一가-퟿]+", r"\p{N}"],
    "deepseek-v3": [r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+", _PUNCTUATED],
}
_SAME = {
    "gpt-2": "default codegen gpt2 gptj gpt_neox phi-2 olmo mpt jais gigachat roberta-bpe mellum a.x-4.0 trillion "
    "granite-docling jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code exaone4",
    "llama-bpe": "llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 smaug-bpe dbrx glm4 chatglm-bpe",
    "qwen2": "deepseek-r1-qwen stablelm2 megrez kormo hunyuan",
    "gpt-4o": "llama4 kanana2",
    "starcoder": "smollm refact command-r codeshell exaone minerva-7b",
    "deepseek-v3": "deepseek-r1 hunyuan-dense",
}
_NAMES = {alias: name for name, aliases in _SAME.items() for alias in aliases.split()} | {n: n for n in _SPLITS}

WHOLE_WORDS = frozenset({"llama-bpe", "tekken"})
"""A word that is a token as a whole stays whole, whatever the merges say (`ignore_merges`)."""
BEGINS_WITH_BOS = frozenset({"llama-bpe", "tekken"})
"""These add their BOS unless the file says otherwise."""


def canonical(name: str) -> str:
    """The name under which the expressions of a `tokenizer.ggml.pre` are known.

    Raises:
        FormatError: the name is not known; to guess would give other tokens than the model was trained on.
    """
    if name in _NAMES:
        return _NAMES[name]
    raise FormatError(
        f"tokenizer.ggml.pre is {shown(name)}, which is not known; known are {', '.join(sorted(_NAMES))}; "
        "use another copy of the model, for example its Hugging Face folder with a tokenizer.json"
    )


def byte_level(name: str) -> "pre_tokenizers.PreTokenizer":
    """The pre-tokenizer of a canonical name: its splits, then the spelling of bytes in GPT-2's printable alphabet."""
    from tokenizers import Regex, pre_tokenizers

    steps: list[pre_tokenizers.PreTokenizer] = [
        pre_tokenizers.Split(Regex(expression), behavior="isolated") for expression in _SPLITS[name]
    ]
    return pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
