"""`longra evaluate human`: people judge outputs on a page, and what they said."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from longra.cli import console, options
from longra.errors import UsageError

if TYPE_CHECKING:
    from longra.evaluate.human.items import Fields, Outputs
    from longra.evaluate.human.study import Mode
    from longra.evaluate.human.votes import VoteFile, Wanted

COMMAND_OPTIONS = {
    "epilog": "Examples:  longra evaluate human old.jsonl new.jsonl   |   longra evaluate human --report"
}


@dataclass(frozen=True)
class Asked:
    """The options that say what is asked of people."""

    mode: Annotated[
        Literal["pairwise", "rating"] | None,
        typer.Option(help="Which of two is better, or how good each is; pairwise unless said."),
    ] = None
    criteria: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="What to rate from 1 to 5; fluency,coherence,relevance unless said."),
    ] = None
    seed: Annotated[int | None, typer.Option(help="Draws order and sides; drawn unless said, and kept.")] = None
    id_field: Annotated[str, typer.Option(metavar="NAME", help="Field of the id.")] = "id"
    prompt_field: Annotated[str, typer.Option(metavar="NAME", help="Field of the prompt.")] = "prompt"

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

        return Fields(self.id_field, self.prompt_field)


def human(
    *,
    outputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE.jsonl[:FIELD]...", help="A system's outputs each; the field is text unless said."),
    ] = None,
    db: Annotated[Path, typer.Option(metavar="FILE", help="Where votes are kept.", dir_okay=False)] = Path("votes.db"),
    asked: Asked,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the page; any that is free unless said.")] = 0,
    language: Annotated[
        Literal["zh", "en"] | None, typer.Option(help="Of the page; the texts' unless said. Raters may change it.")
    ] = None,
) -> None:
    """Let people judge outputs on a page, without knowing whose they are.

    The page is for this machine; the link is printed. Votes are kept one by one; the same command goes on with them.
    Lines are matched by id, or by their order where they have none. Ctrl-C ends it.
    """
    from longra.evaluate.human.server import Server
    from longra.evaluate.human.votes import VoteFile

    votes = VoteFile(db)
    study = votes.begin(asked.wanted(), _read(outputs, asked.fields()) if outputs else None)
    with Server(votes, language or _language(votes), port) as server:
        console.note(f"{', '.join(study.systems)}: {len(server.tasks):,} questions a rater, seed {study.seed}")
        console.write(server.link + "\n")
        console.note(f"Open the link in a browser on this machine. Votes go to {db}; Ctrl-C ends.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.note(_farewell(votes))
            raise


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


def _language(votes: "VoteFile") -> str:
    """Chinese for Chinese texts."""
    from longra.text.script import scripts_of

    scripts = scripts_of("".join(text[:500] for item in votes.items() for text in item.texts.values()))
    return "zh" if 2 * scripts["Han"] > scripts.total() else "en"


def _farewell(votes: "VoteFile") -> str:
    found = votes.latest()
    raters = len({vote.rater for vote in found})
    return (
        f"\n{len(found):,} votes of {raters:,} {'person' if raters == 1 else 'people'} are in {votes.path}. "
        f"To go on: longra evaluate human --db {votes.path}. What they say: longra evaluate human --report --db {votes.path}"
    )
