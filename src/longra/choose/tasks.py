"""The tasks that a model is chosen for, and the one measure of each by which models are ranked."""

from dataclasses import dataclass

from longra.library.catalogue import Entry, Figure


@dataclass(frozen=True)
class Task:
    """What a model is wanted for.

    Attributes:
        made_for: values of Entry.task that suit it.
        metric: what models are ranked by.
        evaluator: whose figures are compared: those of another one were made in another way.
        languages: how many a model must know.
    """

    made_for: tuple[str, ...]
    metric: str
    evaluator: str = "Qwen team"
    languages: int = 1

    def suits(self, entry: Entry) -> bool:
        """Whether a model was made for such a task."""
        return entry.task in self.made_for and len(entry.languages) >= self.languages

    def figure(self, entry: Entry) -> Figure | None:
        """A model's figure of this task's measure: the one that can be compared if there is one, else another's."""
        figures = [figure for figure in entry.figures if figure.metric == self.metric]
        return min(figures, key=lambda figure: not self.compares(figure), default=None)

    def compares(self, figure: Figure | None) -> bool:
        """Whether a figure is one by which models are ranked."""
        return figure is not None and figure.metric == self.metric and figure.reference.evaluator == self.evaluator


TASKS = {
    "writing": Task(("chat", "text"), "WritingBench"),
    "code": Task(("code", "chat"), "HumanEval"),
    "translation": Task(("chat",), "Multi-IF", languages=2),
    "dialogue": Task(("chat",), "IFEval"),
}
DEFAULT_TASK = "writing"
