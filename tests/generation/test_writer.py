"""From tokens to shown text: whole characters, stop strings across tokens, and nothing held back for ever."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from longra.generation.writer import Writer
from longra.text.stream import StreamDecoder


class Pieces:
    """A tokenizer whose token i is the i-th piece."""

    def __init__(self, pieces: list[bytes], strip_space: bool = False) -> None:
        self._pieces = pieces
        self._strip_space = strip_space

    def stream(self, skip_special: bool = True, continues: bool = False) -> StreamDecoder:  # noqa: ARG002
        return StreamDecoder(self._pieces.__getitem__, self._strip_space and not continues)


def written(pieces: list[bytes], stops: list[str], min_tokens: int = 0) -> tuple[list[str], Writer]:
    """What comes out piece by piece, as the engine's loop uses a writer."""
    writer = Writer(Pieces(pieces), stops, min_tokens, continues=True)  # type: ignore[arg-type]
    out = []
    for token in range(len(pieces)):
        out.append(writer.push(token))
        if writer.stopped:
            break
    out.append(writer.finish())
    return out, writer


def naive(pieces: list[bytes], stops: list[str], min_tokens: int) -> str:
    """Token by token: does the text beyond the first min_tokens hold a stop string yet?"""
    exempt = len(b"".join(pieces[:min_tokens]).decode("utf-8", "ignore"))
    for count in range(min_tokens + 1, len(pieces) + 1):
        text = b"".join(pieces[:count]).decode("utf-8", "ignore")
        found = [place for stop in stops if (place := text.find(stop, exempt)) >= 0]
        if found:
            return text[: min(found)]
    return b"".join(pieces).decode("utf-8", "replace")


@st.composite
def cut_texts(draw: st.DrawFn) -> list[bytes]:
    """A text cut into tokens anywhere, inside characters too."""
    data = draw(st.text(st.sampled_from("abc\n 中🙂é"), max_size=30)).encode()
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=15)) | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(cuts)]


@given(
    cut_texts(), st.lists(st.text(st.sampled_from("abc\n 中🙂"), min_size=1, max_size=4), max_size=3), st.integers(0, 6)
)
@settings(max_examples=600)
def test_the_text_ends_before_the_first_stop_string(pieces: list[bytes], stops: list[str], min_tokens: int) -> None:
    out, writer = written(pieces, stops, min_tokens)
    assert writer.text == naive(pieces, stops, min_tokens)
    assert "".join(out) == writer.text


@given(cut_texts())
def test_without_stops_every_whole_character_is_shown_at_once(pieces: list[bytes]) -> None:
    writer = Writer(Pieces(pieces), [], 0, continues=True)  # type: ignore[arg-type]
    for token in range(len(pieces)):
        writer.push(token)
        assert writer.text == b"".join(pieces[: token + 1]).decode("utf-8", "ignore")


def test_what_may_become_a_stop_string_is_held_back_and_then_shown() -> None:
    out, writer = written([b"one E", b"N", b"D", b"O two"], ["ENDS"])
    assert out == ["one ", "", "", "ENDO two", ""]
    assert writer.text == "one ENDO two"


def test_what_was_held_back_comes_at_the_end() -> None:
    assert written([b"one EN"], ["END"])[0] == ["one ", "EN"]


def test_a_stop_string_over_three_tokens_ends_the_text() -> None:
    out, writer = written([b"one E", b"N", b"D and more"], ["END"])
    assert (out, writer.stopped) == (["one ", "", "", ""], True)


def test_an_unfinished_character_becomes_a_replacement_character() -> None:
    assert written(["中".encode()[:2]], [])[0] == ["", "\ufffd"]
    assert written(["中".encode()[:2]], ["\ufffd"])[0] == ["", ""]


def test_a_space_at_the_beginning_stays_when_the_text_continues_a_prompt() -> None:
    pieces = Pieces([b" a"], strip_space=True)
    assert Writer(pieces, [], 0, continues=True).push(0) == " a"  # type: ignore[arg-type]
    assert Writer(pieces, [], 0, continues=False).push(0) == "a"  # type: ignore[arg-type]
