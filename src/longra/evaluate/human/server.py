"""Serves the page on which people judge: on this machine only, to those who have the link.

The standard library's server is enough: one machine, a few people, a vote every few seconds.
"""

import hmac
import json
import secrets
import unicodedata
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs

from longra.errors import LongraError, UsageError
from longra.evaluate.human.study import Task, check_answer, in_order, sides, tasks
from longra.evaluate.human.votes import Vote, VoteFile

HOST = "127.0.0.1"

_OWN_NAMES = {HOST, "localhost"}
"""What a browser may call this machine; any other name was pointed here by somebody else's DNS."""

_LARGEST_BODY = 1 << 16
_LONGEST_NAME = 60

_FILES = {
    "": ("index.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
    "words.json": ("words.json", "application/json"),
}
"""Path -> the file that is sent, and its type."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server(ThreadingMixIn, TCPServer):
    """Listens from the moment that it is made; `serve_forever` answers.

    Args:
        votes: a study's file, begun.
        language: of the page at first: "zh" or "en".
        port: 0 for any that is free.

    Raises:
        LongraError: the port is taken or may not be used.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, votes: VoteFile, language: str, port: int = 0) -> None:
        self.votes = votes
        self.study = votes.study()
        self.language = language
        self.token = secrets.token_urlsafe(24)
        self.tasks = {task.number: task for task in tasks(self.study, votes.items())}
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise LongraError(
                f"cannot listen on port {port}: {error.strerror}; leave --port out for a free one"
            ) from None

    @property
    def link(self) -> str:
        """The page's address."""
        return f"http://{HOST}:{self.server_address[1]}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a browser that closes a connection is no fault."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "Longra"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        """Files of the page, and what it asks."""
        self._answer({"study": self._study, "progress": self._progress, "task": self._task})

    def do_POST(self) -> None:
        """A vote."""
        self._answer({"votes": self._vote})

    def _answer(self, routes: dict[str, Callable[[dict[str, str]], Any]]) -> None:
        address, _, query = self.path.partition("?")
        _, token, path = (*address.split("/", 2), "", "")[:3]
        if not self._is_local() or not hmac.compare_digest(token.encode(), self.server.token.encode()):
            self._send(HTTPStatus.FORBIDDEN, "text/plain", b"Open the link that longra printed.\n")
        elif self.command == "GET" and path in _FILES:
            name, kind = _FILES[path]
            self._send(HTTPStatus.OK, kind, files("longra.evaluate.human.page").joinpath(name).read_bytes())
        elif path in routes:
            self._send_json(routes[path], {name: values[0] for name, values in parse_qs(query).items()})
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"There is no such page.\n")

    def _is_local(self) -> bool:
        """Whether the browser knows this server by an own name, which a page of another site cannot bring about."""
        return self.headers.get("Host", "").lower().partition(":")[0] in _OWN_NAMES

    def _send_json(self, route: Callable[[dict[str, str]], Any], query: dict[str, str]) -> None:
        try:
            status, value = HTTPStatus.OK, route(query)
        except UsageError as error:
            status, value = HTTPStatus.BAD_REQUEST, {"error": str(error)}
        except LongraError as error:
            status, value = HTTPStatus.INTERNAL_SERVER_ERROR, {"error": str(error)}
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        if status is not HTTPStatus.OK:
            self.close_connection = True  # a body may be left unread
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _study(self, _query: dict[str, str]) -> dict[str, Any]:
        """How to judge."""
        study = self.server.study
        return {"mode": study.mode, "criteria": study.criteria, "language": self.server.language}

    def _progress(self, query: dict[str, str]) -> dict[str, Any]:
        """A rater's tasks in order, and their answers so far."""
        rater = _name(query.get("rater"))
        order = in_order(self.server.study, list(self.server.tasks.values()), rater)
        answers = {vote.task: vote.answer for vote in self.server.votes.latest(rater)}
        return {"rater": rater, "tasks": [task.number for task in order], "answers": answers}

    def _task(self, query: dict[str, str]) -> dict[str, Any]:
        """The prompt of a task, and the texts from left to right; nothing says whose they are."""
        task = self._find(query.get("number"))
        shown = sides(self.server.study, task, _name(query.get("rater")))
        return {"prompt": task.item.prompt, "texts": [task.item.texts[system] for system in shown]}

    def _vote(self, _query: dict[str, str]) -> dict[str, Any]:
        """Keep a vote; the answer is sent when it is on the disk."""
        body = self._body()
        rater, task = _name(body.get("rater")), self._find(body.get("task"))
        answer = check_answer(self.server.study, body.get("answer"))
        shown = sides(self.server.study, task, rater)
        return {"saved": self.server.votes.add(Vote(rater, task.number, task.item.id, shown, answer))}

    def _find(self, number: object) -> Task:
        task = self.server.tasks.get(int(number)) if isinstance(number, int | str) and str(number).isdecimal() else None
        if task is None:
            raise UsageError(f"there is no task {number!r}")
        return task

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LARGEST_BODY:
            raise UsageError(f"a vote is a JSON object of at most {_LARGEST_BODY:,} bytes, with its length")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except ValueError:
            body = None
        if not isinstance(body, dict) or self.headers.get_content_type() != "application/json":
            raise UsageError(
                'a vote is a JSON object: {"rater": ..., "task": ..., "answer": ...}, sent as application/json'
            )
        return body

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal is for what the user should know."""


def _name(value: object) -> str:
    """A rater's name: however it is spaced, the same person."""
    name = " ".join(unicodedata.normalize("NFC", value).split()) if isinstance(value, str) else ""
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise UsageError(f"a rater's name has 1 to {_LONGEST_NAME} characters")
    return name
