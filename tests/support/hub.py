"""A server on this machine that speaks the protocols of the Hugging Face Hub, of ModelScope and of a plain web host.

It serves from memory, keeps a log of what it was asked, and can be told to fail: see Fault."""

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LFS_BYTES = 1024  # files of at least this size are kept outside git and served by the "CDN"


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path contains `where`."""

    where: str
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None  # bytes of the body that are sent before the connection is dropped
    body: bytes | None = None  # sent instead of the true one
    pace: float | None = None  # seconds between blocks of 16 KiB
    times: int = 1
    method: str = "GET"


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Hub:
    """What the server has: repositories with their files, and plain files under /files/."""

    url: str = ""
    cdn_url: str = ""  # another host by name, as the Hub's is: no token may go there
    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    revisions: set[str] = field(default_factory=lambda: {"main", "master", "v1.0", COMMIT})
    gated: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    token: str = "hf_right"
    licence: str = "apache-2.0"
    etags: bool = True
    ranges: bool = True
    lists_hashes: bool = True
    told_sha256: dict[str, str] = field(default_factory=dict)  # true hash -> the one that the listing tells
    faults: list[Fault] = field(default_factory=list)
    log: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, where: str, method: str = "GET") -> list[Asked]:
        """The requests whose path contains `where`, in order."""
        return [one for one in self.log if where in one.path and one.method == method]

    def fault_of(self, path: str, method: str) -> Fault | None:
        """The fault that hits a request; it is used up."""
        with self.lock:
            for fault in self.faults:
                if fault.where in path and fault.method == method and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def blob(self, digest: str) -> bytes | None:
        """The content of a large file by its SHA-256."""
        contents = [content for files in self.repositories.values() for content in files.values()]
        return next((content for content in contents if hashlib.sha256(content).hexdigest() == digest), None)


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """The server, for a while; its address is hub.url."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    hub.cdn_url = f"http://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._handle("HEAD")

    def do_GET(self) -> None:
        self._handle("GET")

    def _handle(self, method: str) -> None:
        path = unquote(self.path)
        lowered = {key.lower(): value for key, value in self.headers.items()}
        with self.hub.lock:
            self.hub.log.append(Asked(method, path, lowered))
        self._fault = self.hub.fault_of(path, method)
        if self._fault is not None and self._fault.status is not None:
            self._send(self._fault.status, self._fault.body or b"{}", dict(self._fault.headers))
            return
        bare = urlsplit(path).path
        routes = (
            (r"/api/v1/models/([^/]+/[^/]+)/repo/files", self._modelscope_files),
            (r"/api/v1/models/([^/]+/[^/]+)/repo", self._modelscope_file),
            (r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", self._hub_info),
            (r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self._hub_resolve),
            (r"/cdn/([0-9a-f]{64})", self._cdn),
            (r"/files/(.+)", self._plain),
            (r"/elsewhere/(.+)", self._redirect),
        )
        for pattern, route in routes:
            if match := re.fullmatch(pattern, bare):
                route(*match.groups())
                return
        self._send(404, b"nothing here")

    # The Hub: https://huggingface.co/docs/hub/api

    def _hub_info(self, repository: str, revision: str | None) -> None:
        if not self._hub_allows(repository, revision or "main", listing=True):
            return
        siblings = [self._sibling(path, content) for path, content in self.hub.repositories[repository].items()]
        info = {
            "_id": "0" * 24,
            "id": repository,
            "modelId": repository,
            "sha": COMMIT,
            "private": False,
            "gated": repository in self.hub.gated,
            "tags": [f"license:{self.hub.licence}"],
            "cardData": {"license": self.hub.licence},
            "siblings": siblings,
        }
        self._send_json(info)

    def _sibling(self, path: str, content: bytes) -> dict[str, Any]:
        if not self.hub.lists_hashes:
            return {"rfilename": path}
        sibling: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": git_sha1(content)}
        if len(content) >= LFS_BYTES:
            digest = hashlib.sha256(content).hexdigest()
            told = self.hub.told_sha256.get(digest, digest)
            sibling["lfs"] = {"sha256": told, "size": len(content), "pointerSize": 134}
        return sibling

    def _hub_resolve(self, repository: str, revision: str, path: str) -> None:
        if not self._hub_allows(repository, revision, listing=False):
            return
        content = self.hub.repositories[repository].get(path)
        if content is None:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
            return
        headers = {"X-Repo-Commit": COMMIT}
        if len(content) >= LFS_BYTES:
            digest = hashlib.sha256(content).hexdigest()
            linked = {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content))}
            self._send(302, b"", {**headers, **linked, "Location": f"{self.hub.cdn_url}/cdn/{digest}?sign=x"})
        else:
            self._send_ranges(content, {**headers, "ETag": f'"{git_sha1(content)}"'})

    def _hub_allows(self, repository: str, revision: str, listing: bool) -> bool:
        has_token = self.headers.get("Authorization") == f"Bearer {self.hub.token}"
        if self.headers.get("Authorization") and not has_token:
            self._send(401, b"{}", {"X-Error-Message": "Invalid credentials in Authorization header"})
        elif repository not in self.hub.repositories or (repository in self.hub.private and not has_token):
            self._send(404 if has_token else 401, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif repository in self.hub.gated and not has_token and not listing:
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo"})
        elif revision not in self.hub.revisions:
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        else:
            return True
        return False

    # ModelScope: the addresses that its own client uses

    def _modelscope_files(self, repository: str) -> None:
        if not self._modelscope_allows(repository):
            return
        files: list[dict[str, Any]] = [{"Path": "assets", "Type": "tree", "Size": 0, "Sha256": ""}]
        for path, content in self.hub.repositories[repository].items():
            digest = hashlib.sha256(content).hexdigest()
            told = self.hub.told_sha256.get(digest, digest)
            files.append({"Path": path, "Name": path, "Type": "blob", "Size": len(content), "Sha256": told})
        self._send_json({"Code": 200, "Success": True, "Message": "", "Data": {"Files": files}})

    def _modelscope_file(self, repository: str) -> None:
        if not self._modelscope_allows(repository):
            return
        query = parse_qs(urlsplit(self.path).query)
        content = self.hub.repositories[repository].get(query["FilePath"][0])
        if content is None:
            self._send(404, json.dumps({"Code": 10010202001, "Message": "file not found", "Success": False}).encode())
        elif len(content) >= LFS_BYTES:
            self._send(302, b"", {"Location": f"{self.hub.cdn_url}/cdn/{hashlib.sha256(content).hexdigest()}"})
        else:
            self._send_ranges(content, {})

    def _modelscope_allows(self, repository: str) -> bool:
        revision = parse_qs(urlsplit(self.path).query).get("Revision", [""])[0]
        refused = {"Code": 10010205001, "Success": False, "Message": "not found"}
        if repository not in self.hub.repositories or revision not in self.hub.revisions:
            self._send(404, json.dumps(refused).encode())
        elif repository in self.hub.private and f"m_session_id={self.hub.token}" not in self.headers.get("Cookie", ""):
            self._send(403, json.dumps(refused).encode())
        else:
            return True
        return False

    # Plain files

    def _cdn(self, digest: str) -> None:
        content = self.hub.blob(digest)
        if content is None:
            self._send(404, b"")
        else:
            self._send_ranges(content, {"ETag": f'"{digest}"'})

    def _plain(self, name: str) -> None:
        content = self.hub.files.get(name)
        if content is None:
            self._send(404, b"no such file")
            return
        etag = {"ETag": f'"{hashlib.md5(content).hexdigest()}"'} if self.hub.etags else {}
        self._send_ranges(content, etag)

    def _redirect(self, name: str) -> None:
        self._send(302, b"", {"Location": f"/files/{name}"})

    # Answers

    def _send_ranges(self, content: bytes, headers: dict[str, str]) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        if not wanted or not self.hub.ranges or (condition is not None and condition != headers.get("ETag")):
            self._send(200, content, headers)
            return
        start = int(wanted[1])
        if start >= len(content):
            self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._send(206, content[start:], {**headers, "Content-Range": span})

    def _send_json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        fault = self._fault
        if fault is not None and fault.body is not None:
            body = fault.body
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        end = len(body) if fault is None or fault.cut_after is None else fault.cut_after
        step = 1 << 14 if fault is not None and fault.pace is not None else max(end, 1)
        try:
            for start in range(0, end, step):
                self.wfile.write(body[start : min(start + step, end)])
                if fault is not None and fault.pace is not None:
                    time.sleep(fault.pace)
        except OSError:
            self.close_connection = True
        if end < len(body):
            self.close_connection = True


def git_sha1(content: bytes) -> str:
    """The hash of a git blob."""
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
