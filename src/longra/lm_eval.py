"""EleutherAI's lm-evaluation-harness on Longra's engine: the model `longra`.

The harness (lm-eval 0.4.13) knows the models of its own table and of what was imported before; it looks for no others.
`python -m longra.lm_eval ...` imports this module and is `lm_eval ...` otherwise.
"""

import logging
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import fields
from inspect import signature
from typing import Any, TypeVar

try:
    from lm_eval.api.instance import Instance
except ModuleNotFoundError as problem:
    raise ModuleNotFoundError("the harness is not installed; type `pip install 'longra[lm-eval]'`") from problem
from lm_eval.api.model import TemplateLM
from lm_eval.api.registry import register_model
from lm_eval.models.utils import normalize_gen_kwargs
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from tqdm import tqdm

from longra.cli.shared import console
from longra.errors import LongraError, TemplateError, UsageError
from longra.evaluate.likelihood.continuations import Scored, score_continuations
from longra.loading import load
from longra.model import Model
from longra.sampling import GenerationConfig
from longra.text.chat_template import ChatTemplate

_LOG = logging.getLogger("lm_eval.longra")

_AT_ONCE = 16
"""Requests that run together with `--batch_size auto`: as many as `longra bench` runs at most."""

_MOST = 256

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")


@register_model("longra")
class LongraLM(TemplateLM):
    """A model of Longra as the harness sees it.

    Args:
        pretrained: an installed or known name, a source or a path, as for `longra.load`.
        batch_size: requests that run together, or "auto" for 16; it changes no result.
        max_batch_size: taken and not needed: memory is handed out page by page.
        device: taken and not looked at: the harness passes "cuda:0" unless told otherwise. The engine runs on the CPU.
        max_gen_toks: new tokens at most where a task does not say.
        prefix_token_id: stands before a text that has nothing before it; the model's begin token unless given, else an end
            token.
        loading: other arguments of `longra.load`: context, threads, weights, cache, rope_scaling, backend. Unless said, what
            was read before is used again within the run alone and to the same bits (`strict_cache`).

    Raises:
        UsageError: an argument is out of range; and whatever `longra.load` raises.
    """

    def __init__(
        self,
        pretrained: str,
        batch_size: int | str | None = None,
        max_batch_size: int | None = None,  # noqa: ARG002
        device: str | None = None,  # noqa: ARG002
        max_gen_toks: int = 256,
        prefix_token_id: int | None = None,
        **loading: Any,
    ) -> None:
        super().__init__()
        self._at_once = _at_once(batch_size)
        unknown = loading.keys() - signature(load).parameters
        if unknown:
            raise UsageError(
                f"--model_args has {', '.join(sorted(unknown))}, which nothing here takes; see docs/lm-eval.md"
            )
        how: dict[str, Any] = {"strict_cache": True, "cache_dir": "none", **loading}
        self.model: Model = load(pretrained, **how)
        self.max_gen_toks = max_gen_toks
        self._prefix = prefix_token_id

    @property
    def eot_token_id(self) -> int:
        """A token that ends a text."""
        ends = self.model.tokenizer.eos_ids
        if not ends:
            raise UsageError(f"{self.model.name} names no token that ends a text; pass prefix_token_id in --model_args")
        return min(ends)

    @property
    def prefix_token_id(self) -> int:
        """What stands before a text that has nothing before it."""
        begin = self.model.tokenizer.bos_id if self._prefix is None else self._prefix
        return self.eot_token_id if begin is None else begin

    @property
    def max_length(self) -> int:
        """Tokens that the model holds."""
        return self.model.spec.context

    @property
    def batch_size(self) -> int:
        """Requests that run together."""
        return self._at_once

    @property
    def tokenizer_name(self) -> str:
        """For the harness's cache of requests."""
        return self.model.name.replace("/", "__")

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """The source of the model's chat template, for the harness's report; None if none is asked for."""
        if isinstance(chat_template, str) and chat_template != "default":
            raise UsageError(f"{self.model.name} has no chat template {chat_template!r}; leave the name away")
        return self._template().source if chat_template else None

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """The text of messages; without a generation prompt the last message stays open, to be gone on with."""
        text = self._template().render(chat_history, add_generation_prompt=add_generation_prompt)
        if add_generation_prompt:
            return text
        last = chat_history[-1]["content"].strip()
        return text[: text.rindex(last) + len(last)]

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_: Any) -> list[int]:
        """Token ids; what the tokenizer adds by itself is not added twice, nor where add_special_tokens is False."""
        tokenizer = self.model.tokenizer
        if add_special_tokens is None:
            begin = tokenizer.bos_id
            add_special_tokens = begin is None or not string.startswith(tokenizer.token_text(begin))
        return tokenizer.encode(string, add_special=add_special_tokens)

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        """Of each text, the logarithm of its probability, in windows of the context that do not overlap in what counts."""
        windows: list[tuple[Any, list[int], list[int]]] = []
        owners: list[int] = []
        for owner, request in enumerate(requests):
            tokens = self.tok_encode(request.args[0])
            for window in get_rolling_token_windows(tokens, self.prefix_token_id, self.max_length, 1):
                windows.append((None, *make_disjoint_window(window)))
                owners.append(owner)
        sums = [0.0] * len(requests)
        for owner, (log, _) in zip(owners, self._loglikelihood_tokens(windows, disable_tqdm), strict=True):
            sums[owner] += log
        for request, log in zip(requests, sums, strict=True):
            self.cache_hook.add_partial("loglikelihood_rolling", request.args, log)
        return sums

    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], disable_tqdm: bool = False, **_: Any
    ) -> list[Scored]:
        """Score continuations: (what to remember an answer by, or None; context; continuation), both as token ids.

        Continuations that differ in their last token alone, as the letters of a multiple choice do, are read once.
        """
        alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for place, (_key, context, continuation) in enumerate(requests):
            alike[self._held(context + continuation)].append(place)
        answers: dict[int, Scored] = {}

        def score(item: tuple[tuple[int, ...], list[int]]) -> list[tuple[int, Scored]]:
            read, places = item
            scores = score_continuations(self.model, read, [requests[place][2] for place in places])
            return list(zip(places, scores, strict=True))

        for scored in _together(score, list(alike.items()), self._at_once, "Scoring", disable_tqdm):
            for place, answer in scored:
                answers[place] = answer
                if requests[place][0] is not None:
                    self.cache_hook.add_partial("loglikelihood", requests[place][0], answer)
        return [answers[place] for place in range(len(requests))]

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """The text that goes on from each context, up to one of its stop strings; greedy unless a task says otherwise."""
        work = [(place, request.args[0], self._config(request.args[1])) for place, request in enumerate(requests)]
        texts: dict[int, str] = {}

        def generate(item: tuple[int, str, GenerationConfig]) -> tuple[int, str]:
            place, context, config = item
            tokens = self.tok_encode(context)
            room = max(1, self.max_length - config.max_tokens)
            if len(tokens) > room:
                _LOG.warning(
                    "a context of %d tokens is cut to its last %d: the model holds %d",
                    len(tokens),
                    room,
                    self.max_length,
                )
            return place, self.model.generate(tokens[-room:], config).text

        for place, text in _together(generate, work, self._at_once, "Generating", disable_tqdm):
            texts[place] = text
            self.cache_hook.add_partial("generate_until", requests[place].args, text)
        return [texts[place] for place in range(len(requests))]

    def _template(self) -> ChatTemplate:
        if self.model.template is None:
            raise TemplateError(f"{self.model.name} has no chat template; leave --apply_chat_template away")
        return self.model.template

    def _held(self, tokens: list[int]) -> tuple[int, ...]:
        """What is read to score the end of a text: all but its last token, as far back as the model holds."""
        if len(tokens) > self.max_length + 1:
            _LOG.warning(
                "a text of %d tokens is scored without its first %d: the model holds %d",
                len(tokens),
                len(tokens) - self.max_length - 1,
                self.max_length,
            )
        return tuple(tokens[-self.max_length - 1 : -1])

    def _config(self, asked: dict[str, Any]) -> GenerationConfig:
        """The harness's words for how to generate, in Longra's; the seed comes from `random`, which --seed sets."""
        words: dict[str, Any] = dict(normalize_gen_kwargs(asked, self.max_gen_toks))
        sampled = words.pop("do_sample")
        words["max_tokens"] = words.pop("max_gen_toks")
        words["stop"] = tuple(stop for stop in words.pop("until") if stop)
        words = {"seed": random.getrandbits(32), "top_k": 0, "top_p": 1.0, **words}
        words["temperature"] = float(words.get("temperature", 1.0)) if sampled else 0.0
        known = {field.name for field in fields(GenerationConfig)}
        if unknown := sorted(words.keys() - known):
            raise UsageError(f"Longra generates without {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        return GenerationConfig(**words)


def _together(
    do: Callable[[_Item], _Done], items: Sequence[_Item], at_once: int, what: str, silent: bool
) -> Iterator[_Done]:
    """Do something with all items, some at a time, each in a thread; what comes of them, in the order of their ends.

    The engine runs together what threads ask for at the same time.
    """
    pool = ThreadPoolExecutor(at_once)
    try:
        futures = [pool.submit(do, item) for item in items]
        for future in tqdm(as_completed(futures), desc=what, total=len(items), disable=silent):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _at_once(batch_size: int | str | None) -> int:
    """How many requests run together; the harness allows "auto" and "auto:N" too."""
    text = str(_AT_ONCE if batch_size is None else batch_size)
    if text.startswith("auto"):
        return _AT_ONCE
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise UsageError(f"batch_size is {batch_size!r}; it must be auto, or a whole number from 1 to {_MOST}")
    return int(text)


def main() -> None:
    """The harness's own command line; an error of Longra is one line, as in `longra`."""
    from lm_eval.__main__ import cli_evaluate

    try:
        cli_evaluate()
    except LongraError as error:
        console.error(str(error))
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
