"""Mass on tokens becomes shares of passages: by hand on a small text, and against plain code on random ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longra.attend.passages import passages, sentences
from longra.attend.shares import Trace, attention


def test_a_small_text_by_hand() -> None:
    """[chat] | First one. | Second one. | [ask] | Yes. | No. with a row for each written token."""
    pieces = [b"<s>", b"First ", b"one.\n\n", b"Second", b" one.", b"<ask>", b"Yes. ", b"No."]
    mass = np.zeros((2, 8), np.float32)
    mass[0, :6] = [4, 1, 1, 2, 0, 2]
    mass[1, :7] = [5, 0, 0, 0, 3, 0, 2]
    seen = attention(Trace(pieces, 6, mass), "First one.\n\nSecond one.")
    assert seen.passages == ("First one.\n\n", "Second one.")
    yes, no = seen.drawings
    assert (yes.text, no.text) == ("Yes. ", "No.")
    assert yes.passages == pytest.approx((0.2, 0.2))
    assert (yes.earlier, yes.own, yes.frame, yes.resting) == ((), 0, pytest.approx(0.2), pytest.approx(0.4))
    assert no.passages == pytest.approx((0, 0.3))
    assert no.earlier == pytest.approx((0.2,))
    assert (no.own, no.resting) == (0, pytest.approx(0.5))
    assert no.frame == pytest.approx(0, abs=1e-9)
    assert no.drawn == pytest.approx(0.3)


def test_a_source_that_the_trace_spells_otherwise() -> None:
    """All before the traced part is the source then."""
    seen = attention(Trace([b"A b. ", b"C."], 1, np.ones((1, 2), np.float32)), "a different text")
    assert seen.passages == ("A b. ",)


def test_bytes_that_are_no_text() -> None:
    """A generation may end within a character; the page shows a mark for it."""
    seen = attention(Trace([b"Hi. ", b"Ok \xe4\xbd"], 1, np.ones((1, 2), np.float32)), "Hi. ")
    assert seen.drawings[0].text == "Ok \ufffd"


@given(st.text(st.sampled_from("ab .\n中。"), min_size=1, max_size=60), st.integers(1, 59), st.data())
def test_shares_are_what_plain_code_gives(text: str, cut: int, data: st.DataObject) -> None:
    """Each token's mass goes to the sentence or passage of its last byte; together they are all of it."""
    data_bytes = text.encode()
    marks = sorted(data.draw(st.sets(st.integers(1, len(data_bytes)), max_size=30)) | {len(data_bytes)})
    pieces = [data_bytes[a:b] for a, b in zip([0, *marks], marks, strict=False)]
    first = min(max(1, cut * len(pieces) // 60), len(pieces) - 1)
    if first < 1:
        return
    mass = np.tril(np.random.default_rng(data.draw(st.integers(0, 9))).random((len(pieces),) * 2))
    rows = mass[first:].astype(np.float32)
    seen = attention(Trace(pieces, first, rows), "\0 not there")
    before = b"".join(pieces[:first]).decode("utf-8", "surrogateescape")
    written = b"".join(pieces[first:]).decode("utf-8", "surrogateescape")
    base = sum(map(len, pieces[:first]))
    owner = {}
    for part, spans, offset in ((before, passages(before), 0), (written, sentences(written), base)):
        for i, span in enumerate(spans):
            for byte in range(*(len(part[:at].encode("utf-8", "surrogateescape")) for at in (span.start, span.end))):
                owner[offset + byte] = (offset > 0, i)
    ends = np.cumsum([len(piece) for piece in pieces])
    of_token = [owner.get(int(end) - 1) for end in ends]
    told = sorted({place for place in of_token if place and place[0]})
    assert len(seen.drawings) == len(told)
    for drawing, place in zip(seen.drawings, told, strict=True):
        mine = rows[[i - first for i in range(first, len(pieces)) if of_token[i] == place]].sum(axis=0, dtype=float)
        total = mine.sum() or 1.0
        for i, share in enumerate(drawing.passages):
            expected = sum(mine[t] for t in range(1, len(pieces)) if of_token[t] == (False, i))
            assert share == pytest.approx(expected / total, abs=1e-6)
        own = sum(mine[t] for t in range(first, len(pieces)) if of_token[t] == place)
        assert drawing.own == pytest.approx(own / total, abs=1e-6)
        shares = sum(drawing.passages) + sum(drawing.earlier) + drawing.own + drawing.frame + drawing.resting
        assert shares == pytest.approx(1) or mine.sum() == 0
