"""`longra evaluate` as users type it."""

import json
import re
from pathlib import Path

import pytest
from running import longra, process

from longra.cli import main
from longra.cli.evaluate import VERBS

HYPOTHESES = ["The cat sat on the mat.", "A dog barked.", "Hello there world", "It is <b>late</b> & dark."] * 5
REFERENCES = ["The cat sat on a mat.", "The dog barked loudly.", "Hello there, world!", "It is <b>late</b> & dark."] * 5
BASELINE = ["The cat on mat.", "A dog.", "Hello world", "Late."] * 5


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, lines in {"h.txt": HYPOTHESES, "r.txt": REFERENCES, "b.txt": BASELINE}.items():
        Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def run(*words: str) -> int:
    return main(["evaluate", *words])


def test_help_lists_the_measures_and_each_has_an_example() -> None:
    shown = longra("evaluate", "--help").out
    assert longra("evaluate").out == shown
    for verb in VERBS:
        assert f"  {verb} " in shown
        assert "Example" in longra("evaluate", verb, "--help").out


def test_help_brings_no_measure_in() -> None:
    ran = process("evaluate", "--help", PYTHONPROFILEIMPORTTIME="1")
    assert "typer" in ran.err
    assert not re.search(r"sacrebleu|numpy|rjieba|longra\.cli\.evaluate\.", ran.err)


def test_a_wrong_measure() -> None:
    ran = longra("evaluate", "blue", "h.txt", "r.txt")
    assert (ran.code, ran.err) == (2, "error: there is no verb 'blue'; did you mean `longra evaluate bleu`?\n")


def test_bleu_says_all_that_it_depends_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("bleu", "h.txt", "r.txt") == 0
    out, err = capsys.readouterr()
    signature = "nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:"
    assert out.startswith(f"BLEU|{signature}")
    assert err == "tokenizer 13a: the references have spaces between words\n"


def test_chosen_tokenizers_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("bleu", "h.txt", "r.txt", "--tokenize", "intl", "--bootstrap", "0") == 0
    assert run("rouge", "h.txt", "r.txt", "--tokenize", "word", "--bootstrap", "0") == 0
    out, err = capsys.readouterr()
    assert "|tok:intl|" in out
    assert re.search(r"ROUGE-1\|nrefs:1\|case:lc\|stem:no\|tok:word-rjieba-[\d.]+\|sent:newline\+cjk\|", out)
    assert "μ" not in out
    assert err == ""


def test_chrf_with_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("chrf", "h.txt", "r.txt", "--word-order", "2") == 0
    assert capsys.readouterr().out.startswith("chrF2++|nrefs:1|")


def test_few_segments_say_little(capsys: pytest.CaptureFixture[str]) -> None:
    for name, lines in {"h3.txt": HYPOTHESES, "r3.txt": REFERENCES, "b3.txt": BASELINE}.items():
        Path(name).write_text("\n".join(lines[:3]) + "\n", encoding="utf-8")
    assert run("chrf", "h3.txt", "r3.txt", "--baseline", "b3.txt") == 0
    assert "warning: 3 segments say little about a difference" in capsys.readouterr().err
    assert run("chrf", "h.txt", "r.txt", "--baseline", "b.txt") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("measure", ["bleu", "chrf", "rouge"])
def test_a_baseline(measure: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(measure, "h.txt", "r.txt", "--baseline", "b.txt", "--json") == 0
    (test, *_) = json.loads(capsys.readouterr().out)["comparisons"]
    assert test["system"] > test["baseline"]
    assert test["p_value"] < 0.01
    assert "ar:10000" in test["signature"]
    assert run(measure, "h.txt", "r.txt", "--baseline", "b.txt", "--test", "bootstrap") == 0
    assert re.search(r"BASELINE +SYSTEM +DIFFERENCE +P-VALUE .*bs:1000", capsys.readouterr().out, re.DOTALL)


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rouge", "h.txt", "r.txt", "b.txt", "--json", "--segments") == 0
    shown = json.loads(capsys.readouterr().out)
    assert list(shown) == ["count", "tokenizer", "tokenizer_reason", "scores", "comparisons", "segments", "generated"]
    assert [score["name"] for score in shown["scores"]] == ["ROUGE-1", "ROUGE-2", "ROUGE-L", "ROUGE-Lsum"]
    assert list(shown["scores"][0]) == ["name", "value", "interval", "signature", "line", "details"]
    assert shown["scores"][0]["signature"].startswith("nrefs:2|bs:1000|seed:12345|")
    assert shown["segments"][1]["hypothesis"] == "A dog barked."
    assert shown["segments"][1]["references"] == ["The dog barked loudly.", "A dog."]
    mean = sum(segment["scores"]["ROUGE-2"] for segment in shown["segments"]) / shown["count"]
    assert shown["scores"][1]["value"] == pytest.approx(mean)


def test_segments(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("bleu", "h.txt", "r.txt", "--segments") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["SEGMENT", "BLEU", "HYPOTHESIS"]
    assert lines[4].split() == ["4", "100.00", *HYPOTHESES[3].split()]


def test_standard_input() -> None:
    ran = longra("evaluate", "bleu", "-", "r.txt", stdin="\n".join(REFERENCES))
    assert " = 100.00 (" in ran.out


def test_empty_hypotheses_are_told() -> None:
    ran = longra("evaluate", "bleu", "-", "r.txt", "--bootstrap", "0", stdin="\n \n" + "\n".join(REFERENCES[2:]))
    assert "warning: 2 of 20 hypotheses are empty\n" in ran.err


def test_one_segment_has_no_interval(capsys: pytest.CaptureFixture[str]) -> None:
    Path("one.txt").write_text("今天下雨。\n", encoding="utf-8")
    assert run("bleu", "one.txt", "one.txt") == 0
    out, err = capsys.readouterr()
    assert "|tok:zh|" in out
    assert "±" not in out
    assert err == "tokenizer zh: the references are in Chinese\n"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("bleu", "h.txt", "short.txt"), 1, "short.txt has 1 segment and the hypotheses have 20"),
        (("bleu", "h.txt", "r.txt", "--baseline", "short.txt"), 1, "short.txt has 1 segment"),
        (("chrf", "short.txt", "short.txt", "--baseline", "short.txt"), 2, "needs 2 segments or more"),
        (("bleu", "h.txt"), 2, "Missing argument 'REF...'"),
        (("rouge", "-", "-"), 2, "standard input (-) can be read once"),
        (("rouge", "h.txt", "r.txt", "--bootstrap", "10"), 2, "--bootstrap 10 is too few"),
        (("chrf", "h.txt", "r.txt", "--test", "bootstrap"), 2, "--test bootstrap has nothing to compare with"),
        (("rouge", "h.txt", "r.txt", "--test", "t"), 2, "Invalid value for '--test': 't' is not one of"),
        (("bleu", "h.txt", "r.txt", "--tokenize", "jp"), 2, "no tokenizer 'jp'"),
        (("bleu", "h.txt", "r.txt", "--html", "no/page.html"), 2, "cannot write no/page.html: there is no folder no"),
    ],
)
def test_errors(words: tuple[str, ...], code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("short.txt").write_text("one line\n", encoding="utf-8")
    assert run(*words) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert says in err


def test_the_page_shows_the_worst_first_and_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("bleu", "h.txt", "r.txt", "--baseline", "b.txt", "--html", "page.html") == 0
    assert capsys.readouterr().err.startswith("page.html: written\n")
    page = Path("page.html").read_text(encoding="utf-8")
    assert "It is &lt;b&gt;late&lt;/b&gt; &amp; dark." in page
    assert page.index("A dog barked.") < page.index("Hello there world") < page.index("The cat sat on the mat.")
    assert len(re.findall(r'<rect class="bar"', page)) == len({"27", "32", "48", "100"})
    assert not re.search(r"<script|https?://|src=|url\(", page)
    assert "nrefs:1|ar:10000|" in page


STORY = (
    "# Story\n\n"
    + "\n\n".join(
        f"On day {day} the {who} went to the {place} and found {day * 7} stones."
        for day in range(1, 30)
        for who, place in [("miller", "river"), ("smith", "hill")]
    )
    + "\n\nThen all of them came back again. "
    + "They sat down and ate. " * 40
    + "They sat"
)


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    Path("story.md").write_text(STORY, encoding="utf-8")
    assert run("text", "story.md", "--target-length", "3000") == 0
    out, err = capsys.readouterr()
    assert err == ""
    length, _, table = out.partition("\n\n")
    assert re.fullmatch(r"[\d,]+ words of 3,000 asked for: S_l [\d.]+; \d windows, \d sections?", length)
    assert re.search(r"^rep_4 +[\d.]+ +[\d.]+ +<= 0.08  !  [▁▂▃▄▅▆▇█]+$", table, re.MULTILINE)
    assert "\n! repeated in window" in table
    assert "S_l falls below 80" in table


def test_text_as_json_and_from_a_pipe() -> None:
    ran = longra("evaluate", "text", "--json", stdin="今天下雨。" * 30)
    shown = json.loads(ran.out)
    assert list(shown) == [
        *("unit", "length", "target", "length_score", "code_characters"),
        *("sections", "windows", "measures", "flags"),
    ]
    assert (shown["unit"], shown["length"], shown["target"]) == ("characters", 120, None)
    assert list(shown["measures"][0]) == ["name", "whole", "curve", "limit", "above_is_bad"]
    assert list(shown["flags"][0]) == ["measure", "value", "limit", "windows", "reason"]
    assert list(shown["windows"][0]) == ["start", "end", "line", "units"]


def test_text_as_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    Path("story.md").write_text(STORY, encoding="utf-8")
    assert run("text", "story.md", "--html", "page.html") == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.count("<polyline") == 10
    assert 'class="dot over"' in page
    assert not re.search(r"<script|https?://|src=|url\(", page)
    assert capsys.readouterr().err == "page.html: written\n"


def test_a_byte_order_mark_is_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for mark in ("", "\ufeff"):
        Path("story.md").write_text(mark + STORY, encoding="utf-8")
        run("text", "story.md", "--json")
        found.append(capsys.readouterr().out)
    assert found[0] == found[1].replace("\ufeff", "")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("text", "none.txt"), 1, "cannot read none.txt"),
        (("text", "marks.txt"), 1, "the text has no words"),
        (("text", "h.txt", "--target-length", "0"), 2, "--target-length"),
        (("text", "h.txt", "--encoding", "utf-9"), 2, "there is no encoding 'utf-9'"),
    ],
)
def test_errors_of_text(words: tuple[str, ...], code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("marks.txt").write_text("...\n", encoding="utf-8")
    assert run(*words) == code
    assert says in capsys.readouterr().err
