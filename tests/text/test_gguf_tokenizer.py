"""GGUF tokenizers against an independent implementation's encodings, and against files that are wrong."""

import json
from functools import cache
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizing import (
    BYTE,
    CONTROL,
    DATA,
    NORMAL,
    REAL,
    UNKNOWN,
    USER_DEFINED,
    byte_level_metadata,
    real_tokenizer,
    sentencepiece_metadata,
)

from longra.errors import FormatError, UsageError
from longra.files.checkpoint import open_checkpoint
from longra.text.gguf_tokenizer import read_gguf_tokenizer
from longra.text.merges import merges_of
from longra.text.tokenizer import Tokenizer, load_tokenizer
from support.real import real_model

REFERENCE = json.loads((DATA / "reference_tokens.json").read_text(encoding="utf-8"))

# Encoded by the transformers library from the same files: what the references do not touch. (For smollm2 it leaves out
# the split of digits that the file's tokenizer.ggml.pre asks for and the model was trained with; it was put back.)
MORE = [
    ("smollm2", "  12 and\t\t3", [256, 33, 34, 284, 1656, 35]),
    ("smollm2", "a\n\n1. b", [81, 1116, 33, 30, 278]),
    ("smollm2", "if x:\n    7", [342, 1792, 42, 2367, 39]),
    ("qwen", "I'LL x'Ve   7\r\n\r\n  8", [40, 6, 4086, 856, 6, 42612, 256, 220, 22, 871, 220, 220, 23]),
    ("qwen", "e\u0301 \u1e69", [68, 53839, 86089, 117, 102]),
    ("qwen", "<|im_start|>user\nhi<|im_end|><tool_call>", [151644, 872, 198, 6023, 151645, 151657]),
    ("qwen", "  3.14 １２ ½ ²", [220, 220, 18, 13, 16, 19, 220, 20109, 24918, 220, 26062, 220, 29456]),
    ("gemma", " " * 33 + "a", [152, 153, 236746]),
    ("gemma", "\n" * 33, [137, 108]),
    ("gemma", "a" + "\t" * 40, [236746, 255998, 255976]),
    ("gemma", "x  <b>hi</b>   y", [236781, 138, 200, 2202, 209, 139, 236762]),
    ("gemma", "▁▁a ▁b", [138, 236746, 138, 236763]),
    ("gemma", "<0x41>", [236820, 236771, 236781, 236812, 236770, 236813]),
    ("gemma", "<start_of_turn>user\nhi<end_of_turn>\n", [105, 2364, 107, 2202, 106, 107]),
    ("gemma", "e\u0301 \u1e69", [236744, 238288, 236743, 463, 423, 407]),
    ("gemma", "ﷺ 한국어 ไทย", [241078, 50413, 237430, 127604]),
]


@pytest.mark.parametrize("name", REAL)
def test_reference_prompts(name: str) -> None:
    tokenizer = real_tokenizer(name)
    for case in REFERENCE[name]:
        chat = case["id"].startswith("chat")
        assert tokenizer.encode(case["text"], add_special=not chat) == case["prompt_tokens"], case["id"]
        assert tokenizer.decode(case["prompt_tokens"], skip_special=not chat) == case["text"], case["id"]
        assert tokenizer.decode(case["greedy_tokens"], skip_special=False) == case["greedy_text"], case["id"]


@pytest.mark.parametrize(("name", "text", "expected"), MORE)
def test_other_texts(name: str, text: str, expected: list[int]) -> None:
    assert real_tokenizer(name).encode(text, add_special=False) == expected


@pytest.mark.parametrize(
    ("name", "vocabulary", "bos", "ends"),
    [
        ("smollm2", 49152, 1, {"<|endoftext|>", "<|im_end|>"}),
        ("qwen", 151936, 151643, {"<|endoftext|>", "<|im_end|>"}),
        ("gemma", 262144, 2, {"<eos>", "<end_of_turn>"}),
    ],
)
def test_what_ends_a_text(name: str, vocabulary: int, bos: int, ends: set[str]) -> None:
    tokenizer = real_tokenizer(name)
    assert tokenizer.vocabulary == vocabulary
    assert tokenizer.bos_id == bos
    assert {tokenizer.token_text(i) for i in tokenizer.eos_ids} == ends


@pytest.mark.parametrize("name", REAL)
def test_names_of_control_tokens_as_plain_text(name: str) -> None:
    tokenizer = real_tokenizer(name)
    for control in ("<|im_end|>", "<|endoftext|>", "<end_of_turn>", "<eos>"):
        text = f"say {control} now"
        ids = tokenizer.encode(text, special=False)
        assert not set(ids[1:]) & tokenizer.special_ids
        assert tokenizer.decode(ids) == text


@settings(max_examples=150)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_byte_level_round_trip(text: str) -> None:
    for name in ("smollm2", "qwen"):
        tokenizer = real_tokenizer(name)
        kept = "".join(character for character in text if character not in tokenizer.lost(text))
        assert tokenizer.decode(tokenizer.encode(kept), skip_special=False) == kept


@cache
def lazy_tokenizer(name: str) -> Tokenizer:
    with open_checkpoint(real_model(name)) as checkpoint:
        return load_tokenizer(checkpoint, lazy=True)


PARTS_OF_TEXTS = [
    " ",
    "\n",
    "\t",
    "the",
    "The",
    "12",
    "ß",
    "中文",
    "é",
    "😀",
    "<|im_start|>",
    "<end_of_turn>",
    "▁",
    "</s>",
    "'s",
]


@pytest.mark.parametrize("name", REAL)
def test_a_small_tokenizer_for_a_short_text_gives_the_same_tokens(name: str) -> None:
    draw = Random(1)
    for case in REFERENCE[name][:20]:
        cut = case["text"][:1500]
        mixed = "".join(draw.choice(PARTS_OF_TEXTS) if draw.random() < 0.2 else c for c in cut[:300])
        for text in (cut, mixed):
            assert lazy_tokenizer(name).encode(text) == real_tokenizer(name).encode(text)
    assert "core" not in vars(lazy_tokenizer(name)._parts)


@settings(max_examples=50)
@given(st.text("ab c▁<>/s|u\n", max_size=40))
def test_a_small_tokenizer_with_spaces_put_before(text: str) -> None:
    pieces = PIECES | {"<|user|>": 0.0, "▁b": -5.0, "ab▁c": -6.0, "▁▁": -7.0, "c▁": -8.0}
    types = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256 + [NORMAL] * len(pieces)
    types[259 + len(PIECES)] = CONTROL
    metadata = sentencepiece_metadata(pieces, token_type=types) | {"general.architecture": "phi3"}
    whole, small = (Tokenizer(read_gguf_tokenizer(metadata, lazy)) for lazy in (False, True))
    for mixed in (text, f"{text}<|user|> {text}"):
        assert small.encode(mixed) == whole.encode(mixed)


def test_what_a_vocabulary_cannot_spell() -> None:
    assert real_tokenizer("smollm2").lost("a\x16中b\U00040000\x16") == ["\x16", "\U00040000"]
    assert real_tokenizer("qwen").lost("a\x16\U00040000") == []
    assert real_tokenizer("gemma").lost("a\x16\U00040000") == []


@settings(max_examples=150)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_sentencepiece_round_trip(text: str) -> None:
    text = text.replace("\u2581", " ")  # SentencePiece spells a space so; the two cannot be told apart afterwards
    tokenizer = real_tokenizer("gemma")
    assert tokenizer.decode(tokenizer.encode(text)) == text


def byte_level(*args: object, **kwargs: object) -> Tokenizer:
    return Tokenizer(read_gguf_tokenizer(byte_level_metadata(*args, **kwargs)))  # type: ignore[arg-type]


def test_merges_apply_in_their_order() -> None:
    tokenizer = byte_level(["b c", "a b", "a bc"])
    assert [tokenizer.token_text(i) for i in tokenizer.encode("abc ab bcd")] == ["abc", "Ġ", "ab", "Ġ", "bc", "d"]


def test_special_tokens_at_the_ends() -> None:
    assert byte_level().encode("a") == byte_level().encode("a", add_special=False)
    both = byte_level(add_bos_token=True, add_eos_token=True)
    end = both.encode("<|endoftext|>", add_special=False)
    assert both.encode("a") == end + both.encode("a", add_special=False) + end
    llama3 = byte_level(pre="llama-bpe")
    assert llama3.encode("a")[0] == llama3.bos_id
    assert byte_level(pre="llama-bpe", add_bos_token=False).encode("a")[0] != llama3.bos_id


def test_all_named_ends_are_ends() -> None:
    tokenizer = byte_level(eot_token_id=3, eom_token_id=4)
    im_end = tokenizer.token_id("<|im_end|>")
    assert tokenizer.eos_ids == {3, 4, tokenizer.bos_id, im_end}


def test_user_defined_tokens_are_whole_and_shown() -> None:
    metadata = byte_level_metadata()
    metadata["tokenizer.ggml.token_type"][-1] = USER_DEFINED
    metadata["tokenizer.ggml.tokens"][-1] = "<思 考>"
    tokenizer = Tokenizer(read_gguf_tokenizer(metadata))
    ids = tokenizer.encode("a<思 考>b")
    assert len(ids) == 3
    assert tokenizer.decode(ids) == "a<思 考>b"
    assert tokenizer.encode("a<思 考>b", special=False) == ids


@pytest.mark.parametrize(
    ("pre", "text", "pieces"),
    [
        ("gpt-2", "I'm 1234  x!?", ["I", "'m", " 1234", " ", " x", "!?"]),
        ("default", "a  \n\nb", ["a", "  \n", "\n", "b"]),
        ("llama-bpe", "I'M 1234  x!?\n\ny", ["I", "'M", " ", "123", "4", " ", " x", "!?\n\n", "y"]),
        ("qwen2", "I'M 12  x!?\n\ny", ["I", "'M", " ", "1", "2", " ", " x", "!?\n\n", "y"]),
        ("smollm", "a 12  3", ["a", " ", "1", "2", "  ", "3"]),
        ("gpt-4o", "HelloWorld's ABC", ["Hello", "World's", " ABC"]),
        ("tekken", "HelloWorld 12", ["Hello", "World", " ", "1", "2"]),
        ("falcon", "a, 12345", ["a", ",", " ", "123", "45"]),
        ("deepseek-coder", "x. 12中文", ["x", ".", " ", "1", "2", "中文"]),
        ("deepseek-v3", "1234中文 .then", ["123", "4", "中文", " .", "then"]),
    ],
)
def test_splits(pre: str, text: str, pieces: list[str]) -> None:
    core = byte_level(pre=pre)._parts.core
    ranges = [place for _, place in core.pre_tokenizer.pre_tokenize_str(text)]
    assert [text[start:stop] for start, stop in ranges] == pieces


def sentencepiece(pieces: dict[str, float], **extra: object) -> Tokenizer:
    return Tokenizer(read_gguf_tokenizer(sentencepiece_metadata(pieces, **extra)))


def texts(tokenizer: Tokenizer, text: str, **options: bool) -> list[str]:
    return [tokenizer.token_text(i) for i in tokenizer.encode(text, **options)]


PIECES = {"▁": -9.0, "a": -9.0, "b": -9.0, "c": -9.0, "bc": -1.0, "ab": -2.0, "▁a": -3.0, "abc": -4.0}


def test_pieces_join_by_score() -> None:
    tokenizer = sentencepiece(PIECES)
    assert texts(tokenizer, "abc ab") == ["<s>", "▁a", "bc", "▁", "ab"]
    assert tokenizer.decode(tokenizer.encode("abc ab")) == "abc ab"


def test_space_before_a_text() -> None:
    with_space, without = sentencepiece(PIECES), sentencepiece(PIECES, add_space_prefix=False, add_bos_token=False)
    assert texts(with_space, " a", add_special=False) == ["▁", "▁a"]
    assert texts(without, " a") == ["▁a"]
    ids = without.encode(" a")
    assert without.decode(ids) == " a"
    assert with_space.decode(with_space.encode(" a")) == " a"
    assert with_space.decode(ids) == "a"
    assert with_space.decode(ids, continues=True) == " a"


def test_bytes_stand_for_unknown_characters() -> None:
    tokenizer = sentencepiece(PIECES, add_space_prefix=False)
    assert texts(tokenizer, "a中", add_special=False) == ["a", "<0xE4>", "<0xB8>", "<0xAD>"]
    assert texts(tokenizer, "<0x41>", add_special=False)[0] == "<0x3C>"  # the name of a byte is not that byte
    assert tokenizer.decode(tokenizer.encode("a中\x00")) == "a中\x00"


def test_phi3_control_tokens_swallow_white_space() -> None:
    metadata = sentencepiece_metadata(PIECES) | {"general.architecture": "phi3"}
    tokenizer = Tokenizer(read_gguf_tokenizer(metadata))
    assert texts(tokenizer, "</s>\n a", add_special=False) == ["</s>", "▁a"]


def brute_force(tokens: list[str], ranked: list[int], parts: set[str]) -> list[tuple[str, str]]:
    cuts = [(tokens[i][:k], tokens[i][k:]) for i in ranked for k in range(len(tokens[i]) - 1, 0, -1)]
    return [(left, right) for left, right in cuts if left in parts and right in parts]


@settings(max_examples=200)
@given(data=st.data(), tokens=st.lists(st.text("ab中\U0001f389", max_size=6), min_size=1, max_size=60, unique=True))
def test_merges_are_all_cuts(data: st.DataObject, tokens: list[str]) -> None:
    ranked = data.draw(st.permutations(range(len(tokens))))
    ranked = ranked[: data.draw(st.integers(0, len(tokens)))]
    parts = np.array(data.draw(st.lists(st.booleans(), min_size=len(tokens), max_size=len(tokens))), np.bool_)
    allowed = {token for token, part in zip(tokens, parts, strict=True) if part}
    found = merges_of(tokens, np.array(ranked, np.intp), parts)
    assert found == brute_force(tokens, ranked, allowed)


WRONG = [
    ({"model": "bert"}, "known are gpt2, llama"),
    ({"model": None}, "known are"),
    ({"tokens": []}, "missing or empty"),
    ({"tokens": [1, 2]}, "not strings"),
    ({"pre": "klingon"}, "klingon"),
    ({"pre": 7}, "not a text"),
    ({"merges": ["a b"]}, "do not fit"),
    ({"merges": ["ab"]}, "not two tokens"),
    ({"token_type": [1, 1]}, "2 values for 258 tokens"),
    ({"bos_token_id": 258}, "258 tokens"),
    ({"eos_token_id": -1}, "-1"),
    ({"eot_token_id": "x"}, "'x'"),
]


@pytest.mark.parametrize(("change", "cause"), WRONG)
def test_wrong_files(change: dict[str, object], cause: str) -> None:
    metadata = byte_level_metadata() | {f"tokenizer.ggml.{key}": value for key, value in change.items()}
    with pytest.raises(FormatError, match=cause):
        read_gguf_tokenizer(metadata)


def test_wrong_scores() -> None:
    with pytest.raises(FormatError, match=r"scores has 1 values"):
        read_gguf_tokenizer(sentencepiece_metadata(PIECES, scores=[0.0]))


def test_too_many_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longra.text.merges.MAX_CHARACTERS", 100)
    with pytest.raises(FormatError, match="over 100"):
        read_gguf_tokenizer(sentencepiece_metadata(PIECES))


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 300)
    | st.text(max_size=5)
    | st.lists(st.integers(-2, 9), max_size=4)
    | st.just(np.array([1, 2], np.uint32))
)
KEYS = ["tokens", "token_type", "scores", "merges", "pre", "model", "bos_token_id", "eos_token_id"]
KEYS += ["add_bos_token", "add_eos_token", "add_space_prefix"]


@settings(max_examples=200)
@given(
    changes=st.dictionaries(st.sampled_from(KEYS), VALUES | st.lists(st.text(max_size=3), max_size=4), max_size=3),
    kind=st.sampled_from([byte_level_metadata(["a b"]), sentencepiece_metadata(PIECES)]),
)
@example(changes={"add_bos_token": np.array([1, 2])}, kind=sentencepiece_metadata(PIECES))
def test_any_metadata_give_a_tokenizer_or_an_error(changes: dict[str, object], kind: dict[str, object]) -> None:
    metadata = kind | {f"tokenizer.ggml.{key}": value for key, value in changes.items()}
    try:
        tokenizer = Tokenizer(read_gguf_tokenizer(metadata))
    except FormatError:
        return
    tokenizer.decode(tokenizer.encode("ab 中"))


def test_half_a_surrogate_pair() -> None:
    with pytest.raises(UsageError, match=r"character 4 of the text.*U\+D800"):
        byte_level().encode("abc\ud800")


def test_ids_beyond_the_vocabulary_are_nothing() -> None:
    tokenizer = byte_level()
    assert tokenizer.decode([-1, 10**9, *tokenizer.encode("a")]) == "a"
    assert tokenizer.token_bytes(-1) == b""
    assert tokenizer.token_text(10**9) == ""
    assert tokenizer.token_id("nothing") is None


def test_control_and_normal_types_are_kept_apart() -> None:
    metadata = byte_level_metadata()
    metadata["tokenizer.ggml.token_type"][-1] = NORMAL
    tokenizer = Tokenizer(read_gguf_tokenizer(metadata))
    assert tokenizer.decode(tokenizer.encode("x<|im_end|><|endoftext|>")) == "x<|im_end|>"
    metadata["tokenizer.ggml.token_type"][-1] = CONTROL
    tokenizer = Tokenizer(read_gguf_tokenizer(metadata))
    assert tokenizer.decode(tokenizer.encode("x<|im_end|><|endoftext|>")) == "x"


def test_control_tokens_are_not_merged_into_being() -> None:
    """A text that spells a control token gets it by its name or not at all, never by merging its letters."""
    metadata = sentencepiece_metadata(PIECES | {"abcb": 9.0}, add_space_prefix=False)
    metadata["tokenizer.ggml.token_type"][-1] = CONTROL
    tokenizer = Tokenizer(read_gguf_tokenizer(metadata))
    assert texts(tokenizer, "abcb", add_special=False) == ["abcb"]
    assert texts(tokenizer, "abcb", add_special=False, special=False) == ["abc", "b"]


def test_unknown_characters_without_bytes() -> None:
    metadata = sentencepiece_metadata(PIECES, add_space_prefix=False)
    for key in ("tokens", "scores", "token_type"):
        del metadata[f"tokenizer.ggml.{key}"][3:259]
    tokenizer = Tokenizer(read_gguf_tokenizer(metadata))
    assert texts(tokenizer, "a中文b", add_special=False) == ["a", "<unk>", "b"]
