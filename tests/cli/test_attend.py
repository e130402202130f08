"""`longra attend` as a process: the terminal's view, JSON, and the page."""

import json
import re
from pathlib import Path

import pytest
from running import Live, longra

from longra.cli import main

pytestmark = pytest.mark.usefixtures("default_installed")

SOURCE = (
    "The lamp was kept by Maud. The hotel burned down in 1950.\n\nA loaf <b>with</b> a candle is baked every January."
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_sentences_strips_and_passages(file: Path) -> None:
    ran = longra("attend", str(file), "--passage", " Maud kept it. It burned.")
    assert (ran.code, ran.err) == (0, "")
    first, second = ran.out.rstrip("\n").split("\n\n")
    assert first.startswith("1  Maud kept it.\n")
    assert second.startswith("2  It burned.\n")
    for part in (first, second):
        lines = part.splitlines()
        assert re.fullmatch(r"   \|[ ▁▂▃▄▅▆▇█]{64}\|", lines[1])
        assert "█" in lines[1]
        assert [line.split("%")[0].strip().isdigit() for line in lines[2:-1]] == [True, True]
        shares = [int(word) for word in re.findall(r"(\d+)%", lines[-1])]
        assert sum(shares) == pytest.approx(100, abs=3)


def test_json_and_page_say_the_same(file: Path, tmp_path: Path) -> None:
    page = tmp_path / "seen.html"
    ran = longra("attend", str(file), "--passage", " Maud kept it.", "--json", "--html", str(page))
    assert (ran.code, ran.err) == (0, f"wrote {page}\n")
    seen = json.loads(ran.out)
    assert "".join(seen["passages"]) == SOURCE
    (drawing,) = seen["drawings"]
    parts = drawing["passages"] + drawing["earlier"] + [drawing["own"], drawing["frame"], drawing["resting"]]
    assert sum(parts) == pytest.approx(1)
    html = page.read_text(encoding="utf-8")
    assert "<b>with</b>" not in html
    assert "&lt;b&gt;with&lt;/b&gt;" in html
    assert not re.search(r"(src|href)=|https?://", html)
    shares = json.loads(re.search(r'id="shares">(.*?)</script>', html, re.DOTALL)[1])  # type: ignore[index]
    assert shares == [pytest.approx(drawing["passages"], abs=1e-6)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("Who?", "--passage", "Maud."), "leave PROMPT away"),
        (("--preset", "nothing"), "there is no preset 'nothing'"),
        (("--html", "no/seen.html"), "there is no folder no; make it first"),
    ],
)
def test_errors(file: Path, words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attend", str(file), *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err


def test_ctrl_c_while_the_text_is_read_ends_with_130(tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text(" ".join(f"entry {i}" for i in range(1100)))
    with Live("attend", str(long), terminal=True) as run:
        run.until(r"read [\d,]+ of")
        run.interrupt()
        assert run.end() == 130
    assert "error" not in run.output
