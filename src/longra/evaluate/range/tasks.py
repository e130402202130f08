"""Four questions about a long text, after RULER (Hsieh et al. 2024, https://arxiv.org/abs/2404.06654).

Texts, questions and the beginnings of answers are RULER's. A text is made of `size` units, so that it can be made to fit
its length.
"""

import string
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import ClassVar

from longra.evaluate.range.cells import Cell
from longra.evaluate.range.words import Words

NOISE = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again."


@dataclass(frozen=True)
class Question:
    """A text with a question about it.

    Attributes:
        text: the text, then the question.
        beginning: of the answer, which the model goes on with.
        answers: texts that the rest of the answer should hold, in any order.
    """

    text: str
    beginning: str
    answers: tuple[str, ...]


class Task(ABC):
    """A kind of question.

    Attributes:
        name: of the command line.
        title: what is asked, in a few words.
        has_depth: whether what is asked for lies at one place, which can be chosen.
        new_tokens: of an answer, at most; as in RULER.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    has_depth: ClassVar[bool]
    new_tokens: ClassVar[int]

    def most(self, words: Words) -> int | None:  # noqa: ARG002
        """Units of the longest text there can be; None without a bound."""
        return None

    @abstractmethod
    def question(self, size: int, cell: Cell, words: Words) -> Question:
        """The cell's question, about a text of `size` units."""


class Needle(Task):
    """One number, said once (niah_single_1)."""

    name, title, has_depth, new_tokens = "needle", "a number said once", True, 128

    def question(self, size: int, cell: Cell, words: Words) -> Question:
        """The haystack is one repeated line."""
        rng = cell.random()
        key, number = _key(rng, words), _number(rng)
        lines = [NOISE] * size
        lines.insert(round((cell.depth or 0) * size), f"One of the special magic numbers for {key} is: {number}.")
        text = "\n".join(lines)
        return Question(
            "A special magic number is hidden within the following text. Make sure to memorize it. I will quiz you about "
            f"the number afterwards.\n{text}\n"
            f"What is the special magic number for {key} mentioned in the provided text?",
            f" The special magic number for {key} mentioned in the provided text is",
            (number,),
        )


class MultiKey(Task):
    """One of four numbers, each said once under a key of its own (niah_multikey_1, in noise instead of essays)."""

    name, title, has_depth, new_tokens = "multikey", "one of four numbers, by its key", True, 128
    _OTHERS = 3

    def question(self, size: int, cell: Cell, words: Words) -> Question:
        """The one that is asked for lies at the depth, the others anywhere."""
        needle = Needle().question(size, cell, words)
        lines = needle.text.split("\n")
        rng = cell.random("others")
        for _ in range(self._OTHERS):
            line = f"One of the special magic numbers for {_key(rng, words)} is: {_number(rng)}."
            lines.insert(1 + round(rng.random() * size), line)
        return Question("\n".join(lines), needle.beginning, needle.answers)


class Variables(Task):
    """Five variables, each but the first assigned from the one before it, anywhere in the text (vt, with its example)."""

    name, title, has_depth, new_tokens = "variables", "five variables of one value, from one another", False, 30
    _HOPS = 4
    _EXAMPLE_SIZE = 10

    def question(self, size: int, cell: Cell, words: Words) -> Question:  # noqa: ARG002
        """An example with its answer, then the question."""
        rng = cell.random()
        example, asked = self._chain(self._EXAMPLE_SIZE, 3, rng), self._chain(size, 5, rng)
        solved = f"{example.text}{example.beginning} {' '.join(example.answers)}\n"
        return Question(solved + asked.text, asked.beginning, asked.answers)

    def _chain(self, size: int, letters: int, rng: Random) -> Question:
        """One chain in noise; its places are drawn in the order of its assignments."""
        names = _different(self._HOPS + 1, lambda: "".join(rng.choices(string.ascii_uppercase, k=letters)))
        value = str(rng.randint(10_000, 99_999))
        chain = [f"VAR {names[0]} = {value}"]
        chain += [f"VAR {after} = VAR {before} " for before, after in pairwise(names)]
        lines = [NOISE] * size
        for done, (place, line) in enumerate(zip(sorted(rng.random() for _ in chain), chain, strict=True)):
            lines.insert(round(place * size) + done, line)
        text = "\n".join(lines)
        return Question(
            "Memorize and track the chain(s) of variable assignment hidden in the following text.\n\n"
            f"{text}\nQuestion: Find all variables that are assigned the value {value} in the text above.",
            f" Answer: According to the chain(s) of variable assignment in the text above, {len(names)} variables are "
            f"assigned the value {value}, they are:",
            tuple(names),
        )


class CommonWords(Task):
    """The ten words of a list that appear ten (six) times as often as the others (cwe, with its example)."""

    name, title, has_depth, new_tokens = "words", "the ten most common words of a list", False, 120
    _COMMON = 10
    _LONG = 4096
    """Tokens from which words repeat more often, as in RULER."""

    def question(self, size: int, cell: Cell, words: Words) -> Question:
        """An example with its answer, then the question. A unit is one of the other words."""
        rng, long = cell.random(), cell.length >= self._LONG
        example = self._list(30 if long else 10, (10, 3) if long else (3, 1), rng, words)
        asked = self._list(size, (30, 3) if long else (6, 1), rng, words)
        solved = " ".join(f"{i}. {word}" for i, word in enumerate(example.answers, 1))
        return Question(f"{example.text}{example.beginning} {solved}\n{asked.text}", asked.beginning, asked.answers)

    def most(self, words: Words) -> int | None:
        """Until there are no more words."""
        return len(words.plain) - self._COMMON

    def _list(self, others: int, repeats: tuple[int, int], rng: Random, words: Words) -> Question:
        drawn = rng.sample(words.plain, self._COMMON + others)
        common = drawn[: self._COMMON]
        listed = common * repeats[0] + drawn[self._COMMON :] * repeats[1]
        rng.shuffle(listed)
        return Question(
            "Below is a numbered list of words. In these words, some appear more often than others. Memorize the ones that "
            "appear most often.\n"
            + " ".join(f"{i}. {word}" for i, word in enumerate(listed, 1))
            + "\nQuestion: What are the 10 most common words in the above list?",
            " Answer: The top 10 words that appear most often in the list are:",
            tuple(common),
        )


TASKS: dict[str, Task] = {task.name: task for task in (Needle(), MultiKey(), Variables(), CommonWords())}


def _different(count: int, draw: Callable[[], str]) -> list[str]:
    """So many different texts."""
    found: list[str] = []
    while len(found) < count:
        if (text := draw()) not in found:
            found.append(text)
    return found


def _key(rng: Random, words: Words) -> str:
    return f"{rng.choice(words.adjectives)}-{rng.choice(words.nouns)}"


def _number(rng: Random) -> str:
    return str(rng.randint(1_000_000, 9_999_999))
