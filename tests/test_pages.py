"""The pages that verbs write, opened in a browser: they fit wide and narrow windows, fetch nothing and fail nowhere."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from longra.attend.page import page as attend_page
from longra.attend.shares import Trace, attention
from longra.evaluate.document.measure import measure_text
from longra.evaluate.human.study import Study
from longra.evaluate.human.summary import summarise
from longra.evaluate.human.votes import Vote
from longra.evaluate.range.cells import Finding, grid
from longra.evaluate.range.page import range_page
from longra.evaluate.references import sacre
from longra.evaluate.report.corpus import corpus_page
from longra.evaluate.report.document import document_page
from longra.evaluate.report.human import human_page
from longra.evaluate.tune.figures import measure
from longra.evaluate.tune.grid import Cell
from longra.evaluate.tune.page import About, tune_page
from longra.evaluate.tune.run import Finished, Text
from longra.sampling import GenerationConfig

HOSTILE = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\"> & so on"


def attend() -> str:
    words = [f"{HOSTILE} {i}. ".encode() if i % 2 else f"第{i}句话。".encode() for i in range(12)]
    mass = np.tril(np.random.default_rng(1).random((12, 12)))[9:].astype(np.float32)
    source = b"".join(words[:9]).decode()
    return attend_page(attention(Trace([b"<s>", *words[1:]], 9, mass), source), "model, Longra")


def corpus() -> str:
    hypotheses, references = [f"word {i} {HOSTILE}" for i in range(9)], [[f"word {i + i % 2}"] for i in range(9)]
    score = sacre.measure(sacre.bleu("13a"), hypotheses, references, samples=40)
    return corpus_page(f"BLEU {HOSTILE}", [score], [], hypotheses, references, "it is English")


def document() -> str:
    return document_page(f"The text of {HOSTILE}", measure_text(f"It was late. {HOSTILE}\n\n" * 90, target=300))


def human() -> str:
    study = Study("pairwise", ("old", HOSTILE, "第三个系统"), (), 1)
    shown = [(study.systems[i], study.systems[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    votes = [
        Vote(rater, 3 * item + which, str(item), pair, "left" if (item + which) % 3 else "tie")
        for rater in ("Ann", HOSTILE)
        for item in range(8)
        for which, pair in enumerate(shown)
    ]
    return human_page(summarise(study, 24, votes), "zh")


def reach() -> str:
    cells = grid({"needle": True, "words": False}, [1000, 2000], depths=2, samples=2, seed=0)
    return range_page(
        [Finding(cell, float(cell.sample), ("x",), HOSTILE, 900, 0) for cell in cells], {"model": HOSTILE}
    )


def tune() -> str:
    config = GenerationConfig(seed=1)
    cells = []
    for number in (1, 2, 3):
        text = Text(f"{HOSTILE} It was late. " * number, "stop", 2, -2.0 / number)
        cells.append(measure(Finished(Cell(number, {"temperature": number / 2, "top_p": 1}, config), (text,))))
    return tune_page(cells, cells[0], About(HOSTILE, "model", 7, "top-k 40"))


@pytest.mark.parametrize("write", [attend, corpus, document, human, reach, tune])
def test_a_page(browser: Chrome, tmp_path: Path, write: Callable[[], str]) -> None:
    file = tmp_path / "page.html"
    file.write_text(write(), encoding="utf-8")
    browser.get_log("browser")
    for width in (1200, 390):
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(file.as_uri())
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert browser.find_element(By.TAG_NAME, "h1").text
        assert browser.title != "run"
        assert wide <= width, f"{width} wide, the page is {wide}"
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert fetched == []
    assert [entry["message"] for entry in browser.get_log("browser")] == []


def test_a_chosen_sentence_shades_what_it_drew_on(browser: Chrome, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(attend(), encoding="utf-8")
    browser.get(file.as_uri())

    def shades() -> list[str]:
        return [element.get_attribute("style") or "" for element in browser.find_elements(By.CLASS_NAME, "passage")]

    first = shades()
    assert any("rgba" in shade for shade in first)
    sentences = browser.find_elements(By.CLASS_NAME, "sentence")
    sentences[1].click()
    second = shades()
    assert second != first
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.ARROW_UP)
    assert shades() == first
    assert [sentence.get_attribute("aria-pressed") for sentence in sentences[:2]] == ["true", "false"]
