"""`longra evaluate code`: pass@k of programs that a model writes."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longra.cli.shared import console, options
from longra.cli.shared.remaining import Remaining
from longra.errors import UsageError
from longra.sizes import counted

if TYPE_CHECKING:
    from longra.evaluate.code.forms import Form
    from longra.evaluate.code.run import Answer

COMMAND_OPTIONS = {
    "epilog": "Examples:  longra evaluate code -m qwen2.5-coder-0.5b-instruct --output answers.jsonl   |   "
    "longra evaluate code --samples 10 --k 1,10 -t 0.8"
}

_GREEDY: dict[str, Any] = {"temperature": 0.0}
_DRAWN: dict[str, Any] = {"temperature": 0.8, "top_p": 0.95}
_ALWAYS: dict[str, Any] = {"top_k": 0, "max_tokens": 768, "seed": 0}


def code(
    *,
    running: options.Running,
    samples: Annotated[int, typer.Option(metavar="N", min=1, help="Answers to each problem.")] = 1,
    k: Annotated[str, typer.Option("--k", metavar="K,K", help="Of pass@k; each at most --samples.")] = "1",
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Only the first N problems.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl", help="Own problems: task_id, prompt, entry_point, test; HumanEval unless said."
        ),
    ] = None,
    chat: Annotated[
        bool | None,
        typer.Option("--chat/--raw", help="Instruct / complete; instructs if the model has a chat template."),
    ] = None,
    sampling: options.Sampling,
    output: Annotated[
        Path | None, typer.Option(metavar="OUT.jsonl", help="Keep each answer; the same command goes on from there.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Measure how often a model's programs pass their tests (pass@k), on HumanEval or own problems.

    One answer is greedy; several are drawn at temperature 0.8. Programs run in a sandbox: no network, no other process,
    bounded time and memory. Ctrl-C ends it; with --output the same command goes on.
    """
    ks = _ks(k, samples)
    config = sampling.config(_ALWAYS | (_GREEDY if samples == 1 else _DRAWN))
    sampling.tell_preset()
    if samples > 1 and config.greedy:
        raise UsageError(f"{samples} answers at temperature 0 are the same one; give -t 0.8, or --samples 1")
    from longra.evaluate.code.forms import Completion, Instruct
    from longra.evaluate.code.problems import data_name, human_eval, read_problems
    from longra.evaluate.code.run import Answer, answers, settings, wanted_answers
    from longra.evaluate.journal import Journal
    from longra.sandbox import check

    check()
    problems = read_problems(human_eval() if data is None else data)[:limit]
    model, _ = running.load(cache_dir="none")
    config = sampling.biased(config, model.tokenizer)
    form = Instruct() if chat or (chat is None and model.template is not None) else Completion()
    run = settings(model, form, config, data_name(data))
    with Journal(output, run) as journal:
        asked = {(problem.task_id, i) for problem in problems for i in range(samples)}
        found = [
            answer for answer in (Answer(**row) for row in journal.rows) if (answer.task_id, answer.sample) in asked
        ]
        if found:
            console.note(f"{output}: {len(found):,} of {len(asked):,} answers are there already")
        try:
            with Remaining(len(asked) - len(found)) as remaining:
                for answer in answers(model, form, config, wanted_answers(problems, samples, found)):
                    journal.add(asdict(answer))
                    found.append(answer)
                    remaining.advance(1)
        except KeyboardInterrupt:
            console.note(_interrupted(len(found), len(asked), output))
            raise
    _show(run, form, found, samples, ks, as_json)


def _ks(text: str, samples: int) -> list[int]:
    try:
        ks = sorted({int(word) for word in text.split(",")})
    except ValueError:
        raise UsageError(f"--k is {text!r}; give whole numbers such as 1,10") from None
    if ks[0] < 1 or ks[-1] > samples:
        raise UsageError(f"--k is {text}; each must be from 1 to --samples, which is {samples}")
    return ks


def _interrupted(found: int, asked: int, output: Path | None) -> str:
    from longra.evaluate.journal import way_on

    return f"interrupted: {found:,} of {asked:,} answers; {way_on(output)}"


def _show(
    run: dict[str, Any], form: "Form", found: "Sequence[Answer]", samples: int, ks: list[int], as_json: bool
) -> None:
    from longra.evaluate.code.run import score

    scores = {k: score(found, k) for k in ks}
    problems = len({answer.task_id for answer in found})
    ends = Counter(_kind(answer.reason) for answer in found).most_common()
    if as_json:
        figures = {f"pass@{k}": {"percent": value, "interval": asdict(around)} for k, (value, around) in scores.items()}
        console.result_json(
            {"problems": problems, "samples": samples, "scores": figures, "ends": dict(ends), "run": run}
        )
        return
    how = "greedy" if run["temperature"] == 0 else f"temperature {run['temperature']:g}, seed {run['seed']}"
    console.result(
        f"{run['model']} on {run['data']}: {problems} problems, {counted(samples, 'answer')} each, {how}, {form.name} prompt\n"
    )
    rows = [(f"pass@{k}", f"{value:.1f} %", f"± {around.margin:.1f}") for k, (value, around) in scores.items()]
    console.result(console.table(("MEASURE", "VALUE", "95 %"), rows, right=frozenset({1, 2})))
    console.result("\nhow they ended: " + ", ".join(f"{kind} {count}" for kind, count in ends))
    console.result("\nthe prompt:\n" + form.text)


def _kind(reason: str) -> str:
    """The name of an error without its message."""
    return re.split(r"[:(]", reason)[0].strip()
