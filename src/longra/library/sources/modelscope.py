"""Models of ModelScope, through its plain HTTP interface (the one that its own client uses)."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from longra.errors import SourceError
from longra.library.download import RemoteFile, fetch_files
from longra.library.http import RefusedError, get_json, patiently
from longra.library.progress import Reporter
from longra.library.sources.base import Delivery, Pin, entry_of
from longra.library.sources.choose import Candidate, choose_files
from longra.library.sources.hf import Reference

DEFAULT_ENDPOINT = "https://www.modelscope.cn"
DEFAULT_REVISION = "master"


@dataclass(frozen=True)
class ModelScopeSource:
    """A repository of ModelScope, or one GGUF file of it."""

    reference: Reference

    @property
    def text(self) -> str:
        return f"ms:{self.reference}"

    @property
    def name(self) -> str:
        return self.reference.name

    @property
    def _revision(self) -> str:
        return self.reference.revision or DEFAULT_REVISION

    def deliver(self, staging: Path, pin: Pin, reporter: Reporter) -> Delivery:
        listing = patiently(self._listing, reporter.step)
        chosen = choose_files(_candidates(listing, self.text), self.reference.file, self.text)
        files = [
            RemoteFile(c.path, self._url("repo", FilePath=c.path), c.bytes, pin.sha256 or c.sha256, None, _headers())
            for c in chosen
        ]
        stored = fetch_files(files, staging, reporter, self.text)
        return Delivery(stored, entry_of(stored), self._revision)

    def _url(self, action: str, **parameters: str) -> str:
        query = urlencode({"Revision": self._revision, **parameters})
        return f"{endpoint()}/api/v1/models/{quote(self.reference.repository)}/{action}?{query}"

    def _listing(self) -> Any:
        repository = self.reference.repository
        try:
            answer = get_json(self._url("repo/files", Recursive="True"), _headers())
        except RefusedError as problem:
            raise _in_words(problem, repository, self._revision) from problem
        if not isinstance(answer, dict) or not answer.get("Success", answer.get("Code") == 200):
            message = answer.get("Message") if isinstance(answer, dict) else None
            raise SourceError(f"{endpoint()} refuses {repository}: {message or 'it does not say why'}")
        return answer.get("Data")


def _in_words(problem: RefusedError, repository: str, revision: str) -> RefusedError:
    if problem.status == 404:
        text = f"{endpoint()} has no repository {repository} with revision {revision!r}; check the name"
    elif problem.status in (401, 403):
        text = f"{endpoint()} does not let you read {repository}; set MODELSCOPE_API_TOKEN to a token of your account"
    else:
        return problem
    return RefusedError(text, problem.status, problem.retry_after)


def endpoint() -> str:
    """ModelScope's address: MODELSCOPE_ENDPOINT, or MODELSCOPE_DOMAIN as older clients have it, else its own."""
    address = os.environ.get("MODELSCOPE_ENDPOINT") or os.environ.get("MODELSCOPE_DOMAIN") or DEFAULT_ENDPOINT
    return (address if "://" in address else f"https://{address}").rstrip("/")


def _headers() -> dict[str, str]:
    """The user's token, in both ways that ModelScope's servers read it."""
    token = os.environ.get("MODELSCOPE_API_TOKEN")
    return {"Authorization": f"Bearer {token}", "Cookie": f"m_session_id={token}"} if token else {}


def _candidates(data: Any, source: str) -> list[Candidate]:
    """The files of a listing; folders ("tree") are left out."""
    try:
        return [
            Candidate(str(file["Path"]), int(file["Size"]), str(file["Sha256"]).lower() if file.get("Sha256") else None)
            for file in data["Files"]
            if file.get("Type") != "tree"
        ]
    except (KeyError, TypeError, ValueError) as problem:
        raise SourceError(f"{endpoint()} did not answer as ModelScope does for {source} ({problem!r})") from problem
