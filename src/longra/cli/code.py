"""`longra code`: write code, go on with it, or fill a gap in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longra.cli.shared import console, notes, options
from longra.cli.shared.prompt import file_text, given_text
from longra.cli.shared.show_prompt import show_prompt as print_prompt
from longra.cli.shared.streaming import ended, show
from longra.cli.shared.tidied import NoTidy, Tidied, Tidy, TidyCommand, steps_of, tidied
from longra.errors import LongraError, UsageError
from longra.library.paths import existing_path

if TYPE_CHECKING:
    from longra.generation.result import Result
    from longra.tasks.coding.coding import CodePlan
    from longra.tasks.coding.trials import Trial
    from longra.text.tidy import Step

COMMAND_OPTIONS = {
    "cls": TidyCommand,
    "epilog": 'Examples:  longra code "Reverse a linked list." --lang python   |   longra code -f draft.py   |   '
    'longra code "A function fib(n)." --tests test_fib.py --tries 5',
}


def code(
    *,
    prompt: Annotated[str | None, typer.Argument(metavar="PROMPT", help="What the code is to do.")] = None,
    file: Annotated[
        Path | None,
        typer.Option("-f", "--file", help="Code to go on with, or that PROMPT is about; - is standard input."),
    ] = None,
    suffix: Annotated[
        str | None,
        typer.Option(metavar="FILE|TEXT", help="Code after the gap to fill; or put <FILL_ME> where it is in FILE."),
    ] = None,
    lang: Annotated[
        str | None, typer.Option(metavar="LANG", help="The language; guessed from the code if not given.")
    ] = None,
    tests: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Python tests that the code must pass; run in a sandbox.")
    ] = None,
    tries: Annotated[int, typer.Option(min=1, max=1000, help="Tries to pass the tests.")] = 1,
    loading: options.Loading,
    sampling: options.Sampling,
    system: options.System = None,
    chat: Annotated[
        bool | None, typer.Option("--chat/--raw", help="PROMPT is a message / a comment before the code.")
    ] = None,
    template: options.TemplateName = None,
    tidy: Tidy = None,
    no_tidy: NoTidy = False,
    show_prompt: options.ShowPrompt = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> None:
    """Write code to an instruction, go on with code, or fill a gap in it.

    Code comes from the file (or standard input), an instruction from PROMPT. What is gone on with ends with its function.
    The whole code goes to stdout; Python is formatted.
    """
    if tests is None and tries > 1:
        raise UsageError(f"--tries {tries} needs --tests FILE, which says what is right")
    from longra.tasks.coding.coding import plan_code
    from longra.tasks.coding.languages import PYTHON, guess_language, language_named
    from longra.tasks.template import Template

    chosen = Template.load(template or "code", task="code")
    config = sampling.config(chosen.defaults)
    before, after = _around(file, suffix)
    language = guess_language(before + after, file) if lang is None else language_named(lang)
    steps = steps_of(tidy, no_tidy, chosen.tidy if language in (None, PYTHON) else None)
    wanted = None if tests is None else file_text(tests)
    loaded, _ = loading.load(lazy=True)
    config = sampling.biased(config, loaded.tokenizer)
    how: dict[str, Any] = {"language": language, "template": chosen, "chat": chat, "system": system}
    plan = plan_code(loaded, prompt or "", before, after, config=config, **how)
    if show_prompt:
        print_prompt(plan, steps, as_json)
        return
    written = _write(plan, steps, as_json) if wanted is None else _try(plan, steps, wanted, tries)
    if as_json:
        console.result_json(written.as_json())
    elif wanted is not None or steps is not None:
        console.write(ended(written.text.text))
    _tell(written, plan)
    if verbose:
        sampling.tell_preset()
        console.note(notes.summary(written.result, plan.config, loaded.engine.backend.threads))
    if written.interrupted:
        raise KeyboardInterrupt
    if written.tried and not written.tried[-1].passed:
        raise LongraError(f"none of {len(written.tried)} tries passed the tests; this is the best of them")


@dataclass(frozen=True)
class _Written:
    """Code that was written: as it is shown, and the tries that led to it, if it had to pass tests."""

    result: "Result"
    text: Tidied
    interrupted: bool
    tried: "tuple[Trial, ...]" = ()

    def as_json(self) -> dict[str, Any]:
        """The object of `--json`."""
        shown = self.result.as_json() | self.text.as_json()
        if not self.tried:
            return shown
        passed = next((trial.number for trial in self.tried if trial.passed), None)
        return shown | {
            "tests": {"passed": passed is not None, "try": passed, "tries": [t.as_json() for t in self.tried]}
        }


def _around(file: Path | None, suffix: str | None) -> tuple[str, str]:
    """Code before and after the place to write at."""
    from longra.tasks.coding.infill import MARK, split_at_mark

    before, after = split_at_mark(given_text(file) or "")
    if suffix is None:
        return before, after
    if after:
        raise UsageError(f"--suffix and the mark {MARK} both say what comes after the gap; give one of them")
    path = existing_path(suffix)
    return before, suffix if path is None or not path.is_file() else file_text(path)


def _write(plan: "CodePlan", steps: "list[Step] | None", as_json: bool) -> _Written:
    coding = plan.begin()
    interrupted = show(coding, live=steps is None and not as_json)
    return _Written(coding.result, tidied(coding.result.text, steps), interrupted)


def _try(plan: "CodePlan", steps: "list[Step] | None", tests: str, tries: int) -> _Written:
    """Write until the tests pass; the best of the tries."""
    from longra.tasks.coding.trials import check_tests, trials

    check_tests(plan, tests)
    tried: list[Trial] = []
    interrupted = False
    try:
        for trial in trials(plan, tests, tries, lambda code: tidied(code, steps).text):
            tried.append(trial)
            console.note(f"try {trial.number} of {tries}, seed {trial.result.seed}: {trial.reason}")
    except KeyboardInterrupt:
        if not tried:
            raise
        interrupted = True
    best = max(tried, key=lambda trial: trial.rank)
    return _Written(best.result, tidied(best.result.text, steps), interrupted, tuple(tried))


def _tell(written: _Written, plan: "CodePlan") -> None:
    """What is to be said on stderr at the end."""
    if written.text.how is not None:
        for remark in written.text.how.notes:
            console.warning(f"line {remark.line}: {remark.message}")
    if full := notes.context_note(written.result, plan.config):
        console.warning(full)
    elif written.result.finish_reason == "length":
        console.warning(f"the code was cut after {plan.config.max_tokens:,} tokens; allow more with -n")
