"""Installing a model: its sources in order, one process at a time, whole or not at all."""

import errno
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from longra.errors import SourceError, StoreError, UsageError
from longra.library import store
from longra.library.catalogue import Entry, entries, entry_of_source
from longra.library.http import UnreachableError
from longra.library.lock import locked
from longra.library.manifest import FILE_NAME, Manifest, read_manifest
from longra.library.names import checked_name
from longra.library.paths import staging_folder, store_home
from longra.library.progress import Reporter
from longra.library.sources import parse_source
from longra.library.sources.base import Delivery, Pin, Source
from longra.library.sources.path import PathSource
from longra.sizes import human_bytes

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


@dataclass(frozen=True)
class Way:
    """One source of a model, with what is known of its file beforehand."""

    source: Source
    pin: Pin


@dataclass(frozen=True)
class Order:
    """What is to be installed: a name, the ways to get it in order, and what the catalogue says of it, if anything."""

    name: str
    ways: tuple[Way, ...]
    entry: Entry | None = None


def order_entry(entry: Entry, name: str | None = None) -> Order:
    """The order for a model of the catalogue, under its own name unless one is given."""
    ways = [Way(parse_source(s.source), Pin(s.file, s.bytes, s.sha256)) for s in entry.sources]
    return Order(checked_name(entry.name if name is None else name), tuple(ways), entry)


def order_source(text: str, name: str | None = None) -> Order:
    """The order for a source, under a name of its own unless one is given.

    A source of the catalogue is known by the catalogue's name and keeps its pinned hash."""
    source = parse_source(text)
    entry = entry_of_source(source.text)
    if entry is not None:
        pins = {s.source: Pin(s.file, s.bytes, s.sha256) for s in entry.sources}
        return Order(checked_name(entry.name if name is None else name), (Way(source, pins[source.text]),), entry)
    chosen = checked_name(source.name if name is None else name)
    if chosen in entries() and name is None:
        chosen = _apart(source, chosen)
    return Order(chosen, (Way(source, Pin()),))


def _apart(source: Source, name: str) -> str:
    """A name for a source whose own name is one of the catalogue's: with a few digits that depend on the source."""
    return f"{name[:80]}-{_key(source)[:6]}"


def install(order: Order, reporter: Reporter, again: bool = False) -> Manifest:
    """Install a model and return its record; one that is there already is left alone, unless `again`.

    Raises SourceError if no source can give it, saying why each could not; StoreError if it cannot be stored;
    UsageError if another model has its name."""
    for folder in (store_home(), staging_folder()):
        store.make_writable(folder)

    def waiting() -> None:
        reporter.note(f"waiting: another process is installing {order.name}")

    with locked(store.lock_of(order.name), waiting):
        present = _present(order)
        if present is not None and not again:
            return present
        problems: list[tuple[Way, SourceError]] = []
        for number, way in enumerate(order.ways):
            try:
                return _install_from(way, order, reporter)
            except SourceError as problem:
                problems.append((way, problem))
                if number + 1 < len(order.ways):
                    reporter.note(f"{way.source.text}: {problem}\ntrying the next source")
        raise _failure(order, problems)


def _present(order: Order) -> Manifest | None:
    """The installed model of the order's name, if there is one; raises UsageError if it is another model."""
    if not (store.folder_of(order.name) / FILE_NAME).exists():
        return None
    manifest = read_manifest(store.folder_of(order.name))
    if order.entry is None and manifest.source not in [way.source.text for way in order.ways]:
        raise UsageError(
            f"the name {order.name} is taken by a model from {manifest.source}; give this one another with --name NAME,"
            f" or type `longra remove {order.name}` first"
        )
    return manifest


def _install_from(way: Way, order: Order, reporter: Reporter) -> Manifest:
    staging = staging_folder() / f"{order.name}~{_key(way.source)}"
    staging.mkdir(exist_ok=True)
    with _storage_errors(staging), _no_empty_folder(staging):
        delivery = way.source.deliver(staging, way.pin, reporter)
        manifest = _manifest(way.source, delivery, order)
        _sweep(staging, manifest)
        store.commit(staging, manifest)
        for leftover in store.staging_of(order.name):  # of sources that failed before this one did not
            store.discard(leftover)
        store.empty_trash()
    reporter.step(f"installed {order.name} ({human_bytes(manifest.bytes)}) in {store.path_of(manifest)}")
    return manifest


@contextmanager
def _no_empty_folder(staging: Path) -> Iterator[None]:
    """Leave no trace of an install that failed before its first byte."""
    try:
        yield
    except BaseException:
        if not any(staging.iterdir()):
            staging.rmdir()
        raise


def _key(source: Source) -> str:
    """Tells the staging folders of one model's sources apart, the same in every run."""
    return hashlib.sha256(source.text.encode()).hexdigest()[:12]


@contextmanager
def _storage_errors(staging: Path) -> Iterator[None]:
    """Say what a full or broken disk means; what was downloaded stays for the next try."""
    try:
        yield
    except OSError as problem:
        if problem.errno in _FULL:
            free = human_bytes(store.free_bytes(staging))
            raise StoreError(
                f"the disk of {staging.parent} became full ({free} free): {problem.strerror}; free some space, or set"
                " LONGRA_HOME to a folder on a larger disk, and type the same command to go on"
            ) from problem
        raise StoreError(f"the store cannot be written: {problem}") from problem


def _manifest(source: Source, delivery: Delivery, order: Order) -> Manifest:
    entry = order.entry
    return Manifest(
        name=order.name,
        source=source.text,
        installed=datetime.now(UTC).isoformat(timespec="seconds"),
        files=delivery.files,
        entry=delivery.entry,
        revision=delivery.revision,
        licence=entry.licence if entry else delivery.licence,
        task=entry.task if entry else None,
        context=entry.context if entry else None,
        parameters=entry.parameters if entry else None,
        hub=entry.hub if entry else _hub_of(source),
        reference=str(source.path) if isinstance(source, PathSource) else None,
    )


def _hub_of(source: Source) -> str | None:
    """ORG/REPO of a source that is one, by which the model is found again."""
    from longra.library.sources.hf import HfSource

    return source.reference.repository if isinstance(source, HfSource) else None


def _sweep(staging: Path, manifest: Manifest) -> None:
    """Delete what is not of the model: records of the download, files of an earlier revision."""
    kept = {staging / file.path for file in manifest.files} if manifest.reference is None else set()
    for path in sorted(staging.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            if not any(file.is_relative_to(path) for file in kept):
                shutil.rmtree(path, ignore_errors=True)  # a pip that outlived its killed parent may be writing there
        elif path not in kept:
            path.unlink(missing_ok=True)


def _network_hint(order: Order) -> str:
    uses_hub = any(way.source.text.startswith("hf:") for way in order.ways)
    mirror = ", or HF_ENDPOINT to a mirror of the Hub" if uses_hub else ""
    return f"check the network, or set HTTPS_PROXY{mirror}; `longra doctor` shows which hosts answer"


def _failure(order: Order, problems: list[tuple[Way, SourceError]]) -> SourceError:
    if len(problems) == 1:
        problem = problems[0][1]
        if not isinstance(problem, UnreachableError):
            return problem
        return SourceError(f"{problem}; {_network_hint(order)}")
    reasons = "\n".join(f"  {way.source.text}: {problem}" for way, problem in problems)
    return SourceError(
        f"{order.name} could not be installed: {len(problems)} sources were tried\n{reasons}\n"
        f"{_network_hint(order)}; what came so far is kept, and the same command goes on"
    )
