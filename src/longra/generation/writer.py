"""From tokens to shown text: whole characters only, and nothing that may turn out to be a stop string."""

from collections.abc import Sequence

from longra.text.tokenizer import Tokenizer


class Writer:
    """The text of one continuation.

    Args:
        tokenizer: decodes.
        stops: the text ends before the first of these.
        min_tokens: stop strings count only in what comes after this many tokens.
        continues: the text goes on from a prompt, so a space that begins it is part of it.
    """

    def __init__(self, tokenizer: Tokenizer, stops: Sequence[str], min_tokens: int, continues: bool) -> None:
        self._stream = tokenizer.stream(continues=continues)
        self._stops = tuple(stops)
        self._longest = max((len(stop) for stop in stops), default=0)
        self._min_tokens = min_tokens
        self._tokens = 0
        self._held = ""
        self._shown: list[str] = []
        self._taken = 0
        self.stopped = False

    @property
    def text(self) -> str:
        """What has been shown."""
        return "".join(self._shown)

    def take(self) -> str:
        """What has been shown since the last call; may be called by another thread than the one that pushes."""
        fresh = self._shown[self._taken :]
        self._taken += len(fresh)
        return "".join(fresh)

    def push(self, token: int) -> str:
        """Text that a token makes certain; may be empty. Sets `stopped` when a stop string is complete."""
        self._tokens += 1
        return self._show(self._stream.push(token))

    def finish(self) -> str:
        """Text that was still held back; an unfinished character becomes U+FFFD."""
        if self.stopped:
            return ""
        shown = self._show(self._stream.flush())
        rest, self._held = ("" if self.stopped else self._held), ""
        self._shown.append(rest)
        return shown + rest

    def _show(self, piece: str) -> str:
        self._held += piece
        if self._tokens <= self._min_tokens:
            ready, self._held = self._held, ""
        else:
            found = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
            self.stopped = bool(found)
            end = min(found) if found else len(self._held) - self._possible_stop()
            ready, self._held = self._held[:end], "" if found else self._held[end:]
        self._shown.append(ready)
        return ready

    def _possible_stop(self) -> int:
        """Length of the longest end of the held text with which a stop string begins."""
        for length in range(min(self._longest - 1, len(self._held)), 0, -1):
            tail = self._held[-length:]
            if any(stop.startswith(tail) for stop in self._stops):
                return length
        return 0
