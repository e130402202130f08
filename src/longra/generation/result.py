"""What a generation gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from longra.sampling import Choice


@dataclass(frozen=True)
class Continuation:
    """One text that continues a prompt.

    Attributes:
        text: without control tokens, and without the stop string that ended it.
        token_ids: every token that was chosen, an end token included.
        finish_reason: "stop" (an end token or a stop string), "length" (max_tokens or the end of the context) or
            "interrupted".
        logprobs: for each token its probability's natural logarithm and the alternatives; None unless asked for.
    """

    text: str
    token_ids: tuple[int, ...]
    finish_reason: str
    logprobs: tuple[Choice, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """Keys and values of the command line's JSON."""
        return {
            "text": self.text,
            "token_ids": list(self.token_ids),
            "finish_reason": self.finish_reason,
            "logprobs": None
            if self.logprobs is None
            else [
                {"token": c.token, "logprob": c.logprob, "top": [{"token": t, "logprob": p} for t, p in c.alternatives]}
                for c in self.logprobs
            ],
        }


@dataclass(frozen=True)
class Timings:
    """Seconds and tokens a second; a rate is 0 where there was nothing to measure.

    Attributes:
        load_seconds: to read and pack the model.
        time_to_first_token_seconds: from the call to the first token.
        prefill_tokens_per_second: prompt tokens that did not come from the cache over the time to the first token.
        decode_tokens_per_second: of all continuations together, after the first token.
    """

    load_seconds: float
    time_to_first_token_seconds: float
    prefill_tokens_per_second: float
    decode_tokens_per_second: float

    def decode_seconds(self, tokens: int) -> float:
        """How long it took from the first to the last of so many tokens of one text."""
        return (tokens - 1) / self.decode_tokens_per_second if self.decode_tokens_per_second else 0.0


@dataclass(frozen=True)
class Speculation:
    """What guessing saved.

    Attributes:
        drafted: guessed tokens that the model checked.
        accepted: those that were right, each of which saved a step.
    """

    drafted: int = 0
    accepted: int = 0


@dataclass(frozen=True)
class Result:
    """A generation. `str(result)` is the first continuation's text.

    Attributes:
        sequences: the continuations, at least one.
        seed: with it the same call gives the same texts.
        prompt_tokens: tokens of the prompt.
        cached_tokens: those of them that came from the prefix cache.
        context_left: tokens that would still have fitted into the context after the prompt.
        model: the model's name.
        speculation: tokens guessed and right.
    """

    sequences: tuple[Continuation, ...]
    seed: int
    prompt_tokens: int
    cached_tokens: int
    context_left: int
    timings: Timings
    model: str
    speculation: Speculation = Speculation()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The first continuation's text."""
        return self.sequences[0].text

    @property
    def token_ids(self) -> tuple[int, ...]:
        """The first continuation's tokens."""
        return self.sequences[0].token_ids

    @property
    def finish_reason(self) -> str:
        """Why the first continuation ended."""
        return self.sequences[0].finish_reason

    @property
    def logprobs(self) -> tuple[Choice, ...] | None:
        """The first continuation's probabilities."""
        return self.sequences[0].logprobs

    @property
    def completion_tokens(self) -> int:
        """Tokens of all continuations."""
        return sum(len(sequence.token_ids) for sequence in self.sequences)

    def __str__(self) -> str:
        return self.text

    def as_json(self) -> dict[str, Any]:
        """The object that `longra generate --json` prints; `sequences` is there where more than one was asked for."""
        shown = self.sequences[0].as_json() | {
            "seed": self.seed,
            "prompt_tokens": self.prompt_tokens,
            "cached_tokens": self.cached_tokens,
            "completion_tokens": self.completion_tokens,
            "timings": asdict(self.timings),
            "speculation": asdict(self.speculation),
            "model": self.model,
        }
        if len(self.sequences) > 1:
            shown["sequences"] = [sequence.as_json() for sequence in self.sequences]
        return shown | dict(self.extra)


def joined(results: Sequence[Result], text: str, finish_reason: str, extra: Mapping[str, Any]) -> Result:
    """One result of a text that several generations, at least one, have made in turn.

    Tokens are all that were chosen, those that did not come into the text too.
    """
    first = results[0]
    seconds = sum(result.timings.decode_seconds(result.completion_tokens) for result in results)
    later = sum(max(result.completion_tokens - 1, 0) for result in results)
    return replace(
        first,
        sequences=(Continuation(text, tuple(t for result in results for t in result.token_ids), finish_reason),),
        timings=replace(first.timings, decode_tokens_per_second=later / seconds if seconds else 0.0),
        speculation=Speculation(
            sum(result.speculation.drafted for result in results),
            sum(result.speculation.accepted for result in results),
        ),
        extra=extra,
    )
