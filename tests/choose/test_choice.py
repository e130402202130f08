"""The rule by which models are ranked, and the laws that follow from it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longra.choose import DEFAULT_TASK, TASKS, Advice, Machine, Wish, choose
from longra.choose.explain import explained
from longra.choose.measured import MeasuredSpeed
from longra.errors import LongraError
from longra.library.catalogue import entries

ENTRIES = entries()
ALL = [*ENTRIES.values()]
LAPTOP = Machine(memory=8e9, bandwidth=20e9)
WISHES = st.builds(
    Wish,
    task=st.sampled_from([*TASKS]),
    context=st.none() | st.integers(1, 40_000),
    open_licence=st.booleans(),
    language=st.sampled_from([None, "en", "zh", "de"]),
    least_speed=st.floats(0, 40),
)
MACHINES = st.builds(Machine, memory=st.floats(2e8, 2e10), bandwidth=st.floats(5e9, 1e11))


def names(ranked: list[Advice]) -> list[str]:
    return [advice.entry.name for advice in ranked]


@given(WISHES, MACHINES)
def test_every_model_is_ranked_as_it_should_be_or_left_out(wish: Wish, machine: Machine) -> None:
    try:
        choice = choose(wish, machine, ALL)
    except LongraError:
        return
    ranked = choice.ranked
    assert sorted([*names(ranked), *(other.entry.name for other in choice.left_out)]) == sorted(ENTRIES)
    for advice in ranked:
        assert TASKS[wish.task].suits(advice.entry)
        assert advice.needs.total <= machine.memory
        assert advice.speed >= wish.least_speed
        assert advice.entry.is_open or not wish.open_licence
        assert wish.language is None or wish.language in advice.entry.languages
        assert wish.context is None or wish.context <= advice.entry.context
        assert advice.reason
    compared = [advice.figure.value for advice in ranked if advice.is_comparable and advice.figure]
    assert compared == sorted(compared, reverse=True)
    rest = [advice for advice in ranked if not advice.is_comparable]
    assert ranked[len(compared) :] == rest
    assert [a.entry.parameters for a in rest] == sorted((a.entry.parameters for a in rest), reverse=True)
    evaluators = {a.figure.reference.evaluator for a in ranked if a.is_comparable and a.figure}
    assert len(evaluators) <= 1


@given(WISHES, MACHINES, st.floats(1, 3))
def test_a_better_machine_loses_no_model(wish: Wish, machine: Machine, factor: float) -> None:
    try:
        before = set(names(choose(wish, machine, ALL).ranked))
    except LongraError:
        return
    better = Machine(machine.memory * factor, machine.bandwidth * factor)
    assert before <= set(names(choose(wish, better, ALL).ranked))


def test_the_most_exact_form_that_fits_and_is_fast_enough() -> None:
    def form(memory: float, least_speed: float = 0.0) -> str | None:
        wish = Wish("code", least_speed=least_speed)
        ranked = choose(wish, Machine(memory, 20e9), [ENTRIES["deepseek-coder-6.7b-instruct"]]).ranked
        return ranked[0].form.option

    assert (form(20e9), form(10e9), form(8e9)) == (None, "q8", "q4")
    assert form(20e9, least_speed=2) == "q8"


def test_the_cache_has_a_limit_of_its_own() -> None:
    entry, roomy = ENTRIES["phi-3.5-mini-instruct"], Machine(1e11, 2e10)
    wish = Wish(context=11_000)
    assert choose(wish, roomy, [entry]).ranked
    tight = replace(roomy, cache=4e9)  # 11,000 tokens take 4.3 GB
    with pytest.raises(LongraError, match="no model fits"):
        choose(wish, tight, [entry])
    assert "the cache may take 4 GB" in "\n".join(explained(entry, wish, tight, [entry]).lines())


def test_quality_decides_and_other_evaluators_do_not() -> None:
    ranked = choose(Wish("dialogue"), Machine(2e10, 2e10), ALL).ranked
    assert names(ranked)[:3] == ["qwen3-8b", "qwen3-4b", "llama-3.1-8b-instruct"]
    gemma = next(advice for advice in ranked if advice.entry.name == "gemma-3-1b-it")
    assert gemma.figure is not None
    assert gemma.figure.value == 54.5  # and not the 80.2 of its makers
    coder = choose(Wish("code"), Machine(2e10, 2e10), [ENTRIES["deepseek-coder-1.3b-instruct"]]).ranked[0].figure
    assert coder is not None
    assert (coder.value, coder.reference.evaluator) == (65.9, "Qwen team")  # and not the 65.2 of its makers
    llama = next(advice for advice in ranked if advice.entry.name == "llama-3.2-3b-instruct")
    assert llama.figure is not None
    assert not llama.is_comparable  # 77.4, by its makers


def test_a_measured_speed_is_taken_before_an_estimate() -> None:
    measured = tuple(MeasuredSpeed("qwen3-0.6b", None, at, speed, "2026-11-24") for at, speed in ((32, 31), (2048, 27)))
    speeds = {a.entry.name: a for a in choose(Wish(context=1500), replace(LAPTOP, speeds=measured), ALL).ranked}
    assert (speeds["qwen3-0.6b"].speed, speeds["qwen3-0.6b"].measured_at) == (27, 2048)
    assert speeds["qwen3-1.7b"].measured_at is None
    other_form = (MeasuredSpeed("qwen3-0.6b", "q4", 32, 99, "2026-11-24"),)
    assert choose(Wish(), replace(LAPTOP, speeds=other_form), [ENTRIES["qwen3-0.6b"]]).ranked[0].measured_at is None


@pytest.mark.parametrize(
    ("wish", "machine", "says"),
    [
        (Wish(), Machine(2e8, 1e10), r"no model fits into 200 MB at 4,096 tokens; the smallest, smollm2-135m-instruct"),
        (
            Wish(least_speed=500),
            LAPTOP,
            r"500 tokens a second here; the fastest, gemma-3-270m \(GGUF Q4_K_M, --weights q4\)",
        ),
        (Wish(context=1_000_000), LAPTOP, r"24 hold fewer tokens, 9 were not made for the task"),
        (Wish("translation", language="hi", open_licence=True), LAPTOP, r"do not know the language"),
    ],
)
def test_nothing_is_left(wish: Wish, machine: Machine, says: str) -> None:
    with pytest.raises(LongraError, match=says):
        choose(wish, machine, ALL)


def test_the_sums_are_told() -> None:
    told = explained(ENTRIES["qwen3-4b"], Wish(), LAPTOP, ALL)
    text = "\n".join(told.lines())
    assert "4,022,468,096 x 4.97 bits" in text
    assert "4,096 tokens x 36 layers x 8 heads x 256 numbers x 2 bytes" in text
    assert f"number {told.place} of {told.ranked} for {DEFAULT_TASK}, held as GGUF Q4_K_M" in text
    assert "IFEval 81.2 (strict prompt, without thinking): Qwen team, Qwen3 Technical Report" in text
    assert told.as_json()["forms"][0]["memory_bytes"]["cache"] == 4096 * 36 * 8 * 256 * 2


@pytest.mark.parametrize(
    ("name", "wish", "says"),
    [
        ("gpt2-xl", Wish("dialogue"), "left out for dialogue: it was not made for dialogue"),
        ("gemma-3-1b-it", Wish(open_licence=True), "Gemma is not an open-source licence"),
        ("mistral-7b-instruct-v0.3", Wish(language="zh"), "it knows en"),
        ("gpt2-xl", Wish(context=2048), "it holds 1,024 tokens"),
        ("gpt-j-6b", Wish(context=2000, least_speed=20), "it is too slow"),
        ("qwen3-8b", Wish(context=40_000), "it does not fit"),
    ],
)
def test_why_a_model_is_left_out(name: str, wish: Wish, says: str) -> None:
    assert says in explained(ENTRIES[name], wish, LAPTOP, ALL).verdict()
