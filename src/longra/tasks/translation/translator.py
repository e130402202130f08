"""Translates one segment: how often the model is asked, and what is taken."""

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from longra.errors import ContextError
from longra.tasks.plan import Plan
from longra.tasks.prompting import Prompt, begin
from longra.tasks.translation.chatter import without_chatter
from longra.tasks.translation.checks import Problem, problems_of
from longra.tasks.translation.context import Pair
from longra.tasks.translation.placeholders import count_of, masked
from longra.tasks.translation.prompts import Prompts
from longra.text.tidy import parse_steps, tidy

if TYPE_CHECKING:
    from longra.generation.stream import Stream
    from longra.model import Model
    from longra.sampling import GenerationConfig

TRIES = 3
"""Of a segment: as it is; with numbers for its placeholders, and told what it must keep; the same, drawn."""
BOLD = 0.6
"""Temperature of the last try, at least."""
ROOM, ROOM_PER_TOKEN = 64, 6
"""New tokens of a translation at most, and for each token of the source. What is longer has run away."""


@dataclass(frozen=True)
class Outcome:
    """What became of a segment.

    Attributes:
        text: the translation; None if the segment stays as it is.
        problems: what is wrong with it, or with the best that there was.
        tries: how often the model was asked.
        rejected: the best that there was, where none could be taken.
    """

    text: str | None
    problems: tuple[Problem, ...] = ()
    tries: int = 1
    rejected: str | None = None


class StoppedError(Exception):
    """Somebody called `Translator.stop`."""


class Translator:
    """A model with all that says how it is to translate. Many threads may use it at once.

    Args:
        model: who translates.
        prompts: what it reads.
        given: fields of `GenerationConfig`, in place of the template's. The seed is 0 unless given, so that the same
            document becomes the same translation.

    Attributes:
        prompts: as given.
        steps: of tidying, which each translation goes through.
    """

    def __init__(self, model: "Model", prompts: Prompts, given: Mapping[str, Any]) -> None:
        self.prompts = prompts
        self._model = model
        self._config = prompts.template.config(prompts.chat, **{"seed": 0, **given})
        self._is_limited = "max_tokens" in {**prompts.template.defaults, **given}
        self.steps = parse_steps(prompts.template.tidy) if prompts.template.tidy else []
        self._streams: set[Stream] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def translate(self, text: str, context: Sequence[Pair] = ()) -> Outcome:
        """Translate a segment.

        Args:
            context: what comes before it in the document.

        Raises:
            StoppedError: `stop` was called.
        """
        best, problems = "", [Problem("empty", "")]
        tries = 0
        while problems and tries < TRIES:
            answer, found = self._try(text, context, tries)
            if tries == 0 or _badness(found) < _badness(problems):
                best, problems = answer, found
            tries += 1
        translation = " ".join(best.split("\n"))
        if any(problem.is_fatal for problem in problems):
            return Outcome(None, tuple(problems), tries, translation)
        return Outcome(translation, tuple(problems), tries)

    def key(self, text: str, context: Sequence[Pair] = ()) -> str:
        """A hash of what the outcome depends on."""
        what = {
            "model": [self._model.name, repr(self._model.spec), repr(self._model.weights)],
            "prompt": self.prompts.parts(text, context),
            "config": [asdict(self._config), self._is_limited, self.prompts.template.tidy],
        }
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]

    def plan(self, text: str) -> Plan:
        """What is to be asked first for a segment without context."""
        return Plan(self._model, self.prompts.template, {}, self._asked(text, (), 0), self._config_of(text, 0))

    def stop(self) -> None:
        """End what is under way, now: `translate` raises StoppedError from here on."""
        with self._lock:
            self._stopped = True
            streams = list(self._streams)
        for stream in streams:
            stream.close()

    def _try(self, text: str, context: Sequence[Pair], number: int) -> tuple[str, list[Problem]]:
        """An answer without what is said around the translation, and what is wrong with it."""
        config = self._config_of(text, number)
        try:
            answer, cut = self._answer(self._asked(text, context, number), config)
        except ContextError:  # there may be room without the sentences before it
            try:
                answer, cut = self._answer(self._asked(text, (), number), config)
            except ContextError as error:
                return "", [Problem("too long", str(error))]
        shown = without_chatter(answer, text)
        translation = "\n".join(line.strip() for line in shown.splitlines() if line.strip())
        if number > 0:
            translation = masked(text).restored(translation)
        translation = self._tidied(translation)
        terms = self.prompts.glossary.in_text(text)
        problems = problems_of(text, translation, terms, (self.prompts.source, self.prompts.target))
        if cut is not None:
            problems.append(Problem("unfinished", f"it did not end within {cut:,} tokens"))
        return translation, problems

    def _tidied(self, translation: str) -> str:
        """Tidied by the template's steps, if that leaves its placeholders alone."""
        if not self.steps:
            return translation
        tidied = tidy(translation, self.steps).text
        return tidied if count_of(tidied) == count_of(translation) else translation

    def _asked(self, text: str, context: Sequence[Pair], number: int) -> Prompt:
        """The prompt of a try."""
        if number == 0:
            return self.prompts.prompt(text, context)
        hidden = masked(text)
        terms = [term.target for term in self.prompts.glossary.in_text(text)]
        keep = [f"{{{i}}}" for i in range(1, len(hidden.hidden) + 1)]
        return self.prompts.prompt(text, context, hidden.text, [*keep, *terms])

    def _config_of(self, text: str, number: int) -> "GenerationConfig":
        config = self._config
        if number == TRIES - 1:
            config = replace(config, temperature=max(config.temperature, BOLD), seed=(config.seed or 0) + number)
        if not self._is_limited:
            tokens = len(self._model.tokenizer.encode(text, add_special=False))
            config = replace(config, max_tokens=ROOM + ROOM_PER_TOKEN * tokens)
        return config

    def _answer(self, prompt: Prompt, config: "GenerationConfig") -> tuple[str, int | None]:
        """What the model writes, and after how many tokens it was cut; None if it ended by itself."""
        stream = begin(self._model, prompt, config)
        with self._lock:
            self._streams.add(stream)
        try:
            if not self._stopped:
                stream.wait()
        finally:
            with self._lock:
                self._streams.discard(stream)
        if self._stopped:
            raise StoppedError
        result = stream.result
        return result.text, None if result.finish_reason == "stop" else result.completion_tokens


def _badness(problems: Sequence[Problem]) -> tuple[int, int]:
    return sum(problem.is_fatal for problem in problems), len(problems)
