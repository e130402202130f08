"""From attention mass on tokens to shares of passages."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from longra.arrays import Float32
from longra.attend.passages import Span, passages, sentences


@dataclass(frozen=True)
class Trace:
    """A text, and what its last tokens attended to.

    Attributes:
        pieces: the bytes of each token, control tokens' names included; joined they are the whole text.
        first: the token at which the traced text begins, at least 1.
        mass: float32 [len(pieces) - first, len(pieces)]: row i is what the step that chose token first + i gave to each
            position, summed over heads and layers; zero from its own position on.
    """

    pieces: Sequence[bytes]
    first: int
    mass: Float32


@dataclass(frozen=True)
class Drawing:
    """What one sentence drew on. All shares together are 1.

    Attributes:
        text: the sentence.
        passages: share of each passage of the source.
        earlier: share of each traced sentence before it.
        own: share of the sentence itself, as far as it was written.
        frame: share of what surrounds the source: a chat's marks, a question.
        resting: share of the very first token, where models leave attention that they do not need (Xiao et al. 2023,
            "Efficient Streaming Language Models with Attention Sinks").
    """

    text: str
    passages: tuple[float, ...]
    earlier: tuple[float, ...]
    own: float
    frame: float
    resting: float

    @property
    def drawn(self) -> float:
        """Share of the source's passages together."""
        return sum(self.passages)


@dataclass(frozen=True)
class Attention:
    """A source in passages, and what each sentence after it drew on."""

    passages: tuple[str, ...]
    drawings: tuple[Drawing, ...]

    def as_json(self) -> dict[str, Any]:
        """Keys and values of the command line's JSON."""
        return asdict(self)


def attention(trace: Trace, source: str) -> Attention:
    """The shares of a trace.

    Args:
        trace: of a text that holds the source before its traced part.
        source: what the reader knows as the text; where it is not found in the trace, all before the traced part is.
    """
    ends = np.cumsum([len(piece) for piece in trace.pieces])
    before = _text(trace.pieces[: trace.first])
    at = max(0, before.find(source))
    source = source if before.startswith(source, at) else before
    spans = [Span(at + span.start, at + span.end) for span in passages(source)]
    places = [_tokens(before, span, ends, 0) for span in spans]
    written = _text(trace.pieces[trace.first :])
    base = int(ends[trace.first - 1])
    told = [(span, _tokens(written, span, ends, base)) for span in sentences(written)]
    told = [(span, tokens) for span, tokens in told if tokens.stop > tokens.start]
    own = [tokens for _, tokens in told]
    drawings = [_drawing(trace, _shown(written, span), places, own[:i], own[i]) for i, (span, _) in enumerate(told)]
    return Attention(tuple(_shown(before, span) for span in spans), tuple(drawings))


def _drawing(trace: Trace, text: str, places: list[slice], earlier: list[slice], own: slice) -> Drawing:
    rows = trace.mass[own.start - trace.first : own.stop - trace.first]
    mass = rows.sum(axis=0, dtype=np.float64)
    total = float(mass.sum()) or 1.0
    resting = float(mass[0]) / total
    mass[0] = 0

    def share(place: slice) -> float:
        return float(mass[place].sum()) / total

    shares = [share(place) for place in places]
    before, mine = [share(place) for place in earlier], share(own)
    frame = max(0.0, 1.0 - resting - mine - sum(shares) - sum(before))
    return Drawing(text, tuple(shares), tuple(before), mine, frame, resting)


def _text(pieces: Sequence[bytes]) -> str:
    return b"".join(pieces).decode("utf-8", "surrogateescape")


def _shown(text: str, span: Span) -> str:
    """A part of a text; bytes that are no UTF-8 become U+FFFD."""
    return text[span.start : span.end].encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _tokens(text: str, span: Span, ends: npt.NDArray[np.int64], base: int) -> slice:
    """The tokens whose last byte lies in a span of a text that begins `base` bytes after the first token."""
    first, last = (base + len(text[:at].encode("utf-8", "surrogateescape")) for at in (span.start, span.end))
    return slice(int(np.searchsorted(ends, first, "right")), int(np.searchsorted(ends, last, "right")))
