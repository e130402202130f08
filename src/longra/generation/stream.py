"""A generation under way, to be read piece by piece."""

from collections.abc import AsyncIterator

from longra.engine import Handle
from longra.generation.result import Continuation, Result, Speculation, Timings
from longra.generation.script import Script
from longra.sampling import GenerationConfig


class Stream:
    """A generation under way: an iterator, with `for` or `async for`, over the pieces of the first continuation's text.

    It runs beside its reader, to its end: leave it early by `close`. An exception while a piece is awaited
    (KeyboardInterrupt too) closes it, and so does losing the last reference to it. `result` has what there is.
    """

    def __init__(
        self, handle: Handle, script: Script, config: GenerationConfig, *, model: str, room: int, load_seconds: float
    ) -> None:
        self._handle = handle
        self._script = script
        self._config = config
        self._model = model
        self._room = room
        self._load_seconds = load_seconds

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> str:
        try:
            for text in self._handle:
                if text.index == 0 and (piece := self._script.take()):
                    return piece
        except BaseException:
            self.close()
            raise
        self.close()
        if rest := self._script.take():
            return rest
        raise StopIteration

    async def __aiter__(self) -> AsyncIterator[str]:
        try:
            async for text in self._handle:
                if text.index == 0 and (piece := self._script.take()):
                    yield piece
        finally:
            self.close()
        if rest := self._script.take():
            yield rest

    def __del__(self) -> None:
        self._handle.cancel()

    def wait(self) -> Result:
        """Until the generation ends; its result."""
        try:
            self._handle.wait()
        finally:
            self.close()
        return self.result

    def close(self) -> None:
        """End the generation now; `result` has what there is."""
        self._handle.cancel()
        self._script.finish()

    @property
    def read_tokens(self) -> tuple[int, int]:
        """How many of the prompt's tokens have been read by now, and how many there are."""
        request = self._handle.request
        return request.read_tokens, len(request.prompt)

    @property
    def result(self) -> Result:
        """What has been generated so far."""
        request = self._handle.request
        prompt_tokens, count = len(request.prompt), sum(len(text.choices) for text in request.texts)
        first, whole = self._script.seconds
        later = count - len(request.texts)
        timings = Timings(
            self._load_seconds,
            first,
            (prompt_tokens - request.cached_tokens) / first if first else 0.0,
            later / (whole - first) if later > 0 and whole > first else 0.0,
        )
        sequences = tuple(
            Continuation(
                writer.text,
                tuple(choice.token for choice in text.choices),
                "interrupted" if text.finish_reason in (None, "cancelled") else text.finish_reason,
                None if self._config.logprobs is None else tuple(text.choices),
            )
            for text, writer in zip(request.texts, self._script.writers, strict=True)
        )
        speculation = Speculation(
            sum(text.drafted for text in request.texts), sum(text.accepted for text in request.texts)
        )
        seed = self._config.seed or 0
        return Result(
            sequences,
            seed,
            prompt_tokens,
            request.cached_tokens,
            self._room,
            timings,
            self._model,
            speculation,
        )
