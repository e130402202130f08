"""`longra translate`: a text or a file in another language, with all that is not language as it was."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from longra.cli.shared import console, notes, options
from longra.cli.shared.reading import name_of, read_text
from longra.cli.shared.remaining import Remaining
from longra.cli.shared.saving import check_folders, save_text
from longra.cli.shared.show_prompt import show_prompt as print_prompt
from longra.errors import LongraError, UsageError
from longra.memory import peak_memory
from longra.sizes import counted, human_bytes

if TYPE_CHECKING:
    from longra.model import Model
    from longra.tasks.plan import Plan
    from longra.tasks.translation import Glossary, Segment, Translation

SHOWN = 40
"""Characters of a segment that a warning repeats."""

COMMAND_OPTIONS = {
    "epilog": 'Examples:  longra translate "Good morning." --to zh   |   '
    "longra translate -f guide.md --to zh --glossary terms.csv --output guide.zh.md"
}


def translate(
    *,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="What to translate, if it is in no file.")] = None,
    to: Annotated[str, typer.Option(metavar="LANGUAGE", help="Into which: a code (zh, de, pt-BR) or a name.")],
    source: Annotated[
        str | None, typer.Option("--from", metavar="LANGUAGE", help="From which; as its script says unless said.")
    ] = None,
    file: Annotated[Path | None, typer.Option("-f", "--file", help="The text's file; - is standard input.")] = None,
    form: Annotated[
        Literal["txt", "md", "srt", "po"] | None,
        typer.Option("--format", help="What it is; by its suffix unless said."),
    ] = None,
    aligned: Annotated[bool, typer.Option("--aligned", help="A line for each line, as for `longra evaluate`.")] = False,
    glossary: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Terms that must be used: source,target,note.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help="Write it there; goes on if interrupted.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="How the text is stored: utf-8, gb18030, big5, utf-16.")] = "utf-8",
    loading: options.Loading,
    sampling: options.Sampling,
    template: options.TemplateName = None,
    show_prompt: options.ShowPrompt = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> None:
    """Translate a text or a file.

    Structure, code, placeholders, addresses and timings stay as they are. A sentence whose translation would lose one
    stays in its language and is told of, and so is a term of the glossary that is missing.
    """
    from longra.tasks.translation import language, translation
    from longra.tasks.translation.journal import held

    target, known = language(to), None if source is None else language(source)
    kind = _format(form, file, aligned)
    terms = _glossary(glossary)
    sampling.config()  # what is wrong with it is said before a model is loaded
    content = _content(text, file, encoding)
    check_folders(output)
    journal = None if show_prompt else _journal(output)
    with held(journal):
        model, name = loading.load()
        job = translation(
            model,
            content,
            target,
            source=known,
            form=kind,
            glossary=terms,
            template=template or "translate",
            journal=journal,
            **_parameters(sampling, model),
        )
        if show_prompt:
            print_prompt(_first(job), job.translator.steps or None, as_json)
            return
        for note in filter(None, (notes.script_note(content, name), notes.script_note(target.own_name, name))):
            console.warning(note)
        _run(job, is_live=output is None and not as_json)
        _finish(job, "the text" if file is None and text is not None else name_of(file), output, as_json)
    if output is None and not as_json and text is not None:
        console.write("\n")
    if verbose:
        sampling.tell_preset()
        console.note(_summary(job, model))


def _format(form: str | None, file: Path | None, aligned: bool) -> str:
    from longra.tasks.translation import format_of

    if not aligned:
        return form or ("txt" if file is None else format_of(file))
    if form not in (None, "txt"):
        raise UsageError(f"--aligned gives a line for each line of plain text, and --format says {form}")
    return "lines"


def _glossary(file: Path | None) -> "Glossary | None":
    from longra.tasks.translation import read_glossary

    return None if file is None else read_glossary(read_text(file, "utf-8"), str(file))


def _content(text: str | None, file: Path | None, encoding: str) -> str:
    if text is not None and file is not None:
        raise UsageError("TEXT and --file are two texts; give one of them")
    if text is None and file is None and console.is_terminal(sys.stdin):
        raise UsageError('there is no text; type `longra translate "..." --to zh`, or give it by --file')
    return read_text(file, encoding) if text is None else text


def _parameters(sampling: options.Sampling, model: "Model") -> dict[str, Any]:
    """What was asked for of the generation."""
    biases = sampling.biased(sampling.config(), model.tokenizer).logit_bias
    return sampling.asked() | options.given(logit_bias=biases or None)


def _journal(output: Path | None) -> Path | None:
    """Beside the output, if that is a file."""
    if output is None or (output.exists() and not output.is_file()):
        return None
    return output.with_name(f"{output.name}.journal")


def _first(job: "Translation") -> "Plan":
    """What is asked for the first segment."""
    segments = job.document.segments
    if not segments:
        raise LongraError("there is nothing to translate in it, so the model would read nothing")
    return job.translator.plan(segments[0].text)


def _run(job: "Translation", is_live: bool) -> None:
    """Translate it all. On Ctrl-C what is done is on standard output, or in the journal."""
    if job.journal.path is not None and len(job.journal):
        console.note(f"{job.journal.path}: {counted(len(job.journal), 'segment')} of an interrupted translation")
    with Remaining(sum(len(segment.text) for segment in job.document.segments)) as remaining:

        def watch(segment: "Segment", known: bool) -> None:
            (remaining.skip if known else remaining.advance)(len(segment.text))

        if not (is_live and console.is_terminal(sys.stdout)):
            job.watch = watch
        try:
            for piece in job:
                if is_live:
                    console.write(piece)
        except KeyboardInterrupt:
            remaining.clear()
            if job.journal.path is not None:
                done, total = len(job.journal), len(job.document.segments)
                console.note(f"{done:,} of {total:,} segments are kept; the same command goes on")
            raise


def _finish(job: "Translation", where: str, output: Path | None, as_json: bool) -> None:
    """Write the file, and tell what is wrong."""
    if output is not None:
        save_text(output, job.text)
        console.note(f"{output}: {counted(len(job.segments), 'segment')} translated into {job.target.name}")
    job.journal.remove()
    if as_json:
        console.result_json(job.as_json())
    for done in job.faulty:
        outcome = "; it stays as it was" if done.outcome.text is None else ""
        problems = "; ".join(problem.message for problem in done.outcome.problems)
        console.warning(f"{where}, line {done.segment.line}, {_begin(done.segment.text)}: {problems}{outcome}")
    if job.faulty:
        console.warning(f"{len(job.faulty):,} of {counted(len(job.segments), 'segment')} should be looked at")


def _summary(job: "Translation", model: "Model") -> str:
    """One line: model, load time, what was done, memory."""
    tries = sum(done.outcome.tries for done in job.segments)
    return (
        f"{model.name}: loaded in {model.load_seconds:.2f} s; {counted(len(job.segments), 'segment')}, asked {tries:,} "
        f"times; {f'from {job.source.name} ' if job.source else ''}into {job.target.name}; "
        f"peak memory {human_bytes(peak_memory())}"
    )


def _begin(text: str) -> str:
    """A segment, or how it begins."""
    return f"“{text}”" if len(text) <= SHOWN else f"“{text[: SHOWN - 1]}…”"
