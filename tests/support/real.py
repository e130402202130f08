"""The real models of the tests: found where they are kept, else installed the way users do."""

import os
from pathlib import Path

from longra.library import store
from longra.library.catalogue import entries
from longra.library.install import Order, Way, install, order_entry
from longra.library.progress import Reporter

NAMES = {
    "smollm2": "smollm2-135m-instruct",
    "qwen": "qwen2.5-coder-0.5b-instruct",
    "gemma": "gemma-3-270m",
}
"""Short name -> the catalogue's name."""


def models_folder() -> Path:
    """$LONGRA_TEST_MODELS, else ~/.cache/longra-test-models."""
    return Path(os.environ.get("LONGRA_TEST_MODELS") or Path.home() / ".cache" / "longra-test-models")


def real_model(name: str) -> Path:
    """The GGUF file of a real model ("smollm2", "qwen", "gemma"): the pinned one, the same on every machine.

    Tests that run side by side wait for the one that installs it."""
    entry = entries()[NAMES.get(name, name)]
    pinned = next(source for source in entry.sources if source.sha256 is not None)
    kept = models_folder() / str(pinned.file)
    if kept.exists() and kept.stat().st_size == pinned.bytes:
        return kept
    with _store_at(models_folder() / "store"):
        manifest = install(_only_pinned(order_entry(entry)), Reporter())
        return store.path_of(manifest)


def _only_pinned(order: Order) -> Order:
    """Without the sources that may give another form of the model: the references were made with this one."""
    ways: list[Way] = [way for way in order.ways if way.pin.sha256 is not None]
    return Order(order.name, tuple(ways), order.entry)


class _store_at:  # noqa: N801 (reads as a statement)
    """The store in another place for a while; the tests' own LONGRA_HOME is a temporary folder."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __enter__(self) -> None:
        self._before = os.environ.get("LONGRA_HOME")
        os.environ["LONGRA_HOME"] = str(self._home)

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            del os.environ["LONGRA_HOME"]
        else:
            os.environ["LONGRA_HOME"] = self._before
