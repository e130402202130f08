"""The prefix cache on a backend that notices every slip: with it, without it and with little room, the same text."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import VOCABULARY, ToyBackend, logits_after

from longra.backends.base import PAGE_TOKENS
from longra.engine import page_folder
from longra.engine.page_folder import PageFolder, page_files
from longra.engine.pages import PagePool
from longra.engine.prefix import PrefixCache
from longra.engine.sequence import Sequence

IDENTITY = b"i" * 16


@dataclass
class Runner:
    """Texts one after the other, each the likeliest, through a prefix cache."""

    pages: int = 64
    home: Path | None = None
    strict: bool = False
    limit: int | None = None
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.toy = ToyBackend()
        self.pool = PagePool(self.toy, self.pages)
        size = self.toy.page_bytes
        folder = None if self.home is None else PageFolder(self.home, IDENTITY, size, self.limit)
        self.cache = PrefixCache(self.pool, folder, self.strict, self.warnings.append)

    def begin(self, prompt: list[int]) -> tuple[Sequence, int]:
        """A prompt that is read, with its first token; how much of it was known."""
        sequence = Sequence(self.pool, prompt)
        self.cache.adopt(sequence)
        known = sequence.cached
        assert known < len(prompt)
        self.check(sequence)
        while sequence.cached < len(prompt):
            chunk = sequence.chunk(100, logits=1)
            rows = self.toy.step([chunk], "prefill")
            sequence.advance(len(chunk.tokens))
        self.cache.keep(sequence, whole=True)
        sequence.tokens.append(int(rows[-1].argmax()))
        return sequence, known

    def grow(self, sequence: Sequence, count: int) -> None:
        for _ in range(count):
            row = self.toy.step([sequence.chunk(1, logits=1)], "decode")[0]
            sequence.advance(1)
            sequence.tokens.append(int(row.argmax()))

    def end(self, sequence: Sequence) -> None:
        self.check(sequence)
        self.cache.keep(sequence)
        sequence.release()

    def run(self, prompt: list[int], count: int = 1) -> tuple[list[int], int]:
        """A prompt's text of `count` tokens, and how much of the prompt was known."""
        sequence, known = self.begin(prompt)
        self.grow(sequence, count - 1)
        self.end(sequence)
        return sequence.tokens[len(prompt) :], known

    def check(self, sequence: Sequence) -> None:
        """Pages hold what the sequence believes that they do."""
        for at, how in enumerate(sequence.made):
            page = self.toy.pages[sequence.pages[at // PAGE_TOKENS]]
            assert page[at % PAGE_TOKENS] == (sequence.tokens[at], ("prefill", "decode")[how])

    def close(self) -> None:
        """Nothing is held; what is remembered can be given back."""
        self.cache.flush()
        assert self.pool.used == 0
        self.cache.clear()
        assert len(self.cache) == 0
        assert self.home is not None or not any(root.children for root in self.cache._roots.values())
        taken = {self.pool.take() for _ in range(self.pages)}
        assert len(taken) == self.pages
        assert self.warnings == []


def fresh(prompt: list[int], count: int = 1) -> list[int]:
    """A text straight from the definition."""
    past = [(token, "prefill") for token in prompt]
    text: list[int] = []
    while len(text) < count:
        text.append(int(logits_after(past).argmax()))
        past.append((text[-1], "decode"))
    return text


def tokens(seed: int, count: int) -> list[int]:
    return [(seed * 31 + at * at) % VOCABULARY for at in range(count)]


@pytest.fixture(params=["memory", "disk"])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Runner:
    return Runner(home=tmp_path if request.param == "disk" else None)


class Again:
    """The same cache later: the same process, or a new one that has the disk only."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    def __call__(self) -> Runner:
        if self.runner.home is None:
            return self.runner
        self.runner.close()
        return Runner(home=self.runner.home, strict=self.runner.strict)


@pytest.fixture
def again(runner: Runner) -> Again:
    return Again(runner)


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65, 128, 300])
def test_a_second_run_reads_the_last_token_only(runner: Runner, again: Again, size: int) -> None:
    prompt = tokens(1, size)
    assert runner.run(prompt, 10) == (fresh(prompt, 10), 0)
    assert again().run(prompt, 10) == (fresh(prompt, 10), size - 1)


@pytest.mark.parametrize("grown", [1, 30, 64, 150])
def test_the_next_turn_reads_what_is_new(runner: Runner, again: Again, grown: int) -> None:
    prompt = tokens(1, 100)
    text, _ = runner.run(prompt, grown)
    later = again()
    _, known = later.run([*prompt, *text, *tokens(2, 20)])
    assert known == 100 + grown - 1  # the last token of a text is chosen, not read
    later.close()


def test_a_branch_reads_what_differs(runner: Runner, again: Again) -> None:
    one, other = tokens(1, 150) + tokens(2, 100), tokens(1, 150) + tokens(3, 100)
    assert runner.run(one, 5) == (fresh(one, 5), 0)
    same = 150 + next(at for at, (a, b) in enumerate(zip(tokens(2, 100), tokens(3, 100), strict=True)) if a != b)
    assert again().run(other, 5) == (fresh(other, 5), same)


def test_a_text_under_way_shares_the_whole_pages_of_its_prompt() -> None:
    runner = Runner()
    prompt = tokens(1, 150)
    first, _ = runner.begin(prompt)
    assert runner.run(prompt, 70) == (fresh(prompt, 70), 128)
    runner.grow(first, 69)
    assert first.tokens[150:] == fresh(prompt, 70)
    runner.end(first)
    runner.close()


def test_the_strict_way_takes_for_a_prompt_only_what_prefill_made(tmp_path: Path) -> None:
    for home in (None, tmp_path):
        runner = Runner(strict=True, home=home)
        prompt = tokens(1, 100)
        text, _ = runner.run(prompt, 90)
        turn = [*prompt, *text, 5, 6]
        assert runner.run(turn, 20) == (fresh(turn, 20), 100)
        assert runner.run(turn, 20) == (fresh(turn, 20), len(turn) - 1)
        runner.close()


@pytest.mark.parametrize("written_first", [True, False])
def test_of_equal_beginnings_the_one_that_prefill_made_is_taken(written_first: bool) -> None:
    runner = Runner(strict=True)
    prompt = tokens(1, 100)
    text = fresh(prompt, 90)
    runs = [(prompt, 90), ([*prompt, *text, 5, 6], 1)]
    for known, count in runs if written_first else reversed(runs):
        runner.run(known, count)
    runner.cache.strict = False
    other = [*prompt, *text[:-1], 9, 9, 9]  # both know all but the end of it
    assert runner.run(other, 20) == (fresh(other, 20), 189)


def test_the_pages_used_longest_ago_make_room() -> None:
    runner = Runner(pages=8)
    first, second = tokens(1, 190), tokens(2, 190)
    runner.run(first)
    runner.run(second)
    assert runner.run(first)[1] == 189  # used again, so that the second is older now
    runner.run(tokens(3, 190))
    assert runner.run(first)[1] == 189
    assert runner.run(second)[1] < 189
    runner.close()


def test_the_end_of_a_text_makes_room_before_its_beginning() -> None:
    runner = Runner(pages=8)
    prompt = tokens(1, 6 * PAGE_TOKENS)
    runner.run(prompt)
    runner.run(tokens(2, 4 * PAGE_TOKENS))
    assert runner.run(prompt)[1] >= 3 * PAGE_TOKENS


def test_what_is_remembered_never_keeps_a_text_from_growing() -> None:
    runner = Runner(pages=10)
    for seed in range(5):
        prompt = tokens(seed, 300)
        assert runner.run(prompt, 300)[0] == fresh(prompt, 300)
    runner.close()


def test_a_page_replaces_its_own_beginning(tmp_path: Path) -> None:
    runner = Runner(home=tmp_path)
    prompt = tokens(1, 10)
    for count in (1, 5, 20):
        runner.run(prompt, count)
        runner.cache.flush()
        assert len(runner.cache) == 1
        assert len(page_files(tmp_path)) == 1
    runner.run(prompt, 3)  # what is known already says more
    assert len(runner.cache) == 1
    runner.close()


def test_what_memory_has_lost_comes_from_disk(tmp_path: Path) -> None:
    runner = Runner(pages=8, home=tmp_path)
    prompts = [tokens(seed, 200) for seed in range(6)]
    for prompt in prompts:
        assert runner.run(prompt, 5) == (fresh(prompt, 5), 0)
        runner.cache.flush()
    for prompt in prompts:
        assert runner.run(prompt, 5) == (fresh(prompt, 5), 199)
    runner.close()


def test_a_damaged_file_is_read_anew_by_the_model(tmp_path: Path) -> None:
    runner = Runner(home=tmp_path)
    prompt = tokens(1, 300)
    runner.run(prompt, 5)
    runner.close()
    for file in page_files(tmp_path):
        data = bytearray(file.path.read_bytes())
        data[-40] ^= 1
        file.path.write_bytes(data)
    second = Runner(home=tmp_path)
    assert second.run(prompt, 5) == (fresh(prompt, 5), 0)
    second.close()
    assert Runner(home=tmp_path).run(prompt, 5) == (fresh(prompt, 5), 299)


def test_another_process_may_empty_the_cache(tmp_path: Path) -> None:
    runner = Runner(home=tmp_path, pages=8)
    prompt = tokens(1, 300)
    runner.run(prompt, 5)
    runner.cache.flush()
    page_folder.clear(tmp_path)
    assert runner.run(prompt, 5) == (fresh(prompt, 5), 299)  # memory has it
    runner.cache.flush()
    assert len(page_files(tmp_path)) == 5  # and so has the disk again
    page_folder.clear(tmp_path)
    runner.cache.clear()
    assert runner.run(prompt, 5) == (fresh(prompt, 5), 0)
    runner.close()


def test_a_disk_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    runner = Runner(home=tmp_path / "file")
    for seed in range(3):
        prompt = tokens(seed, 200)
        assert runner.run(prompt, 5)[0] == fresh(prompt, 5)
        runner.cache.flush()
    (warning,) = runner.warnings
    assert "the cache on disk cannot be written" in warning
    assert "--cache-dir none" in warning


def test_the_limit_of_the_disk_is_kept(tmp_path: Path) -> None:
    limit = 5000
    runner = Runner(home=tmp_path, limit=limit)
    for seed in range(20):
        runner.run(tokens(seed, 200))
        runner.cache.flush()
        assert sum(file.size for file in page_files(tmp_path)) <= limit
    assert Runner(home=tmp_path).run(tokens(19, 200))[1] == 199


@st.composite
def schedules(draw: st.DrawFn) -> list[tuple[int, int, int, int]]:
    """Prompts that begin as an earlier text does: (which, how much of it, new tokens, tokens to generate)."""
    part = st.tuples(st.integers(0, 5), st.integers(0, 260), st.integers(1, 100), st.integers(1, 70))
    return draw(st.lists(part, min_size=1, max_size=10))


@given(schedules(), st.integers(8, 20), st.booleans(), st.integers(2000, 20000), st.data())
@settings(max_examples=40)
def test_texts_are_the_same_with_and_without(
    tmp_path_factory: pytest.TempPathFactory,
    schedule: list[tuple[int, int, int, int]],
    pages: int,
    on_disk: bool,
    limit: int,
    data: st.DataObject,
) -> None:
    """Branches and turns, with room for a few texts only, in one process or several."""
    home = tmp_path_factory.mktemp("cache") if on_disk else None
    runner = Runner(pages, home, strict=True, limit=limit)
    texts: list[list[int]] = [[]]
    for number, (which, start, new, count) in enumerate(schedule):
        prompt = texts[which % len(texts)][:start] + tokens(number, new)
        text, _ = runner.run(prompt, count)
        assert text == fresh(prompt, count)
        texts.append([*prompt, *text])
        if on_disk and data.draw(st.booleans()):
            runner.close()
            runner = Runner(pages, home, strict=True, limit=limit)
    runner.close()


@given(schedules(), st.integers(14, 40), st.booleans())
@settings(max_examples=40)
def test_pages_hold_what_the_sequence_believes(
    tmp_path_factory: pytest.TempPathFactory,
    schedule: list[tuple[int, int, int, int]],
    pages: int,
    on_disk: bool,
) -> None:
    """Not strict, several texts under way at once: every token is in its place, made as is written down."""
    runner = Runner(pages, tmp_path_factory.mktemp("cache") if on_disk else None)
    under_way: list[tuple[Sequence, int]] = []
    texts: list[list[int]] = [[]]
    for number, (which, start, new, count) in enumerate(schedule):
        prompt = texts[which % len(texts)][:start] + tokens(number, new)
        if len(under_way) > 0 and 10 * (len(under_way) + 1) > pages:
            sequence, left = under_way.pop(0)
            runner.grow(sequence, left)
            runner.end(sequence)
            texts.append(sequence.tokens)
        under_way.append((runner.begin(prompt[:400])[0], min(count, 60)))
    for sequence, left in under_way:
        runner.grow(sequence, left)
        runner.end(sequence)
    runner.close()
