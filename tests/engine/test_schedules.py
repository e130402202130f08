"""Random schedules give every text as if it ran alone, and leave no page behind.

Requests arrive and are cancelled at any moment, in the middle of a step too, on caches that are too small for all of
them; with and without drafts, and with every processor that looks at a text's past. Ten thousand schedules take about
ten minutes:

    LONGRA_SCHEDULES=10000 pytest tests/engine/test_schedules.py
"""

import os
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain import plain_text, tokens_of
from toy import VOCABULARY, ToyBackend

from longra.engine import Engine, Request, Text, scheduler
from longra.engine.drafts import Drafts
from longra.engine.pages import pages_for
from longra.engine.speculation import StepTimes
from longra.sampling import GenerationConfig, Sampler

SCHEDULES = int(os.environ.get("LONGRA_SCHEDULES", "150"))

configs = st.builds(
    lambda seed, values: GenerationConfig(seed=seed, **{"top_k": 0, "top_p": 1.0, "temperature": 1.0, **values}),
    st.integers(0, 99),
    st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.sampled_from([0.0, 0.5]),
            "top_k": st.just(5),
            "top_p": st.just(0.9),
            "repetition_penalty": st.just(1.3),
            "presence_penalty": st.just(0.5),
            "frequency_penalty": st.just(0.3),
            "no_repeat_ngram": st.just(3),
            "dry_multiplier": st.just(1.0),
            "logprobs": st.just(2),
            "min_tokens": st.integers(1, 30),
        },
    ),
)


@dataclass(frozen=True)
class Order:
    """What one request asks for."""

    prompt: list[int]
    count: int
    most: int
    config: GenerationConfig
    ends: frozenset[int]
    drafts: list[int] | None
    scored: int

    def sampler(self, index: int) -> Sampler:
        config = replace(self.config, min_tokens=min(self.config.min_tokens, self.most), max_tokens=self.most)
        return Sampler(config, index, self.prompt, self.ends)

    def plain(self, index: int) -> list[int]:
        return plain_text(self.prompt, index, self.most, self.ends, self.sampler(index))


@dataclass
class Run:
    """A request on its way."""

    order: Order
    request: Request
    rows: list[Any] = field(default_factory=list)
    cancelled: bool = False


tokens = st.integers(0, VOCABULARY - 1)
orders = st.builds(
    Order,
    prompt=st.lists(tokens, min_size=1, max_size=30)
    | st.builds(lambda run, times: (run * times)[:150], st.lists(tokens, min_size=5, max_size=30), st.integers(1, 9)),
    count=st.integers(1, 3),
    most=st.integers(1, 20) | st.integers(40, 90),
    config=configs,
    ends=st.frozensets(tokens, max_size=3),
    drafts=st.none() | st.lists(tokens, max_size=20),
    scored=st.just(0) | st.integers(0, 1),
)
actions = st.lists(
    st.tuples(st.just("add"), orders)
    | st.tuples(st.just("step"), st.integers(1, 8))
    | st.tuples(st.sampled_from(["cancel", "cancel during"]), st.integers(0, 5)),
    min_size=1,
    max_size=12,
)


class Schedule:
    """Plays actions on an engine and checks its pages after each."""

    def __init__(self, pages: int, window: int | None) -> None:
        self.toy = ToyBackend(window)
        self.engine = Engine(self.toy, pages)
        self.runs: list[Run] = []

    def add(self, order: Order) -> None:
        texts = [] if order.scored else [Text(i, order.sampler(i), order.most) for i in range(order.count)]
        corpus = None if order.drafts is None else Drafts(order.drafts)
        request = Request(order.prompt, texts, order.ends, last=order.scored or 1, corpus=corpus)
        run = Run(order, request)
        request.take = run.rows.extend
        if pages_for(request.longest) <= self.engine.pool.limit:
            self.runs.append(run)
            self.engine.scheduler.add(request)

    def cancel(self, place: int) -> None:
        if place < len(self.runs):
            run = self.runs[place]
            run.cancelled = run.cancelled or not run.request.ended
            self.engine.cancel(run.request)

    def play(self, action: str, value: Any) -> None:
        if action == "add":
            self.add(value)
        elif action == "step":
            for _ in range(value):
                self.engine.step()
                self.check_pages()
        elif action == "cancel":
            self.cancel(value)
        else:
            self.toy.during = lambda: self.cancel(value)
        self.check_pages()

    def check_pages(self) -> None:
        """The pages that are held are those of what runs."""
        found = self.engine.scheduler
        sequences = [reading.sequence for reading in found.reading]
        sequences += [text.sequence for text in found.growing if text.sequence is not None]
        assert self.engine.pool.used == len({page for sequence in sequences for page in sequence.pages})

    def finish(self) -> None:
        steps = 0
        while not self.engine.scheduler.idle:
            self.engine.step()
            self.check_pages()
            steps += 1
            assert steps < 20_000, "it never ends"
        assert self.engine.pool.used == 0

    def check_texts(self) -> None:
        for run in self.runs:
            assert run.request.error is None
            for text in run.request.texts:
                plain = run.order.plain(text.index)
                found = tokens_of(text)
                assert found == (plain[: len(found)] if run.cancelled else plain)
                assert 0 <= text.accepted <= text.drafted
            if run.order.scored and not run.cancelled:
                assert len(run.rows) == run.order.scored


@given(
    first=st.lists(orders, min_size=2, max_size=5),
    actions=actions,
    pages=st.integers(3, 5),
    window=st.none() | st.sampled_from([1, 2, 66, 100]),
    prefill=st.integers(1, 150),
    growing=st.integers(1, 5),
    catch_up=st.integers(1, 16),
    row_cost=st.sampled_from([0.0, 0.3, 10.0]),
)
@settings(max_examples=SCHEDULES, suppress_health_check=list(HealthCheck))
def test_any_schedule_gives_the_plain_texts(
    first: list[Order],
    actions: list[tuple[str, Any]],
    pages: int,
    window: int | None,
    prefill: int,
    growing: int,
    catch_up: int,
    row_cost: float,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scheduler, "PREFILL_ROWS", prefill)
        patch.setattr(scheduler, "GROWING_TEXTS", growing)
        patch.setattr(scheduler, "CATCH_UP_ROWS", catch_up)
        patch.setattr(StepTimes, "expect", lambda _, rows: 1 + row_cost * (rows - 1))
        schedule = Schedule(pages, window)
        for order in first:
            schedule.add(order)
        for action, value in actions:
            schedule.play(action, value)
        schedule.finish()
    schedule.check_texts()
