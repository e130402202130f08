"""Votes are kept: appended, one study a file, several processes at once."""

import sqlite3
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from longra.errors import LongraError, UsageError
from longra.evaluate.human.items import Item, Outputs
from longra.evaluate.human.votes import Vote, VoteFile, Wanted

OUTPUTS = Outputs(("a", "b"), (Item("1", "提问", {"a": "x", "b": "文"}), Item("2", "", {"a": "", "b": "z"})), ())
VOTE = Vote("李 雷", 0, "1", ("b", "a"), "left")


@pytest.fixture
def votes(tmp_path: Path) -> VoteFile:
    made = VoteFile(tmp_path / "votes.db")
    made.begin(Wanted(seed=3), OUTPUTS)
    return made


def test_a_study_is_found_again(votes: VoteFile) -> None:
    again = VoteFile(votes.path)
    assert again.begin(Wanted(), None) == again.begin(Wanted("pairwise", None, 3), OUTPUTS) == votes.study()
    assert (votes.study().systems, votes.study().seed, votes.study().criteria) == (("a", "b"), 3, ())
    assert again.items() == OUTPUTS.items


def test_a_seed_is_drawn_and_kept(tmp_path: Path) -> None:
    studies = [VoteFile(tmp_path / f"{i}.db").begin(Wanted(), OUTPUTS) for i in range(3)]
    assert len({study.seed for study in studies}) > 1
    assert VoteFile(tmp_path / "0.db").study() == studies[0]


def test_the_last_vote_counts_and_the_first_stays(votes: VoteFile) -> None:
    changed = replace(VOTE, answer="both_bad")
    other = replace(VOTE, rater="Bo")
    numbers = [votes.add(vote) for vote in (VOTE, other, replace(VOTE, task=1, item="2"), changed)]
    assert numbers == sorted(set(numbers))
    assert votes.latest() == [other, replace(VOTE, task=1, item="2"), changed]
    assert votes.latest("Bo") == [other]
    assert votes.latest("nobody") == []
    with sqlite3.connect(votes.path) as db:
        assert db.execute("SELECT answer FROM votes ORDER BY number").fetchall() == [
            ('"left"',),
            ('"left"',),
            ('"left"',),
            ('"both_bad"',),
        ]


def test_ratings(tmp_path: Path) -> None:
    rated = VoteFile(tmp_path / "r.db")
    assert rated.begin(Wanted(criteria=("韵味",)), replace(OUTPUTS, systems=("a",))).mode == "rating"
    vote = Vote("Bo", 0, "1", ("a",), {"韵味": 4})
    rated.add(vote)
    assert rated.latest() == [vote]
    default = VoteFile(tmp_path / "s.db").begin(Wanted(mode="rating"), OUTPUTS)
    assert default.criteria == ("fluency", "coherence", "relevance")


def test_items_may_be_added(votes: VoteFile) -> None:
    more = replace(OUTPUTS, items=(*OUTPUTS.items, Item("3", "", {"a": "1", "b": "2"})))
    votes.begin(Wanted(), more)
    votes.begin(Wanted(), OUTPUTS)
    assert votes.items() == more.items


@pytest.mark.parametrize(
    ("wanted", "outputs", "says"),
    [
        (Wanted("rating"), OUTPUTS, "with mode pairwise, not rating"),
        (Wanted(criteria=("x",)), OUTPUTS, "with criteria none, not x"),
        (Wanted(seed=4), None, "with seed 3, not 4"),
        (Wanted(), replace(OUTPUTS, systems=("a", "c")), "with systems a, b, not a, c"),
        (Wanted(), replace(OUTPUTS, items=(Item("2", "", {"a": "new", "b": "z"}),)), "item 2 is not what"),
    ],
)
def test_another_study(votes: VoteFile, wanted: Wanted, outputs: Outputs | None, says: str) -> None:
    with pytest.raises(LongraError) as caught:
        votes.begin(wanted, outputs)
    assert says in str(caught.value)
    assert "another --db" in str(caught.value)
    assert votes.items() == OUTPUTS.items


@pytest.mark.parametrize(
    ("wanted", "outputs", "says"),
    [
        (Wanted("pairwise", ("x",)), OUTPUTS, "--criteria are for --mode rating"),
        (Wanted(), replace(OUTPUTS, systems=("a",)), "pairs need the outputs of 2 systems"),
        (Wanted(), None, "there is no study in"),
    ],
)
def test_what_cannot_begin_leaves_no_file(tmp_path: Path, wanted: Wanted, outputs: Outputs | None, says: str) -> None:
    votes = VoteFile(tmp_path / "votes.db")
    with pytest.raises(UsageError, match=says):
        votes.begin(wanted, outputs)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"not a database, but long enough to look at" * 100, b""])
def test_files_of_others_are_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "votes.db"
    path.write_bytes(content)
    for use in (VoteFile(path).study, VoteFile(path).latest, lambda: VoteFile(path).add(VOTE)):
        with pytest.raises(LongraError, match=r"holds no votes|cannot use"):
            use()
    assert path.read_bytes() == content


def test_another_program_s_database(tmp_path: Path) -> None:
    path = tmp_path / "songs.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE votes (song)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(LongraError, match=r"holds no votes of `longra evaluate human`"):
        VoteFile(path).begin(Wanted(), OUTPUTS)
    assert path.read_bytes() == before


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(LongraError, match=r"cannot use .*unable to open"):
        VoteFile(tmp_path / "none" / "votes.db").begin(Wanted(), OUTPUTS)


def vote_often(path: Path, rater: str) -> list[int]:
    votes = VoteFile(path)
    votes.begin(Wanted(), OUTPUTS)
    return [votes.add(replace(VOTE, rater=rater, task=i)) for i in range(25)]


def test_processes_share_a_file_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "votes.db"
    with ProcessPoolExecutor(2) as pool:
        numbers = list(pool.map(vote_often, [path, path], ["Ann", "Bo"]))
    assert sorted(numbers[0] + numbers[1]) == list(range(1, 51))
    assert len(VoteFile(path).latest()) == 50
