"""A whole run: every problem put to the model, every answer checked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from longra.evaluate.code.check import check
from longra.evaluate.code.forms import Form
from longra.evaluate.code.pass_at_k import pass_at_k
from longra.evaluate.code.problems import Problem
from longra.evaluate.conditions import conditions
from longra.evaluate.resample import interval
from longra.evaluate.score import Interval
from longra.evaluate.together import Generate, together

if TYPE_CHECKING:
    from longra.model import Model
    from longra.sampling import GenerationConfig


@dataclass(frozen=True)
class Answer:
    """An answer to a problem, checked.

    Attributes:
        task_id: the problem's.
        sample: which of the answers to this problem, from 0.
        answer: what the model wrote, up to a stop string.
        passed: whether it passed the tests.
        reason: how its run ended.
        tokens: of the answer.
        finish_reason: why it ends: "stop" or "length".
    """

    task_id: str
    sample: int
    answer: str
    passed: bool
    reason: str
    tokens: int
    finish_reason: str


def answers(
    model: "Model", form: Form, config: "GenerationConfig", wanted: Sequence[tuple[Problem, int]]
) -> Iterator[Answer]:
    """Answers to problems, each checked, as they come.

    Args:
        config: how to generate; the seed of a sample is this one's plus its number.
        wanted: problems, and which of the answers to each.

    Raises:
        ContextError: a problem does not fit into the model's context.
        SandboxError: this machine cannot run programs safely.
    """

    def answer(job: tuple[Problem, int], generate: Generate) -> Answer:
        problem, sample = job
        seeded = replace(config, seed=(config.seed or 0) + sample, stop=(*form.stop, *config.stop))
        result = generate(form.ids(model, problem), seeded)
        passed, reason = check(problem, form.parts(problem, result.text))
        return Answer(
            problem.task_id, sample, result.text, passed, reason, result.completion_tokens, result.finish_reason
        )

    return together(model, wanted, answer)


def wanted_answers(problems: Sequence[Problem], samples: int, done: Sequence[Answer]) -> list[tuple[Problem, int]]:
    """Problems and samples that have no answer yet."""
    have = {(answer.task_id, answer.sample) for answer in done}
    return [(problem, i) for i in range(samples) for problem in problems if (problem.task_id, i) not in have]


def score(found: Sequence[Answer], k: int) -> tuple[float, Interval]:
    """pass@k over the problems, in percent, and its interval from a bootstrap of the problems."""
    verdicts: dict[str, list[bool]] = {}
    for answer in found:
        verdicts.setdefault(answer.task_id, []).append(answer.passed)
    values = [100 * pass_at_k(len(passed), sum(passed), k) for passed in verdicts.values()]
    return sum(values) / len(values), interval(values)


def settings(model: "Model", form: Form, config: "GenerationConfig", data: str) -> dict[str, Any]:
    """All that answers depend on, to be kept beside them.

    Args:
        data: what tells the problems from others.
    """
    asked = {name: getattr(config, name) for name in config.__dataclass_fields__ if name not in _NOT_OF_TEXT}
    return {
        **conditions(model),
        "data": data,
        "form": form.name,
        "prompt": form.text,
        **asked,
        "stop": (*form.stop, *config.stop),
    }


_NOT_OF_TEXT = ("speculation", "draft_text", "logprobs", "num_sequences")
"""Fields of a configuration that do not change a text."""
