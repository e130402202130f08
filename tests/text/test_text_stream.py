"""Text that comes token by token is the text of all tokens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizing import REAL, byte_level_metadata, real_tokenizer, sentencepiece_metadata

from longra.text.gguf_tokenizer import read_gguf_tokenizer
from longra.text.tokenizer import Tokenizer

SMALL = {
    "byte_level": Tokenizer(read_gguf_tokenizer(byte_level_metadata(["Ġ a", "ä ¸"]))),
    "sentencepiece": Tokenizer(read_gguf_tokenizer(sentencepiece_metadata({"▁": -1.0, "▁a": -2.0, "中": -3.0}))),
}


def streamed(tokenizer: Tokenizer, ids: list[int], **options: bool) -> list[str]:
    stream = tokenizer.stream(**options)
    return [*map(stream.push, ids), stream.flush()]


@pytest.mark.parametrize("kind", SMALL)
@settings(max_examples=300)
@given(ids=st.lists(st.integers(-1, 262), max_size=20), skip_special=st.booleans(), continues=st.booleans())
def test_small_vocabularies(kind: str, ids: list[int], skip_special: bool, continues: bool) -> None:
    options = {"skip_special": skip_special, "continues": continues}
    assert "".join(streamed(SMALL[kind], ids, **options)) == SMALL[kind].decode(ids, **options)


@pytest.mark.parametrize("name", REAL)
@settings(max_examples=150)
@given(data=st.data(), skip_special=st.booleans())
def test_real_vocabularies(name: str, data: st.DataObject, skip_special: bool) -> None:
    tokenizer = real_tokenizer(name)
    ids = data.draw(st.lists(st.integers(0, tokenizer.vocabulary - 1), max_size=30))
    assert "".join(streamed(tokenizer, ids, skip_special=skip_special)) == tokenizer.decode(ids, skip_special)


@pytest.mark.parametrize("name", REAL)
@settings(max_examples=100)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd\u2581"), max_size=40))
def test_no_piece_of_a_text_is_broken(name: str, text: str) -> None:
    tokenizer = real_tokenizer(name)
    text = "".join(character for character in text if character not in tokenizer.lost(text))
    pieces = streamed(tokenizer, tokenizer.encode(text, special=False))
    assert "".join(pieces) == text
    assert not any("\ufffd" in piece for piece in pieces)


def test_a_character_comes_when_its_last_byte_does() -> None:
    tokenizer = real_tokenizer("smollm2")
    ids = tokenizer.encode("ᚠᛇ")
    assert [tokenizer.token_bytes(i) for i in ids] == [bytes([byte]) for byte in "ᚠᛇ".encode()]
    assert streamed(tokenizer, ids) == ["", "", "ᚠ", "", "", "ᛇ", ""]


def test_an_unfinished_character_waits_for_the_end() -> None:
    tokenizer = real_tokenizer("smollm2")
    first, *_ = tokenizer.encode("ᚠ")
    stream = tokenizer.stream()
    assert stream.push(first) == ""
    assert stream.flush() == "\ufffd"
    assert stream.push(tokenizer.encode("a")[0]) == "a"


def test_the_first_space_of_sentencepiece() -> None:
    tokenizer = SMALL["sentencepiece"]
    ids = [1, tokenizer.token_id("▁a"), tokenizer.token_id("▁a")]
    assert streamed(tokenizer, ids) == ["", "a", " a", ""]
    assert streamed(tokenizer, ids, continues=True) == ["", " a", " a", ""]
