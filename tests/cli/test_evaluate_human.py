"""`longra evaluate human` as users type it."""

import csv
import http.client
import json
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from running import Live, longra

from longra.cli import main
from longra.evaluate.human.votes import VoteFile

ITEMS = 30


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("old", "new"):
        lines = [json.dumps({"id": i, "prompt": f"p{i}", "text": f"{name} {i}"}) for i in range(ITEMS)]
        Path(f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")


def run(*words: str) -> int:
    return main(["evaluate", "human", *words])


def link_of(live: Live) -> str:
    found = re.search(r"^http://127\.0\.0\.1:\d+/\S+/$", live.until(r"Open the link"), re.MULTILINE)
    assert found is not None
    return found[0]


def post(link: str, rater: str, task: int, answer: str) -> int:
    """The vote's number, once it is said to be saved."""
    address = urlsplit(link)
    connection = http.client.HTTPConnection(address.netloc, timeout=20)
    body = json.dumps({"rater": rater, "task": task, "answer": answer})
    connection.request("POST", f"{address.path}votes", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    found: dict[str, int] = json.loads(response.read())
    connection.close()
    return found["saved"]


def test_two_servers_votes_ctrl_c_and_a_report() -> None:
    with Live("evaluate", "human", "old.jsonl", "new.jsonl", "--seed", "5") as one:
        first = link_of(one)
        assert "old, new: 30 questions a rater, seed 5" in one.output
        with Live("evaluate", "human") as other:
            second = link_of(other)
            with ThreadPoolExecutor(2) as pool:
                saved = list(
                    pool.map(
                        lambda task: post(
                            (first, second)[task % 2], ("Ann", "李雷")[task // ITEMS], task % ITEMS, "left"
                        ),
                        range(2 * ITEMS),
                    )
                )
            assert sorted(saved) == list(range(1, 2 * ITEMS + 1))
            other.interrupt()
            assert other.end() == 130
        one.interrupt()
        assert one.end() == 130
        assert "60 votes of 2 people are in votes.db" in one.output
        assert "longra evaluate human --report --db votes.db" in one.output
    ran = longra("evaluate", "human", "--report")
    assert ran.err == ""
    assert ran.out.startswith("60 votes by 2 people on 30 items. Seed 5.\n\nSYSTEM ")
    assert "Of the votes for one side 100.0 % went to the left one." in ran.out


def test_no_vote_that_was_called_saved_is_lost_when_the_server_is_killed() -> None:
    saved: dict[int, tuple[str, int]] = {}

    def vote_on(rater: str) -> None:
        for task in range(ITEMS * 100):
            try:
                saved[post(link, rater, task % ITEMS, "tie")] = (rater, task % ITEMS)
            except (OSError, http.client.HTTPException):
                return

    with Live("evaluate", "human", "old.jsonl", "new.jsonl") as live:
        link = link_of(live)
        with ThreadPoolExecutor(4) as pool:
            for rater in ("Ann", "Bo", "Cy", "Di"):
                pool.submit(vote_on, rater)
            while len(saved) < 40:
                time.sleep(0.001)
            live.kill()
    with sqlite3.connect("votes.db") as db:
        kept = {number: (rater, task) for number, rater, task in db.execute("SELECT number, rater, task FROM votes")}
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    assert len(saved) >= 40
    assert saved.items() <= kept.items()
    assert len(kept) <= len(saved) + 4, "what was under way, one vote a rater"
    assert VoteFile(Path("votes.db")).latest()


@pytest.fixture
def voted() -> Path:
    """A file with votes of two raters."""
    assert run_served("old.jsonl", "new.jsonl", "--seed", "1")
    return Path("votes.db")


def run_served(*words: str) -> int:
    """Three votes through the page's own address."""
    with Live("evaluate", "human", *words) as live:
        link = link_of(live)
        post(link, "Ann", 0, "left")
        post(link, "Ann", 1, "both_bad")
        return post(link, "Bo", 0, "tie")


def test_the_report_in_all_its_forms(voted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert voted.exists()
    assert run("--report", "--json", "--html", "page.html", "--language", "zh") == 0
    out, err = capsys.readouterr()
    shown = json.loads(out)
    assert list(shown) == [
        *("mode", "systems", "criteria", "seed", "items", "votes", "questions", "left", "standings", "pairs", "rated"),
        *("agreement", "couples", "raters", "notes"),
    ]
    assert (shown["systems"], shown["votes"], shown["items"], shown["seed"]) == (["old", "new"], 3, 2, 1)
    assert list(shown["standings"][0]) == [
        *("system", "votes", "wins", "losses", "ties", "both_bad", "win_rate", "score"),
    ]
    assert list(shown["standings"][0]["win_rate"]) == ["value", "low", "high"]
    assert err.splitlines() == ["page.html: written", *(f"warning: {note}" for note in shown["notes"])]
    assert shown["notes"][0].startswith("2 items judged is few")
    assert "<h1>人工评价：old, new</h1>" in Path("page.html").read_text(encoding="utf-8")

    assert run("--report", "--csv") == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    rates = {row["name"]: float(row["value"]) for row in rows if row["figure"] == "win_rate" and not row["other"]}
    assert rates == {row["system"]: row["win_rate"]["value"] for row in shown["standings"]}
    assert {row["figure"] for row in rows} >= {"score", "alpha", "kappa", "agrees", "left", "both_bad"}


def test_what_is_left_out_is_told() -> None:
    Path("short.jsonl").write_text('{"id": 3, "text": "x"}\n', encoding="utf-8")
    with Live("evaluate", "human", "old.jsonl", "short.jsonl", "--mode", "rating", "--criteria", "韵味") as live:
        link_of(live)
        assert "warning: short lacks 29 of 30 items, which are left out: 0, 1, 2, 3, 4 and" not in live.output
        assert "warning: short lacks 29 of 30 items, which are left out: 0, 1, 2, 4, 5 and 24 more" in live.output
        assert "old, short: 2 questions a rater" in live.output


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 2, "there is no study in votes.db to go on with; give the files to judge"),
        (("old.jsonl",), 2, "pairs need the outputs of 2 systems or more"),
        (("old.jsonl", "none.jsonl"), 1, "cannot read none.jsonl"),
        (("old.jsonl", "new.jsonl", "--criteria", "a,,b"), 2, "must be different names with commas"),
        (("old.jsonl", "new.jsonl", "--mode", "rating", "--criteria", "a,a"), 2, "must be different names"),
        (("old.jsonl", "new.jsonl", "--mode", "pairwise", "--criteria", "a"), 2, "--criteria are for --mode rating"),
        (("old.jsonl", "new.jsonl", "--json"), 2, "add --report"),
        (("--report", "old.jsonl"), 2, "leave the files out"),
        (("--report", "--json", "--csv"), 2, "--json or --csv, not both"),
        (("--report", "--seed", "0"), 2, "--seed is for the page that asks; leave it out of --report"),
        (("--report", "--port", "8700"), 2, "--port is for the page that asks"),
        (("--report", "--id-field", "n"), 2, "--id-field is for the page that asks"),
        (("--report",), 1, "there are no votes in votes.db, which is not there"),
        (("--report", "--db", "old.jsonl"), 1, "cannot use old.jsonl for votes: file is not a database"),
        (("old.jsonl", "new.jsonl", "--port", "70000"), 2, "--port"),
    ],
)
def test_errors(words: tuple[str, ...], code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert says in err
    assert not Path("votes.db").exists()


def test_a_report_without_votes(capsys: pytest.CaptureFixture[str]) -> None:
    with Live("evaluate", "human", "old.jsonl", "new.jsonl") as live:
        link_of(live)
    assert run("--report") == 1
    assert "votes.db has no votes yet; longra evaluate human --db votes.db serves its page" in capsys.readouterr().err
