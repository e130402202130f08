"""A text of a given length, written in rounds.

A model ends a long text where it likes, mostly early, and a small one may begin to go round in circles. So a round ends
when the model does, or when a paragraph repeats what there is; that paragraph is not taken. The next round asks the model
to go on (a chat), or opens the next paragraph for it.
"""

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from longra.errors import ContextError
from longra.generation.result import Result, joined
from longra.generation.stream import Stream
from longra.sampling.config import configured
from longra.tasks.goal import Goal
from longra.tasks.manuscript import Manuscript
from longra.tasks.pieces import Pieces
from longra.tasks.prompting import Prompt, begin

if TYPE_CHECKING:
    from longra.model import Model
    from longra.sampling import GenerationConfig

End = Literal["reached", "stop", "repetition", "context", "interrupted"]

PATIENCE = 3
"""Rounds in a row that bring next to nothing; then the text is left as it is."""

LEAST_ROUND = 8
"""Words or characters that a round must bring, or a hundredth of the length if that is more."""

MOST_TOKENS = 12
"""For each word or character that is wanted; scripts that a vocabulary hardly knows take about so many."""


class Writing(Pieces):
    """A text under way: an iterator over pieces of it; `result` has what there is.

    A piece comes for each token, and is empty until a paragraph is finished, for it may turn out to repeat another.
    Leave it early by `close`; an exception while a piece is awaited (KeyboardInterrupt too) closes it.

    Args:
        prompt: what the first round reads.
        config: how to write; `max_tokens` and `min_tokens` are not looked at.
        more: what a chat is told where its answer is too short by so many words or characters; None where the next round
            is to open a paragraph of the answer.

    Attributes:
        goal: the length that is wanted.
        end: why it ended: the length is "reached"; at a "stop" string; there was only "repetition"; the "context" is full;
            "interrupted", also while it is under way.
    """

    def __init__(
        self,
        model: "Model",
        prompt: Prompt,
        config: "GenerationConfig",
        goal: Goal,
        more: Callable[[int], str | None] = lambda _: None,
    ) -> None:
        self.goal = goal
        self.end: End = "interrupted"
        self._model, self._prompt, self._config, self._more = model, prompt, configured(config, {}), more
        self._draft = Manuscript()
        self._rounds = [self._begin(0)]
        self._pieces = self._write()

    @property
    def written(self) -> int:
        """Words or characters so far."""
        return self._draft.written

    def close(self) -> None:
        """End the text now; `result` has what there is."""
        self._pieces.close()
        self._rounds[-1].close()

    @property
    def result(self) -> Result:
        """What has been written so far, with `extra["length"]` that tells of the length."""
        finish = {"context": "length", "interrupted": "interrupted"}.get(self.end, "stop")
        text = self._draft.text.rstrip()
        length = self.goal.report(text) | {"end": self.end, "rounds": len(self._rounds)}
        return joined([stream.result for stream in self._rounds], text, finish, {"length": length})

    def _write(self) -> Generator[str]:
        idle = 0
        while True:
            before = self.written
            yield from self._round()
            if self.end != "interrupted":
                break
            idle = idle + 1 if self.written - before < max(LEAST_ROUND, self.goal.length // 100) else 0
            if idle == PATIENCE:
                self.end = "repetition"
                break
            self._draft.new_paragraph()
            try:
                self._rounds.append(self._begin(len(self._rounds)))
            except ContextError:
                self.end = "context"
                break
        self._draft.keep(len(self._draft.text))
        yield self._draft.take()

    def _round(self) -> Generator[str]:
        """Read what the model writes until it ends, repeats something, or the length is reached."""
        stream, draft = self._rounds[-1], self._draft
        try:
            for piece in stream:
                if draft.add(piece):
                    repeats = draft.cut_repeats()
                    if self._reached(ended=False) or repeats:
                        return
                    draft.keep_paragraphs()
                yield draft.take()
        finally:
            stream.close()
        result = stream.result
        if draft.cut_repeats() or self._reached(ended=True):
            return
        if result.finish_reason == "length" and result.completion_tokens >= result.context_left:
            self.end = "context"
        elif result.finish_reason == "stop" and result.token_ids[-1] not in self._model.tokenizer.eos_ids:
            self.end = "stop"

    def _reached(self, ended: bool) -> bool:
        """Whether the text can end; it does then."""
        place = self.goal.end(self._draft.text, ended)
        if place is not None:
            self._draft.keep(place)
            self.end = "reached"
        return place is not None

    def _begin(self, number: int) -> Stream:
        """A round, to bring what is missing."""
        missing = max(self.goal.length - self.written, 1)
        config = replace(
            self._config,
            max_tokens=MOST_TOKENS * missing + 64,
            min_tokens=min(number, 1),
            seed=((self._config.seed or 0) + number) % 2**64,
        )
        return begin(self._model, self._prompt_of_round(missing), config)

    def _prompt_of_round(self, missing: int) -> Prompt:
        written = self._draft.text
        if not written:
            return self._prompt
        if isinstance(self._prompt, str):
            return self._prompt + written
        said: list[Any] = list(self._prompt)
        begun = ""
        if said[-1]["role"] == "assistant":
            begun = said.pop()["content"]
        more = self._more(missing)
        if more is None:
            return [*said, {"role": "assistant", "content": begun + written}]
        answer = {"role": "assistant", "content": begun + written.rstrip()}
        return [*said, answer, {"role": "user", "content": more}]
