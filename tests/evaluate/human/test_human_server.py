"""The server answers its own page, and nobody else."""

import http.client
import json
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from longra.errors import LongraError
from longra.evaluate.human.items import Item, Outputs
from longra.evaluate.human.server import Server
from longra.evaluate.human.votes import VoteFile, Wanted

SYSTEMS = ("gpt-secret", "longra-hidden")
ITEMS = tuple(
    Item(f"item{i}", f"提问 {i}", dict(zip(SYSTEMS, (f"one {i}", f"two {i}"), strict=True))) for i in range(6)
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    votes = VoteFile(tmp_path / "votes.db")
    votes.begin(Wanted(seed=7), Outputs(SYSTEMS, ITEMS, ()))
    with Server(votes, "en") as made:
        thread = Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(
    server: Server,
    path: str,
    body: Any = None,
    *,
    method: str = "",
    token: str | None = None,
    kind: str = "application/json",
    host: str = "",
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body."""
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Host": host or f"127.0.0.1:{port}", "Content-Type": kind}
    connection.request(
        method or ("GET" if body is None else "POST"),
        f"/{server.token if token is None else token}/{path}",
        data,
        headers,
    )
    response = connection.getresponse()
    found = response.status, dict(response.headers), response.read()
    connection.close()
    return found


def get(server: Server, path: str) -> Any:
    status, _, body = ask(server, path)
    assert status == 200, body
    return json.loads(body)


def test_the_page_and_its_rules(server: Server) -> None:
    for path in ("", "page.js", "page.css", "words.json"):
        status, headers, body = ask(server, path)
        assert status == 200
        assert b"http://" not in body
        assert b"https://" not in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert get(server, "study") == {"mode": "pairwise", "criteria": [], "language": "en"}


def test_only_this_machine_is_served(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.link.startswith("http://127.0.0.1:")
    others = [entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    for address in {str(other) for other in others} - {"127.0.0.1"}:
        with (
            pytest.raises((ConnectionRefusedError, TimeoutError)),
            socket.create_connection((address, server.server_address[1]), 0.5),
        ):
            pass


@pytest.mark.parametrize("token", ["", "x", "favicon.ico", "%00", "[", "a//b"])
@pytest.mark.parametrize("path", ["", "study", "votes", "page.js", "nothing"])
def test_nothing_without_the_token(server: Server, token: str, path: str) -> None:
    assert ask(server, path, token=token)[0] == 403
    assert ask(server, path, {"rater": "x", "task": 0, "answer": "tie"}, token=token)[0] == 403
    assert ask(server, path, token=server.token[:-1])[0] == 403
    assert ask(server, path, token=server.token + "x")[0] == 403
    assert server.votes.latest() == []


def test_tokens_are_drawn_for_each_server(server: Server) -> None:
    with Server(server.votes, "en") as other:
        assert other.token != server.token
        assert len(other.token) >= 32


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil", "0.0.0.0", "[", ""]
)
def test_names_that_others_gave_this_machine(server: Server, host: str) -> None:
    """DNS rebinding: the page of another site reaches this address under the site's own name."""
    assert ask(server, "study", host=host or " ")[0] == 403
    assert ask(server, "votes", {"rater": "x", "task": 0, "answer": "tie"}, host=host or " ")[0] == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:9", "127.0.0.1:1234", "LOCALHOST:80"])
def test_own_names_also_behind_a_tunnel(server: Server, host: str) -> None:
    assert ask(server, "study", host=host)[0] == 200


def test_a_vote_is_kept_with_its_sides(server: Server) -> None:
    progress = get(server, "progress?rater=%20Ann%20%20Lee")
    assert progress["rater"] == "Ann Lee"
    assert sorted(progress["tasks"]) == list(range(6))
    for number in progress["tasks"][:3]:
        assert json.loads(ask(server, "votes", {"rater": "Ann Lee", "task": number, "answer": "left"})[2])["saved"]
    assert get(server, "progress?rater=Ann+Lee")["answers"] == {str(number): "left" for number in progress["tasks"][:3]}
    assert get(server, "progress?rater=Bo")["answers"] == {}
    for vote in server.votes.latest():
        texts = get(server, f"task?rater=Ann%20Lee&number={vote.task}")["texts"]
        assert [ITEMS[vote.task].texts[system] for system in vote.shown] == texts


def test_sides_are_balanced_and_no_answer_names_a_system(server: Server) -> None:
    first = []
    for number in range(6):
        status, headers, body = ask(server, f"task?rater=Ann&number={number}")
        assert status == 200
        assert not any(system in body.decode() + str(headers) for system in SYSTEMS)
        assert set(json.loads(body)) == {"prompt", "texts"}
        first.append(json.loads(body)["texts"][0].split()[0])
    assert sorted(first) == ["one"] * 3 + ["two"] * 3
    for path in ("", "page.js", "words.json", "study", "progress?rater=Ann", "task?number=9&rater=Ann", "none"):
        _, headers, body = ask(server, path)
        assert not any(system in body.decode() + str(headers) for system in SYSTEMS)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"rater": "", "task": 0, "answer": "tie"}, "a rater's name"),
        ({"rater": "x" * 61, "task": 0, "answer": "tie"}, "a rater's name"),
        ({"rater": "a\x00b", "task": 0, "answer": "tie"}, "a rater's name"),
        ({"rater": "\ud800", "task": 0, "answer": "tie"}, "a rater's name"),
        ({"rater": "x", "task": 6, "answer": "tie"}, "there is no task 6"),
        ({"rater": "x", "task": -1, "answer": "tie"}, "there is no task -1"),
        ({"rater": "x", "task": True, "answer": "tie"}, "there is no task True"),
        ({"rater": "x", "task": None, "answer": "tie"}, "there is no task None"),
        ({"rater": "x", "task": 0, "answer": "A"}, "the answer must be one of"),
        ({"rater": "x", "task": 0, "answer": {"a": 1}}, "the answer must be one of"),
        (["x"], "a vote is a JSON object"),
        (b"{", "a vote is a JSON object"),
        (b"\xff", "a vote is a JSON object"),
        (b"x" * (1 << 17), "at most 65,536 bytes"),
    ],
)
def test_what_is_no_vote(server: Server, body: Any, says: str) -> None:
    status, _, answer = ask(server, "votes", body)
    assert status == 400
    assert says in json.loads(answer)["error"]
    assert server.votes.latest() == []


def test_a_form_of_another_site_is_no_vote(server: Server) -> None:
    """A page elsewhere can send a form here, but not this type without asking first, which is not answered."""
    vote = {"rater": "x", "task": 0, "answer": "tie"}
    assert ask(server, "votes", vote, kind="text/plain")[0] == 400
    assert ask(server, "votes", method="OPTIONS")[0] == 501


def test_other_paths_and_methods(server: Server) -> None:
    assert ask(server, "nothing")[0] == 404
    assert ask(server, "../study")[0] == 404
    assert ask(server, "votes")[0] == 404
    assert ask(server, "study", {"a": 1})[0] == 404


def test_a_vote_that_cannot_be_kept_is_not_called_saved(server: Server) -> None:
    with sqlite3.connect(server.votes.path) as db:
        db.execute("DROP TABLE votes")
    db.close()
    status, _, body = ask(server, "votes", {"rater": "x", "task": 0, "answer": "tie"})
    assert status == 500
    assert "cannot use" in json.loads(body)["error"]


def test_a_port_that_is_taken(server: Server) -> None:
    port = server.server_address[1]
    with pytest.raises(LongraError, match=f"cannot listen on port {port}: .*leave --port out"):
        Server(server.votes, "en", port)
