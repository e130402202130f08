"""What a model is asked for a segment, how often, and what is taken."""

import json
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, in_turn, last, pairs

from longra.tasks.translation import Glossary, Term
from longra.tasks.translation.context import CHARACTERS, KEPT_CHARACTERS, KEPT_PAIRS, PAIRS, Pair, window
from longra.tasks.translation.formats import read_document
from longra.tasks.translation.journal import Journal
from longra.tasks.translation.run import outcomes_of, unwatched
from longra.tasks.translation.translator import TRIES, Outcome, StoppedError

HEART = Glossary([Term("heart failure", "心力衰竭")])


def test_a_good_translation_is_taken_at_once() -> None:
    translator = Scripted(in_turn("Translation: 你好，{name}！"))
    assert translator.translate("Hello, {name}!") == Outcome("你好，{name}！")
    ((prompt, config),) = translator.asked
    assert [message["role"] for message in prompt] == ["system", "user"]
    assert (config.temperature, config.seed, config.max_tokens) == (0, 0, 64 + 6 * len("Hello, {name}!"))


def test_a_lost_placeholder_is_asked_for_by_number_and_then_drawn() -> None:
    translator = Scripted(in_turn("你好！", "你好，{2}！", "{1}，你好！"))
    assert translator.translate("Hello, %(name)s!") == Outcome("%(name)s，你好！", (), 3)
    assert [last(prompt) for prompt, _ in translator.asked] == ["Hello, %(name)s!", "Hello, {1}!", "Hello, {1}!"]
    assert "must have: {1}" in str(translator.asked[1][0])
    assert [(config.temperature, config.seed) for _, config in translator.asked] == [(0, 0), (0, 0), (0.6, 2)]


def test_what_loses_placeholders_each_time_stays_and_is_told() -> None:
    outcome = Scripted(in_turn("你好！", "你好", "你好啊")).translate("Hello, %s!")
    assert (outcome.text, outcome.tries, outcome.rejected) == (None, TRIES, "你好！")
    assert [(problem.kind, problem.message) for problem in outcome.problems] == [("placeholder", "%s was lost")]


def test_a_missing_term_is_asked_for_again_and_then_reported() -> None:
    translator = Scripted(in_turn("心脏病", "心脏病。", "心脏病"), HEART)
    outcome = translator.translate("Heart failure")
    assert outcome.text == "心脏病"
    assert [problem.message for problem in outcome.problems] == ["'心力衰竭' for 'heart failure' is missing"]
    assert all("heart failure = 心力衰竭" in str(prompt) for prompt, _ in translator.asked)
    assert "must have: 心力衰竭" in str(translator.asked[1][0])
    assert Scripted(in_turn("心脏病", "心力衰竭"), HEART).translate("Heart failure") == Outcome("心力衰竭", (), 2)


def test_the_best_of_bad_tries_is_taken() -> None:
    outcome = Scripted(in_turn("你<cut>", "你好\n\n世界", ""), HEART).translate("Hello to the world")
    assert (outcome.text, [problem.kind for problem in outcome.problems]) == ("你好 世界", ["lines"])


def test_spaces_between_scripts_are_tidied() -> None:
    assert Scripted(in_turn("在CPU上运行,不用GPU。")).translate("It runs on a CPU").text == "在 CPU 上运行，不用 GPU。"


def test_a_conversation_begins_with_the_one_before_it() -> None:
    translator = Scripted(lambda _: "好", HEART)
    before, context = pairs("Heart failure.", "Second.")[0:1], pairs("Heart failure.", "Second.")
    translator.translate("Second.", before)
    translator.translate("Third.", context)
    first, second = (prompt for prompt, _ in translator.asked)
    assert list(second[: len(first)]) == list(first)
    assert second[len(first)] == {"role": "assistant", "content": "译Second."}


def test_a_base_model_reads_examples_context_and_terms_as_pairs() -> None:
    translator = Scripted(in_turn("心力衰竭"), HEART, chat=False)
    translator.translate("Heart failure", pairs("One."))
    prompt, config = translator.asked[0]
    assert isinstance(prompt, str)
    assert prompt.startswith("English: Good morning, {name}!\nChinese: 早上好，{name}！\n\n")
    assert prompt.endswith(
        "English: One.\nChinese: 译One.\n\nEnglish: heart failure\nChinese: 心力衰竭\n\nEnglish: Heart failure\nChinese:"
    )
    assert config.stop == ("\n",)


SENTENCES = st.lists(st.integers(1, 1500).map(lambda size: Pair("s" * size, "t")), max_size=30)


@given(SENTENCES)
def test_the_window_is_bounded_and_slides_in_leaps(said: list[Pair]) -> None:
    shown = [window(said[:count]) for count in range(len(said) + 1)]
    for count, now in enumerate(shown):
        assert list(now) == said[count - len(now) : count]
        assert len(now) <= PAIRS
        assert sum(len(pair.source) + len(pair.target) for pair in now) <= CHARACTERS
    for before, now in pairwise(shown):
        if len(now) != len(before) + 1:  # not the last prompt and one more: then there is room for some time
            assert len(now) <= KEPT_PAIRS
            assert sum(len(pair.source) + len(pair.target) for pair in now) <= KEPT_CHARACTERS


def test_the_key_changes_with_all_that_the_outcome_depends_on() -> None:
    def key(text: str = "A b.", count: int = 1, glossary: Glossary | None = None, **given: object) -> str:
        return Scripted(in_turn(), glossary, **given).key(text, pairs("One.", "Two.")[:count])

    keys = [
        key(),
        key("A c."),
        key(count=2),
        key(seed=1),
        key(temperature=0.5),
        key(max_tokens=512),
        key(glossary=Glossary([Term("b", "乙")])),
        key(chat=False),
    ]
    assert len(set(keys)) == len(keys)
    assert key(glossary=HEART) == key()


def test_a_journal_gives_back_what_it_got(tmp_path: Path) -> None:
    path = tmp_path / "out.journal"
    outcomes = {"a": Outcome("你好"), "b": Scripted(in_turn("x", "x", "x")).translate("Hello, %s and more")}
    journal = Journal(path)
    for key, outcome in outcomes.items():
        journal.put(key, outcome)
    again = Journal(path)
    assert {key: again.get(key) for key in "abc"} == {**outcomes, "c": None}
    journal.close()
    again.remove()
    assert not path.exists()


def test_a_line_that_a_crash_has_torn_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "j"
    for key in "ab":
        journal = Journal(path)
        journal.put(key, Outcome("译文"))
        journal.close()
        path.write_bytes(path.read_bytes()[:-3] if key == "a" else path.read_bytes())
    assert [Journal(path).get(key) for key in "ab"] == [None, Outcome("译文")]


@given(st.integers(0, 200), st.binary(max_size=20))
def test_a_damaged_line_costs_itself_alone(tmp_path_factory: pytest.TempPathFactory, at: int, junk: bytes) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    journal = Journal(path)
    for key in "abc":
        journal.put(key, Outcome(f"译文{key}"))
    journal.close()
    data = path.read_bytes()
    path.write_bytes(data[:at] + b"\n" + junk.replace(b"\n", b"") + b"\n" + data[at:])
    damaged = Journal(path)
    found = [key for key in "abc" if damaged.get(key) == Outcome(f"译文{key}")]
    assert len(found) >= 2
    assert len(damaged) == len(found)
    damaged.put("d", Outcome("丁"))
    damaged.close()
    assert Journal(path).get("d") == Outcome("丁")


TEXT = "".join(f"Sentence number {i} is here. Then {{x{i}}} comes.\n\n" for i in range(45))


def translated(translator: Scripted, journal: Journal) -> list[Outcome]:
    document = read_document(TEXT, "txt", lambda _: True)
    return list(outcomes_of(document, translator, journal, unwatched))


def test_outcomes_come_in_order_and_each_with_the_one_before_in_sight() -> None:
    translator = Scripted("译{}".format)
    outcomes = translated(translator, Journal())
    assert [outcome.text for outcome in outcomes[2:4]] == ["译 Sentence number 1 is here.", "译 Then {x1} comes."]
    assert len(outcomes) == 90
    sizes = sorted(len(prompt) for prompt, _ in translator.asked)
    assert sizes[:6] == [2, 2, 2, 2, 2, 4]  # five chains, and what comes second in the first of them
    assert max(sizes) <= 2 + 2 * PAIRS


@pytest.mark.parametrize("bad", ["没有\n没有", ""])
def test_a_bad_translation_is_no_example(bad: str) -> None:
    translator = Scripted(lambda text: bad if " number 0 " in text else f"译{text}")
    outcomes = translated(translator, Journal())
    assert outcomes[0].problems
    following = [prompt for prompt, _ in translator.asked if last(prompt) == "Then {x0} comes."]
    assert [len(prompt) for prompt in following] == [2]
    assert all("没有" not in str(prompt) for prompt, _ in translator.asked)


def test_only_what_changed_is_asked_again() -> None:
    journal = Journal()
    translated(Scripted("译{}".format), journal)
    again = Scripted(lambda _: "没有")
    assert len(translated(again, journal)) == 90
    assert again.asked == []


def test_stopping_ends_all_chains_and_keeps_what_is_done() -> None:
    journal = Journal()
    enough = threading.Event()

    def answer(text: str) -> str:
        if len(journal) > 30:
            enough.set()
        return f"译{text}"

    translator = Scripted(answer)
    outcomes = outcomes_of(read_document(TEXT, "txt", lambda _: True), translator, journal, unwatched)
    next(outcomes)
    enough.wait(10)
    outcomes.close()
    asked = len(translator.asked)
    assert 30 < len(journal) <= asked <= 90
    with pytest.raises(StoppedError):
        translator.translate("More.")
    assert len(translator.asked) == asked


def test_an_error_in_a_thread_is_raised_to_who_waits() -> None:
    def answer(text: str) -> str:
        raise ValueError(f"broken: {text}")

    with pytest.raises(ValueError, match="broken"):
        translated(Scripted(answer), Journal())


def test_the_journal_is_lines_of_json(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.put("k", Outcome("你好", tries=2))
    journal.close()
    (line,) = filter(None, (tmp_path / "j").read_text(encoding="utf-8").split("\n"))
    assert json.loads(line) == {"key": "k", "text": "你好", "problems": [], "tries": 2, "rejected": None}
