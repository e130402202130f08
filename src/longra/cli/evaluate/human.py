"""`longra evaluate human`: people judge outputs on a page, and what they said."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from longra.cli.shared import console, options
from longra.cli.shared.saving import save_text
from longra.errors import LongraError, UsageError
from longra.sizes import counted

if TYPE_CHECKING:
    from longra.evaluate.human.items import Fields, Outputs
    from longra.evaluate.human.votes import VoteFile, Wanted

COMMAND_OPTIONS = {
    "epilog": "Examples:  longra evaluate human old.jsonl new.jsonl   |   longra evaluate human --report"
}


@dataclass(frozen=True)
class Asked:
    """The options that say what is asked of people, and where."""

    mode: Annotated[
        Literal["pairwise", "rating"] | None,
        typer.Option(help="Which of two is better, or how good each is; pairwise unless said."),
    ] = None
    criteria: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="What to rate from 1 to 5; fluency,coherence,relevance unless said."),
    ] = None
    seed: Annotated[int | None, typer.Option(help="Draws order and sides; drawn unless said, and kept.")] = None
    id_field: Annotated[str | None, typer.Option(metavar="NAME", help="Field of the id; id unless said.")] = None
    prompt_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Field of the prompt; prompt unless said.")
    ] = None
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Of the page; any that is free unless said.")] = (
        None
    )

    def wanted(self) -> "Wanted":
        """The study that is meant.

        Raises:
            UsageError: the criteria are no list of names.
        """
        from longra.evaluate.human.votes import Wanted

        return Wanted(self.mode, None if self.criteria is None else _names(self.criteria), self.seed)

    def fields(self) -> "Fields":
        """Where the files have what."""
        from longra.evaluate.human.items import Fields

        return Fields(self.id_field or "id", self.prompt_field or "prompt")


@dataclass(frozen=True)
class Report:
    """The options of a report."""

    report: Annotated[bool, typer.Option("--report", help="Tell what the votes in --db say.")] = False
    as_json: options.Json = False
    as_csv: Annotated[bool, typer.Option("--csv", help="Figures on stdout, one a line.")] = False
    html: Annotated[Path | None, typer.Option(metavar="OUT", help="Write the report as a page.")] = None

    def check(self, outputs: list[str] | None, asked: Asked) -> None:
        """That the options fit each other.

        Raises:
            UsageError: they do not.
        """
        if not self.report and (self.as_json or self.as_csv or self.html):
            raise UsageError("--json, --csv and --html say how to show a report; add --report")
        if self.as_json and self.as_csv:
            raise UsageError("standard output takes --json or --csv, not both")
        if self.report and outputs:
            raise UsageError("--report reads the votes in --db, which knows the texts; leave the files out")
        for name in options.given(**vars(asked)) if self.report else ():
            raise UsageError(f"--{name.replace('_', '-')} is for the page that asks; leave it out of --report")


def human(
    *,
    outputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE.jsonl[:FIELD]...", help="A system's outputs each; the field is text unless said."),
    ] = None,
    db: Annotated[Path, typer.Option(metavar="FILE", help="Where votes are kept.", dir_okay=False)] = Path("votes.db"),
    asked: Asked,
    language: Annotated[
        Literal["zh", "en"] | None, typer.Option(help="Of the page; the texts' unless said. Raters may change it.")
    ] = None,
    shown: Report,
) -> None:
    """Let people judge outputs on a page, without knowing whose they are.

    The page is for this machine; the link is printed. Votes are kept one by one; the same command goes on with them.
    Lines are matched by id, or by their order where they have none. Ctrl-C ends it. With --report, tell who was
    preferred, by how much, and how far the people agree.
    """
    from longra.evaluate.human.votes import VoteFile

    shown.check(outputs, asked)
    votes = VoteFile(db)
    if shown.report:
        _report(votes, shown, language)
    else:
        _serve(votes, outputs, asked, language)


def _serve(votes: "VoteFile", outputs: list[str] | None, asked: Asked, language: Literal["zh", "en"] | None) -> None:
    from longra.evaluate.human.server import Server

    study = votes.begin(asked.wanted(), _read(outputs, asked.fields()) if outputs else None)
    with Server(votes, language or _language(votes), asked.port or 0) as server:
        console.note(f"{', '.join(study.systems)}: {counted(len(server.tasks), 'question')} a rater, seed {study.seed}")
        console.write(server.link + "\n")
        console.note(f"Open the link in a browser on this machine. Votes go to {votes.path}; Ctrl-C ends.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.note(_farewell(votes))
            raise


def _report(votes: "VoteFile", shown: Report, language: Literal["zh", "en"] | None) -> None:
    from longra.cli.evaluate import human_report
    from longra.evaluate.human.study import tasks
    from longra.evaluate.human.summary import summarise
    from longra.evaluate.report.human_sentences import notes
    from longra.evaluate.report.human_words import ENGLISH

    study, latest = votes.study(), votes.latest()
    if not latest:
        raise LongraError(f"{votes.path} has no votes yet; longra evaluate human --db {votes.path} serves its page")
    found = summarise(study, len(tasks(study, votes.items())), latest)
    if shown.html is not None:
        from longra.evaluate.report.human import human_page

        save_text(shown.html, human_page(found, language or _language(votes)))
        console.note(f"{shown.html}: written")
    warnings = notes(found, ENGLISH)
    if shown.as_json:
        console.result_json(human_report.as_json(found, warnings))
    elif shown.as_csv:
        console.write(human_report.as_csv(found))
    else:
        console.result(human_report.as_text(found))
    for warning in warnings:
        console.warning(warning)


def _read(sources: list[str], fields: "Fields") -> "Outputs":
    from longra.evaluate.human.items import read_outputs

    found = read_outputs(sources, fields)
    for note in found.notes:
        console.warning(note)
    return found


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise UsageError(f"--criteria {text!r} must be different names with commas between, such as fluency,coherence")
    return names


def _language(votes: "VoteFile") -> Literal["zh", "en"]:
    """Chinese for Chinese texts."""
    from longra.text.script import scripts_of

    scripts = scripts_of("".join(text[:500] for item in votes.items() for text in item.texts.values()))
    return "zh" if 2 * scripts["Han"] > scripts.total() else "en"


def _farewell(votes: "VoteFile") -> str:
    found = votes.latest()
    raters = len({vote.rater for vote in found})
    people = "1 person" if raters == 1 else f"{raters:,} people"
    return (
        f"\n{counted(len(found), 'vote')} of {people} are in {votes.path}. "
        f"To go on: longra evaluate human --db {votes.path}. What they say: longra evaluate human --report --db {votes.path}"
    )
