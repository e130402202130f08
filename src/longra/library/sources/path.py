"""A model that the user already has on disk: it stays where it is, the store records where and its hashes."""

from dataclasses import dataclass
from pathlib import Path

from longra.errors import SourceError
from longra.library.manifest import StoredFile, sha256_of
from longra.library.names import slug
from longra.library.paths import existing_path
from longra.library.progress import Reporter
from longra.library.sources.base import Delivery, Pin, require_gguf
from longra.library.sources.choose import Candidate, choose_files


@dataclass(frozen=True)
class PathSource:
    """A GGUF file, or a folder as Hugging Face lays them out."""

    path: Path

    @property
    def text(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        return slug(self.path.name)

    def deliver(self, staging: Path, pin: Pin, reporter: Reporter) -> Delivery:  # noqa: ARG002 (Source's)
        """Hash the files where they are; nothing is put into the staging folder."""
        try:
            return self._hashed(reporter)
        except OSError as problem:
            raise SourceError(f"{self.path} cannot be read: {problem.strerror}") from problem

    def _hashed(self, reporter: Reporter) -> Delivery:
        if self.path.is_file():
            require_gguf(self.path, str(self.path))
        chosen = [self.path.name] if self.path.is_file() else self._files_of_folder()
        root = self.path.parent if self.path.is_file() else self.path
        stored: list[StoredFile] = []
        total = sum((root / path).stat().st_size for path in chosen)
        with reporter.transfer(self.path.name, total, str(root), "hashing") as bar:
            done = 0
            for path in chosen:
                stored.append(StoredFile(path, (root / path).stat().st_size, sha256_of(root / path)))
                done += stored[-1].bytes
                bar.update(done)
        return Delivery(tuple(stored), ".")

    def _files_of_folder(self) -> list[str]:
        files = [item for item in self.path.iterdir() if item.is_file()]
        return [c.path for c in choose_files([Candidate(item.name) for item in files], None, str(self.path))]


def path_source(text: str) -> PathSource:
    """A source from a path that exists; raises SourceError if it does not."""
    path = existing_path(text)
    if path is None:
        raise SourceError(f"{text!r} does not exist; check the path")
    return PathSource(path.absolute())
