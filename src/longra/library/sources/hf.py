"""Models of the Hugging Face Hub, or of a mirror of it: huggingface_hub asks, and the common download brings the bytes.

huggingface_hub's own download keeps no part of a file over a kill (since version 2) and writes in blocks of 10 MB, so
only its listing, its addresses and its tokens are used."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from longra.errors import SourceError, UsageError
from longra.library.download import RemoteFile, copy_file, fetch_files
from longra.library.http import READ_SECONDS, RefusedError, UnreachableError, patiently, probe, refusal
from longra.library.names import slug
from longra.library.progress import Reporter
from longra.library.sources.base import Delivery, Pin, entry_of
from longra.library.sources.choose import Candidate, choose_files

DEFAULT_ENDPOINT = "https://huggingface.co"
_REFERENCE = re.compile(
    r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^:@\s]+))?(?::(?P<file>[^:\s][^:]*))?", re.ASCII
)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Reference:
    """ORG/REPO[@REV][:FILE], as both hubs write it."""

    repository: str
    revision: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        return self.repository + revision + (f":{self.file}" if self.file else "")

    @property
    def name(self) -> str:
        """The name of a model from here: the file's, else the repository's."""
        return slug(self.file.rsplit("/", 1)[-1] if self.file else self.repository.split("/")[1])


def parse_reference(text: str, prefix: str) -> Reference:
    """A reference from its text; raises UsageError if it is none."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise UsageError(f"{prefix}:{text} names no repository; write {prefix}:ORG/REPO[@REVISION][:FILE]")
    return Reference(**match.groupdict())


@dataclass(frozen=True)
class HfSource:
    """A repository of the Hub, or one GGUF file of it."""

    reference: Reference

    @property
    def text(self) -> str:
        return f"hf:{self.reference}"

    @property
    def name(self) -> str:
        return self.reference.name

    def deliver(self, staging: Path, pin: Pin, reporter: Reporter) -> Delivery:
        if is_offline():
            return self._from_cache(staging)
        probe(endpoint())
        info = patiently(lambda: self._asked(self._info), reporter.step)
        chosen = choose_files(_candidates(info), self.reference.file, self.text)
        files = [self._remote(candidate, info.sha, pin, reporter) for candidate in chosen]
        if getattr(info, "gated", False):  # such a repository lists its files to all and gives them to some
            patiently(lambda: self._asked(lambda: self._require_access(files[0].url)), reporter.step)
        stored = fetch_files(files, staging, reporter, self.text)
        return Delivery(stored, entry_of(stored), info.sha, _licence(info))

    def _info(self) -> Any:
        from huggingface_hub import HfApi  # late: it takes half a second, and most commands do without it

        api = HfApi(endpoint=endpoint(), library_name="longra")
        return api.model_info(
            self.reference.repository,
            revision=self.reference.revision,
            files_metadata=True,
            timeout=READ_SECONDS,
        )

    def _require_access(self, url: str) -> None:
        from huggingface_hub import get_hf_file_metadata

        get_hf_file_metadata(url, timeout=READ_SECONDS)

    def _remote(self, candidate: Candidate, commit: str, pin: Pin, reporter: Reporter) -> RemoteFile:
        """The download of one file at a commit, with the user's token if there is one."""
        from huggingface_hub import get_token, hf_hub_url

        url = hf_hub_url(self.reference.repository, candidate.path, revision=commit, endpoint=endpoint())
        if candidate.sha256 is None and candidate.git_sha1 is None:  # mirrors may list names alone
            candidate = patiently(lambda: self._asked(lambda: _from_headers(candidate.path, url)), reporter.step)
        token = get_token()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        sha256 = pin.sha256 or candidate.sha256
        return RemoteFile(candidate.path, url, candidate.bytes, sha256, candidate.git_sha1, headers)

    def _from_cache(self, staging: Path) -> Delivery:
        """The model out of the cache that other programs fill through the Hub's client, as offline mode means it."""
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        try:
            folder = Path(
                snapshot_download(self.reference.repository, revision=self.reference.revision, local_files_only=True)
            )
        except LocalEntryNotFoundError as problem:
            raise SourceError(
                f"{self.text} is not in the Hub's cache, and HF_HUB_OFFLINE is set; unset it to download"
            ) from problem
        present = [Candidate(path.relative_to(folder).as_posix()) for path in folder.rglob("*") if path.is_file()]
        chosen = choose_files(present, self.reference.file, f"the cached {self.text}")
        stored = tuple(copy_file(folder / candidate.path, staging, candidate.path) for candidate in chosen)
        return Delivery(stored, entry_of(stored), folder.name)

    def _asked(self, ask: Callable[[], _T]) -> _T:
        """ask(), with the client's errors as Longra's."""
        from huggingface_hub import errors

        repository, place = self.reference.repository, endpoint()
        try:
            return ask()
        except errors.GatedRepoError as problem:
            raise RefusedError(
                f"{repository} is gated: accept its terms at {place}/{repository}, then set HF_TOKEN (or type"
                " `hf auth login`) and try again",
                403,
            ) from problem
        except errors.RevisionNotFoundError as problem:
            raise RefusedError(
                f"{repository} has no revision {self.reference.revision!r}; leave it out for the newest", 404
            ) from problem
        except errors.RepositoryNotFoundError as problem:
            raise RefusedError(
                f"{place} has no repository {repository}, or it is private: check the name, or set HF_TOKEN", 404
            ) from problem
        except errors.HfHubHTTPError as problem:
            answer = problem.response
            raise refusal(str(answer.url), answer.status_code, answer.headers) from problem
        except (errors.HFValidationError, ValueError) as problem:
            reason = str(problem).splitlines()[0][:200]
            raise SourceError(f"{place} did not answer as the Hub does ({reason}); check HF_ENDPOINT") from problem
        except Exception as problem:
            if _is_network(problem):
                raise UnreachableError(
                    f"{place} cannot be reached ({str(problem)[:200] or type(problem).__name__})"
                ) from problem
            raise


def _is_network(problem: Exception) -> bool:
    """Whether an error is of the client's HTTP library, which is requests, httpx or httpx2 by the client's version."""
    return isinstance(problem, OSError) or type(problem).__module__.split(".")[0] in (
        "httpx",
        "httpx2",
        "httpcore",
        "requests",
    )


def endpoint() -> str:
    """The Hub's address: HF_ENDPOINT, which mirrors document, else the Hub itself."""
    return (os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")


def is_offline() -> bool:
    """Whether the user forbids asking the Hub."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _candidates(info: Any) -> list[Candidate]:
    """The repository's files; large ones (LFS) carry a SHA-256, small ones the hash that git gives them."""
    found = []
    for sibling in info.siblings or []:
        sha256 = sibling.lfs.sha256 if sibling.lfs else None
        git_sha1 = None if sibling.lfs else sibling.blob_id
        found.append(Candidate(sibling.rfilename, sibling.size, sha256, git_sha1))
    return found


def _from_headers(path: str, url: str) -> Candidate:
    """Size and hash of a file from the headers of its address: the ETag is the SHA-256 of a large, git's of a small."""
    from huggingface_hub import get_hf_file_metadata

    metadata = get_hf_file_metadata(url, timeout=READ_SECONDS)
    etag = metadata.etag or ""
    sha256 = etag if re.fullmatch(r"[0-9a-f]{64}", etag) else None
    git_sha1 = etag if re.fullmatch(r"[0-9a-f]{40}", etag) else None
    return Candidate(path, metadata.size, sha256, git_sha1)


def _licence(info: Any) -> str | None:
    """The licence that the model card states, else the one of the repository's tags."""
    card = getattr(info, "card_data", None)
    stated = card.get("license") if card is not None else None
    if isinstance(stated, str):
        return stated
    tags = [tag.removeprefix("license:") for tag in (info.tags or []) if tag.startswith("license:")]
    return tags[0] if tags else None
