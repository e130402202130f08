"""The grid, the figures and the rule by which a set is suggested."""

import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longra.errors import UsageError
from longra.evaluate.document.repetition import distinct, rep
from longra.evaluate.tune.figures import Measured, measure, suggested
from longra.evaluate.tune.grid import DEFAULT_AXES, Cell, cells_of, preset_of, varied
from longra.evaluate.tune.page import About, tune_page
from longra.evaluate.tune.plot import tune_plot
from longra.evaluate.tune.run import Finished, Text, Wanted, known, run, work
from longra.loading import load
from longra.sampling import GenerationConfig
from longra.text.units import units_of

BASE = GenerationConfig(seed=1)
PROSE = "A quiet man with a red lamp walked over the old bridge while it rained, and nobody in town saw him go."


def finished(number: int, texts: list[str], logprob: float = -1.0, **values: float) -> Measured:
    """A cell that has written texts, each of three tokens with the same probability."""
    cell = Cell(number, values or {"temperature": number / 10}, BASE)
    return measure(Finished(cell, tuple(Text(text, "stop", 3, 3 * logprob) for text in texts)))


def test_the_usual_grid_is_small() -> None:
    cells = cells_of(DEFAULT_AXES, BASE)
    assert [cell.number for cell in cells] == list(range(1, 13))
    assert varied(cells) == ["temperature", "top_p", "repetition_penalty"]
    assert cells[0].config.temperature == 0.3
    assert cells[1].config.repetition_penalty == 1.1  # the last that varies comes first


@given(
    st.lists(st.sampled_from([0, 0.5, 1.0]), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
    st.lists(st.integers(1, 2), min_size=1, max_size=3),
)
def test_cells_are_all_combinations_each_once(temperatures: list[float], ks: list[int], lengths: list[int]) -> None:
    cells = cells_of({"temperature": temperatures, "top_k": ks, "max_tokens": lengths}, BASE)
    drawn = {(t, k, n) for t in temperatures if t for k in ks for n in lengths}
    greedy = {n for n in lengths if 0 in temperatures}
    assert len(cells) == len(drawn) + len(greedy)
    assert {tuple(cell.values.values()) for cell in cells if cell.values["temperature"]} == drawn


def test_grids_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="more than 64 cells"):
        cells_of({"temperature": [i / 100 for i in range(1, 66)]}, BASE)
    with pytest.raises(UsageError, match="top_p is 2"):
        cells_of({"top_p": [0.5, 2]}, BASE)


def test_a_preset_has_what_the_cell_has_but_not_its_seed() -> None:
    base = GenerationConfig(seed=5, num_sequences=3, dry_multiplier=0.8, stop=("###",))
    cell = cells_of({"temperature": [0.7], "top_k": [40]}, base)[0]
    preset = preset_of("story", cell, "two\nlines")
    assert preset.values == {"temperature": 0.7, "top_k": 40, "dry_multiplier": 0.8, "stop": ("###",)}
    assert preset.about == "two lines"


def test_figures_are_means_of_the_texts() -> None:
    texts = [PROSE, "the same the same the same the same"]
    figures = finished(1, texts, logprob=-2.0).figures
    words = [[unit.key for unit in units_of(text)] for text in texts]
    assert figures.repetition["distinct_2"] == pytest.approx(sum(distinct(w, 2) for w in words) / 2)
    assert figures.repetition["rep_4"] == pytest.approx(sum(rep(w, 4) for w in words) / 2)
    assert figures.length == (22 + 8) / 2
    assert figures.mean_logprob == -2.0
    assert figures.perplexity == pytest.approx(math.e**2)
    assert "rep_4" in figures.beyond
    assert finished(1, [PROSE]).figures.beyond == ()
    assert finished(1, ["今天下雨，我们在家里读书。"]).figures.unit == "characters"


def test_the_rule() -> None:
    loop = "the same the same the same the same"
    cells = [
        finished(1, [loop], -0.1),
        finished(2, [PROSE, loop], -0.2),
        finished(3, [PROSE], -2),
        finished(4, [PROSE], -1),
    ]
    assert suggested(cells) is cells[3]
    assert suggested(cells[:2]) is None
    assert suggested([finished(1, ["..."], -0.1)]) is None  # no words, no suggestion


def test_plot_and_page() -> None:
    cells = [
        finished(1, [PROSE, "<b>again</b>"], -1.5, temperature=0.5, top_p=1),
        finished(2, ["same same same same same same"], -0.2, temperature=1, top_p=1),
        finished(3, ["…"], -3, temperature=2, top_p=1),
    ]
    plot = tune_plot(cells, cells[0], "a & b")
    assert "a &amp; b" in plot
    assert len(re.findall(r'class="suggested"', plot)) == 2  # one a panel
    assert len(re.findall(r'<circle class="beyond"[^/]*><title>2: temperature 1, top-p 1', plot)) == 2
    assert "3: temperature" not in plot  # it has no words
    page = tune_page(cells, cells[0], About("Tell <me>", "model", 7, "top-k 40"))
    assert "&lt;b&gt;again&lt;/b&gt;" in page
    assert "Tell &lt;me&gt;" in page
    assert page.count('class="cell best"') == 1
    assert "likelihood is not quality" in page
    assert not re.search(r"<script|https?://(?!www\.w3\.org)|src=|url\(", page)
    assert "同一提示，不同设置" in tune_page(cells, None, About("讲一个鬼故事。", "model", 7, "top-k 40"))
    tune_plot([cells[2]], None, "nothing to draw")
    tune_plot([cells[0]], None, "one point")


def test_cells_run_together_and_write_what_they_write_alone(smollm2: Path) -> None:
    model = load(smollm2, threads=1, cache_dir="none")
    base = GenerationConfig(seed=3, num_sequences=2)
    cells = cells_of({"temperature": [0, 0.9], "max_tokens": [6, 9]}, base)
    told: list[int] = []
    ended = sorted(run(model, Wanted("The river", False), cells, told.append), key=lambda cell: cell.cell.number)
    assert [cell.cell.number for cell in ended] == [1, 2, 3, 4]
    assert min(told) >= 0
    assert sum(told) == work(cells)
    alone = model.generate("The river", cells[3].config, chat=False)
    assert [text.text for text in ended[3].texts] == [sequence.text for sequence in alone.sequences]
    first = model.generate("The river", cells[0].config, chat=False)
    scored = model.score([*model.encode("The river", chat=False), *first.token_ids])
    logs = [log for _, log in scored[-6:] if log is not None]
    assert ended[0].texts[0].tokens == 6
    assert ended[0].texts[0].logprob == pytest.approx(sum(logs), abs=0.3)  # prefill's and decode's last bits differ


def test_rows_of_a_journal_are_the_cells_again() -> None:
    cells = cells_of({"temperature": [0.5, 1], "max_tokens": [6]}, BASE)
    finished = [Finished(cell, (Text(f"text {cell.number}", "stop", 3, -1.5),)) for cell in cells]
    rows = json.loads(json.dumps([cell.as_row() for cell in finished]))
    assert known(rows, cells) == finished
    assert known(rows[1:], cells) == finished[1:]
    others = cells_of({"temperature": [0.7], "max_tokens": [6]}, BASE)
    assert known(rows, others) == []
