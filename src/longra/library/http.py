"""Plain HTTP for the sources that have no client of their own, and for the bytes of all: refusals become errors with a
next step, a host that does not answer is given up on fast, and no secret follows a redirect to another host."""

import http.client
import json
import os
import selectors
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

import longra
from longra.errors import SourceError

CONNECT_SECONDS = 5.0  # a host that can be reached accepts within a second; the next source is waiting
READ_SECONDS = 30.0
ATTEMPTS = 5
BACKOFF_SECONDS = 0.5  # before the second attempt; it doubles
LONGEST_WAIT_SECONDS = 60.0  # a server that asks for more than this is reported, not waited for

_T = TypeVar("_T")


class UnreachableError(SourceError):
    """No connection, or one that broke: trying again may help."""


class RefusedError(SourceError):
    """The server answered with an error. status is its HTTP status, retry_after the seconds that it asks to wait,
    total_bytes the size of a file that has no such range (416)."""

    def __init__(
        self, message: str, status: int, retry_after: float | None = None, total_bytes: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.total_bytes = total_bytes

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in (408, 429, 500, 502, 503, 504)


def patiently(call: Callable[[], _T], say: Callable[[str], None]) -> _T:
    """call(), again after a wait if it fails in a way that may pass; the last failure is raised."""
    attempt = 1
    while True:
        try:
            return call()
        except (UnreachableError, RefusedError) as problem:
            wait = wait_before(problem, attempt)
            if wait is None:
                raise
            say(f"{problem}; trying again in {wait:.3g} s ({attempt} of {ATTEMPTS - 1})")
            time.sleep(wait)
            attempt += 1


def wait_before(problem: UnreachableError | RefusedError, attempt: int) -> float | None:
    """Seconds to wait before attempt + 1, or None if it is no use."""
    if attempt >= ATTEMPTS:
        return None
    backoff: float = min(BACKOFF_SECONDS * 2 ** (attempt - 1), 8.0)
    if isinstance(problem, UnreachableError):
        return backoff
    if not problem.may_pass:
        return None
    if problem.retry_after is None:
        return backoff
    return problem.retry_after if problem.retry_after <= LONGEST_WAIT_SECONDS else None


def open_url(url: str, headers: Mapping[str, str] | None = None) -> http.client.HTTPResponse:
    """GET a URL and follow redirects; raises UnreachableError or RefusedError. A token stays with the first host."""
    probe(url)
    request = urllib.request.Request(url)
    request.add_header("User-Agent", f"longra/{longra.__version__}")
    request.add_header("Accept-Encoding", "identity")  # offsets of a resumed file count its own bytes
    for key, value in (headers or {}).items():
        secret = key.lower() in ("authorization", "cookie")
        (request.add_unredirected_header if secret else request.add_header)(key, value)
    try:
        response = _opener().open(request, timeout=READ_SECONDS)
    except urllib.error.HTTPError as problem:
        with problem:
            raise refusal(url, problem.code, dict(problem.headers)) from problem
    except (OSError, http.client.HTTPException) as problem:
        reason = getattr(problem, "reason", problem)
        raise UnreachableError(f"{host_of(url)} cannot be reached ({reason})") from problem
    if not isinstance(response, http.client.HTTPResponse):
        raise SourceError(f"{url} did not lead to an HTTP server; use an https address")
    return response


def get_json(url: str, headers: Mapping[str, str] | None = None) -> Any:
    """The JSON that a URL answers with; raises SourceError if it is something else, as a captive portal sends."""
    with open_url(url, headers) as response:
        try:
            return json.loads(response.read(64 << 20))
        except ValueError as problem:
            raise SourceError(
                f"{host_of(url)} answered {url} with something that is not JSON;"
                " a proxy or a login page may be in between"
            ) from problem
        except (OSError, http.client.HTTPException) as problem:
            raise UnreachableError(f"{host_of(url)} broke off its answer ({problem})") from problem


def refusal(url: str, status: int, headers: Mapping[str, str]) -> RefusedError:
    """The error for an HTTP status of 400 and above, in words, with what to do next."""
    host = host_of(url)
    given = {key.lower(): value for key, value in headers.items()}
    wait = retry_after(given.get("retry-after"))
    if status == 401:
        text = f"{host} asks who you are (HTTP 401) for {url}; it needs a token"
    elif status == 403:
        text = f"{host} forbids (HTTP 403) {url}; the account or the network may not have it"
    elif status in (404, 410):
        text = f"{host} has nothing (HTTP {status}) at {url}; check the name"
    elif status == 429:
        after = f"; it asks to wait {wait:.0f} s" if wait is not None else "; try again later"
        text = f"{host} has had too many requests (HTTP 429){after}"
    elif status >= 500:
        text = f"{host} is in trouble (HTTP {status}) at {url}; try again later"
    else:
        text = f"{host} refuses (HTTP {status}) {url}"
    total = given.get("content-range", "").rpartition("/")[2]
    return RefusedError(text, status, wait, int(total) if total.isdigit() else None)


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header's value, a number or a date (RFC 9110, 10.2.3); None without one."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            return float(max(0.0, parsedate_to_datetime(value).timestamp() - time.time()))
        except ValueError:
            return None


def host_of(url: str) -> str:
    """The host of a URL, with its port if it names one, without user and password."""
    return urlsplit(url).netloc.rsplit("@", 1)[-1]


_answering: set[tuple[str, int]] = set()


def probe(url: str, seconds: float | None = None) -> None:
    """Raise UnreachableError unless the host of a URL accepts a connection within seconds (CONNECT_SECONDS if None).

    All addresses of the host are tried at once, name lookup included, because clients try them one after the other and
    a host with a dozen addresses behind a silent firewall would hold the next source up for minutes. Behind a proxy
    there is nothing to probe. An answer is remembered for the life of the process."""
    seconds = CONNECT_SECONDS if seconds is None else seconds
    parts = urlsplit(url)
    if parts.hostname is None:
        raise SourceError(f"{url!r} has no host; use an https address")
    target = (parts.hostname, parts.port or (80 if parts.scheme == "http" else 443))
    if target in _answering or _behind_proxy(parts.scheme, parts.hostname):
        return
    outcome: list[str | None] = []
    worker = threading.Thread(target=lambda: outcome.append(_try_addresses(target, seconds)), daemon=True)
    worker.start()
    worker.join(seconds)  # a name lookup cannot be given a time limit; a thread can be left behind
    problem = outcome[0] if outcome else f"no answer within {seconds:.0f} s"
    if problem is not None:
        raise UnreachableError(f"{host_of(url)} cannot be reached ({problem})")
    _answering.add(target)


def _behind_proxy(scheme: str, host: str) -> bool:
    proxies = urllib.request.getproxies()
    return bool(proxies.get(scheme) or proxies.get("all")) and not urllib.request.proxy_bypass(host)


def _try_addresses(target: tuple[str, int], seconds: float) -> str | None:
    """None if any address of (host, port) accepts a connection in time, else why not."""
    try:
        addresses = socket.getaddrinfo(*target, type=socket.SOCK_STREAM)
    except OSError as problem:
        return f"its name is not known: {problem.strerror or problem}"
    reason = f"no answer within {seconds:.0f} s"
    deadline = time.monotonic() + seconds
    pending: list[socket.socket] = []
    with selectors.DefaultSelector() as selector:
        try:
            for family, kind, protocol, _, address in addresses:
                attempt = socket.socket(family, kind, protocol)
                pending.append(attempt)
                attempt.setblocking(False)
                attempt.connect_ex(address)
                selector.register(attempt, selectors.EVENT_WRITE)
            while selector.get_map() and (left := deadline - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    code = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # type: ignore[union-attr]
                    if code == 0:
                        return None
                    reason = os.strerror(code)
                    selector.unregister(key.fileobj)
        except OSError as problem:
            reason = str(problem)
        finally:
            for attempt in pending:
                attempt.close()
    return reason


class _PlainConnection(http.client.HTTPConnection):
    """A connection with a short time limit to connect and a longer one to read."""

    def connect(self) -> None:
        self.timeout = CONNECT_SECONDS
        super().connect()
        self.sock.settimeout(READ_SECONDS)


class _TlsConnection(http.client.HTTPSConnection):
    def connect(self) -> None:
        self.timeout = CONNECT_SECONDS
        super().connect()
        self.sock.settimeout(READ_SECONDS)


class _PlainHandler(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_PlainConnection, request)


class _TlsHandler(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_TlsConnection, request, context=_tls())


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Redirects that never step down from https to http."""

    def redirect_request(self, request: urllib.request.Request, *rest: Any) -> urllib.request.Request | None:
        target = str(rest[-1])
        if request.type == "https" and urlsplit(target).scheme != "https":
            raise urllib.error.URLError(f"it redirects to {host_of(target)} without encryption")
        return super().redirect_request(request, *rest)


@cache
def _tls() -> ssl.SSLContext:
    """The system's certificates, or certifi's where the system has none (Python from python.org on macOS)."""
    places = ssl.get_default_verify_paths()
    if places.cafile or places.capath:
        return ssl.create_default_context()
    try:
        import certifi
    except ImportError:
        return ssl.create_default_context()
    return ssl.create_default_context(cafile=certifi.where())


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_PlainHandler, _TlsHandler, _Redirects)
