"""What a generation writes: its continuations' texts, and when they were written."""

import time

from longra.engine import Text
from longra.generation.writer import Writer
from longra.sampling import GenerationConfig
from longra.text.tokenizer import Tokenizer


class Script:
    """What the engine writes and a stream reads. It does not know the stream, so that a lost one can end its request.

    Attributes:
        writers: one for each continuation.
    """

    def __init__(self, tokenizer: Tokenizer, config: GenerationConfig, continues: bool) -> None:
        self.writers = [
            Writer(tokenizer, config.stop, config.min_tokens, continues) for _ in range(config.num_sequences)
        ]
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
