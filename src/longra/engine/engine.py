"""The loop: read prompts in chunks, then let all texts grow by a token a step."""

from collections.abc import Generator, Iterator

import numpy as np

from longra.backends.base import Backend, Float32
from longra.engine.pages import PagePool
from longra.engine.request import Request, Text
from longra.engine.sequence import Sequence

PREFILL_ROWS = 512
"""Tokens of a prompt that one step reads: enough to share each unpacked panel of weights."""

SCORED_ROWS = 128
"""Rows whose logits are wanted at once: 128 rows of 151,936 float32 are 78 MB."""


class Engine:
    """Runs requests on a backend.

    Prompt tokens take the prefill arithmetic and generated ones the decode arithmetic, whatever runs beside them, so a
    text depends on its prompt and sampler alone.
    """

    def __init__(self, backend: Backend, pages: int | None = None) -> None:
        self.backend = backend
        self.pool = PagePool(backend, pages)

    def run(self, request: Request) -> Generator[Text, None, None]:
        """Run a request to its end; yields each text each time that it has grown by a token.

        A caller may finish a text (`Text.finish`) between two tokens. Leaving the iterator cancels what is unfinished.
        """
        try:
            logits = self._read_prompt(request)
            for text in request.texts:
                yield from self._grow(request, text, logits)
            while running := [text for text in request.texts if text.finish_reason is None]:
                rows = self._step(running)
                for text, row in zip(running, rows, strict=True):
                    yield from self._grow(request, text, row)
        finally:
            request.cancel()

    def logits(self, tokens: list[int], last: int, extended: bool = False) -> Iterator[Float32]:
        """Logits of the last positions of a text, in blocks [at most SCORED_ROWS, vocabulary], by prefill."""
        sequence = Sequence(self.pool, tokens, extended)
        try:
            while sequence.cached < len(tokens):
                unwanted = len(tokens) - last - sequence.cached
                most = min(unwanted, PREFILL_ROWS) if unwanted > 0 else SCORED_ROWS
                chunk = sequence.chunk(most, last)
                rows = self.backend.step([chunk], "prefill")
                sequence.advance(len(chunk.tokens))
                if len(rows):
                    yield rows
        finally:
            sequence.release()

    def _read_prompt(self, request: Request) -> Float32:
        """Prefill, once for all continuations; returns the last token's logits [vocabulary]."""
        sequence = Sequence(self.pool, request.prompt, request.extended)
        rows = np.empty((0, 0), np.float32)
        try:
            while sequence.cached < len(sequence.tokens):
                chunk = sequence.chunk(PREFILL_ROWS, logits=1)
                rows = self.backend.step([chunk], "prefill")
                sequence.advance(len(chunk.tokens))
            for text in request.texts:
                text.sequence = sequence.fork()
        finally:
            sequence.release()
        last: Float32 = rows[-1]
        return last

    def _step(self, texts: list[Text]) -> Float32:
        """One token of each text through the model; returns logits [texts, vocabulary]."""
        sequences = [text.sequence for text in texts if text.sequence is not None]
        rows = self.backend.step([sequence.chunk(1, logits=1) for sequence in sequences], "decode")
        for sequence in sequences:
            sequence.advance(1)
        return rows

    @staticmethod
    def _grow(request: Request, text: Text, logits: Float32) -> Iterator[Text]:
        """Choose a text's next token."""
        choice = text.sampler.choose(logits)
        text.choices.append(choice)
        if text.sequence is not None:
            text.sequence.tokens.append(choice.token)
        if choice.token in request.ends:
            text.finish("stop")
        elif len(text.choices) >= text.most:
            text.finish("length")
        yield text
