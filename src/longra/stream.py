"""A generation under way, and what it has written so far."""

import secrets
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from longra.engine import Request, Text
from longra.errors import UsageError
from longra.result import Continuation, Result, Speculation, Timings
from longra.sampling import GenerationConfig, Sampler
from longra.text.tokenizer import Tokenizer
from longra.writer import Writer

if TYPE_CHECKING:
    from longra.model import Model


class Stream:
    """A generation under way: an iterator, with `for` or `async for`, over the pieces of the first continuation's text.

    It runs beside its reader, to its end: leave it early by `close`. An exception while a piece is awaited
    (KeyboardInterrupt too) closes it, and so does losing the last reference to it. `result` has what there is.
    """

    def __init__(self, model: "Model", tokens: list[int], config: GenerationConfig, continues: bool) -> None:
        model._check_fits(len(tokens), 1)
        model._check_tokens("logit_bias", config.logit_bias)
        self._model = model
        self._config = config
        tokenizer = model.tokenizer
        self._room = model.spec.context - len(tokens)
        most = min(config.max_tokens, self._room)
        breakers = breakers_of(tokenizer, config)
        writers = [Writer(tokenizer, config.stop, config.min_tokens, continues) for _ in range(config.num_sequences)]
        self._script = _Script(writers)
        texts = [
            Text(i, Sampler(config, i, tokens, tokenizer.eos_ids, breakers), most, self._script.add)
            for i in range(config.num_sequences)
        ]
        extended = model._extended(len(tokens) + most)
        corpus = model._corpus(config.draft_text) if config.speculation else None
        self._request = Request(tokens, texts, tokenizer.eos_ids, extended, corpus=corpus)
        self._handle = model.engine.submit(self._request)

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
        if hasattr(self, "_handle"):
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
    def result(self) -> Result:
        """What has been generated so far."""
        request = self._request
        prompt_tokens, count = len(request.prompt), sum(len(text.choices) for text in request.texts)
        first, whole = self._script.seconds
        later = count - len(request.texts)
        timings = Timings(
            self._model.load_seconds,
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
            self._model.name,
            speculation,
        )


class _Script:
    """What the engine writes and a stream reads. It does not know the stream, so that a lost one can end its request.

    Attributes:
        writers: one for each continuation.
    """

    def __init__(self, writers: list[Writer]) -> None:
        self.writers = writers
        self._began = time.perf_counter()
        self._first = self._last = 0.0

    @property
    def seconds(self) -> tuple[float, float]:
        """From the beginning to the first token and to the last one; 0 where there is none."""
        return (self._first - self._began, self._last - self._began) if self._first else (0.0, 0.0)

    def add(self, text: Text) -> None:
        """A text has grown by a token; a stop string ends it."""
        self._last = time.perf_counter()
        self._first = self._first or self._last
        writer = self.writers[text.index]
        token = text.choices[-1].token
        if token not in text.request.ends:
            writer.push(token)
        if writer.stopped:
            text.finish("stop")
        if text.finish_reason is not None:
            writer.finish()

    def take(self) -> str:
        """What is new in the first text."""
        return self.writers[0].take()

    def finish(self) -> None:
        """Show what was held back: nothing more will come."""
        for writer in self.writers:
            writer.finish()


def configured(config: GenerationConfig | None, parameters: Mapping[str, Any]) -> GenerationConfig:
    """A config with some fields given by name, and a seed drawn where there is none.

    Raises:
        UsageError: there is no such field, or a value is out of range.
    """
    made = changed(config or GenerationConfig(), parameters)
    return made if made.seed is not None else replace(made, seed=secrets.randbits(32))


def changed(config: GenerationConfig, parameters: Mapping[str, Any]) -> GenerationConfig:
    """A config with some fields given by name; raises as `configured`."""
    known = GenerationConfig.__dataclass_fields__
    for name in parameters:
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise UsageError(f"generate has no parameter {name!r}; {hint}")
    return replace(config, **parameters)


def breakers_of(tokenizer: Tokenizer, config: GenerationConfig) -> set[int]:
    """Tokens whose text holds one of DRY's breakers."""
    if config.dry_multiplier == 0:
        return set()
    marks = [mark.encode() for mark in config.dry_breakers]
    return {t for t in range(tokenizer.vocabulary) if any(mark in tokenizer.token_bytes(t) for mark in marks)}
