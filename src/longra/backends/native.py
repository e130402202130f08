"""The C++ kernels on a CPU: a graph is lowered to a plan once; a step replays it in one call, without the GIL."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from longra import _native
from longra.arrays import Float32, UInt8
from longra.backends.base import PAGE_TOKENS, Arithmetic, Chunk, check_mass
from longra.backends.lowering import Lowering
from longra.errors import LongraError, UsageError
from longra.graph import Graph

if TYPE_CHECKING:
    from longra.files.spec import ModelSpec

WEIGHTS = ("f32", "bf16", "q8", "q4")
CACHES = ("f32", "bf16", "q8")
DEFAULT_CACHE = "bf16"
_MAX_THREADS = 256


def choose_isa() -> str:
    """The instruction set that kernels use: LONGRA_ISA if set, else the best that this machine can run.

    Raises:
        UsageError: LONGRA_ISA names a set that was not built or that this machine cannot run.
    """
    usable = _native.usable()
    wanted = os.environ.get("LONGRA_ISA")
    if not wanted:
        return usable[0]
    if wanted not in usable:
        raise UsageError(f"LONGRA_ISA={wanted} cannot run on this machine; choose from {', '.join(usable)}")
    return wanted


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class NativeBackend:
    """A Backend (see base.py) on the native kernels.

    Args:
        graph: the model; its tensors are packed here and not needed afterwards.
        spec: the model's description.
        threads: threads of the kernels; None for one a core.
        release: called now and then while weights are packed, to give back memory of the mapped file.
        weights: "f32", "bf16", "q8" or "q4" to store all matrices so; None keeps the file's quantised codes and takes
            bf16 for float tensors.
        cache: "f32", "bf16" or "q8" to hold keys and values so; None takes DEFAULT_CACHE, or "f32" (the reference) where
            the weights are "f32".

    Raises:
        UsageError: a parameter is out of range.
        LongraError: the weights do not fit into memory.
    """

    def __init__(
        self,
        graph: Graph,
        spec: "ModelSpec",
        threads: int | None = None,
        weights: str | None = None,
        release: Callable[[], None] = lambda: None,
        cache: str | None = None,
    ) -> None:
        self.threads = cores() if threads is None else threads
        if not isinstance(self.threads, int) or not 1 <= self.threads <= _MAX_THREADS:
            raise UsageError(f"--threads {self.threads} is out of range; choose 1 to {_MAX_THREADS}")
        if weights is not None and weights not in WEIGHTS:
            raise UsageError(f"weights {weights!r} is unknown; choose from {', '.join(WEIGHTS)}")
        if cache is not None and cache not in CACHES:
            raise UsageError(f"cache {cache!r} is unknown; choose from {', '.join(CACHES)}")
        self.cache = cache or ("f32" if weights == "f32" else DEFAULT_CACHE)
        self.isa = choose_isa()
        self.vocabulary = graph.output.width
        self.positions = spec.context
        self.window = graph.window
        self._width = -(-self.vocabulary // 16) * 16
        try:
            self._plan = _native.Plan(self.threads, self.isa)
            Lowering(self._plan, graph, weights or "", self.cache, release)
        except MemoryError:
            raise LongraError("the weights do not fit into memory; choose a smaller model, or --weights q4") from None
        except ValueError as problem:
            raise LongraError(f"the weights cannot be packed: {problem}; try --weights bf16") from None
        self.identity = f"native {self.isa}, weights {weights or 'as stored'}, cache {self.cache}"
        self.page_bytes = self._plan.page_bytes
        self.weight_bytes = self._plan.weight_bytes
        self.product_bytes = self._plan.product_bytes
        self.product_weights = self._plan.product_weights
        self._pages = 0

    def reserve(self, pages: int) -> None:
        """Make page numbers 0 to pages - 1 usable; memory is taken as they are written."""
        if pages <= self._pages:
            return
        try:
            self._plan.reserve(pages)
        except MemoryError:
            gigabytes = pages * self.page_bytes / 1e9
            raise LongraError(f"a cache of {gigabytes:.1f} GB cannot be reserved; allow more (`ulimit -v`)") from None
        self._pages = pages

    def settle(self) -> None:
        """Freed memory goes back to the system: readers and tokenizers leave up to 80 MB of it behind."""
        _native.trim()

    def copy_page(self, source: int, target: int) -> None:
        """Copy a page's keys and values."""
        self._plan.copy_page(source, target)

    def slide_page(self, page: int) -> None:
        """Give back what a page holds of layers with a window."""
        self._plan.slide_page(page)

    def read_page(self, page: int) -> UInt8:
        """A copy of a page's keys and values, uint8 [page_bytes]."""
        data = np.empty(self.page_bytes, np.uint8)
        self._plan.read_page(page, data)
        return data

    def write_page(self, page: int, data: UInt8) -> None:
        """Put keys and values that `read_page` gave, uint8 [page_bytes], into a page."""
        self._plan.write_page(page, data)

    def step(self, chunks: list[Chunk], arithmetic: Arithmetic, mass: Float32 | None = None) -> Float32:
        """Run all chunks; see Backend.step. Chunks of any length are cut into runs of at most _native.MAX_ROWS rows."""
        if mass is not None:
            check_mass(mass, chunks, arithmetic)
        results: list[Float32] = []
        for i, group in enumerate(_groups(chunks, _native.MAX_ROWS)):
            part = None if mass is None else mass[i * _native.MAX_ROWS : (i + 1) * _native.MAX_ROWS]
            results.append(self._run(group, arithmetic, part))
        return results[0] if len(results) == 1 else np.concatenate(results)

    def read_rate(self, size: int) -> float:
        """Bytes a second at which all threads together read `size` bytes: the best of a few, now."""
        return self._plan.read_rate(size)

    def multiply_rate(self) -> float:
        """Operations a second of all threads on random operands from the first-level cache, now."""
        return self._plan.multiply_rate()

    def _run(self, chunks: list[Chunk], arithmetic: Arithmetic, mass: Float32 | None) -> Float32:
        segments: list[tuple[int, int, int, bool]] = []
        wanted: list[int] = []
        offset = row = 0
        for chunk in chunks:
            if int(chunk.pages.max(initial=0)) >= self._pages or int(chunk.pages.min(initial=0)) < 0:
                raise ValueError("a chunk's page is not reserved")
            size = len(chunk.tokens)
            segments.append((size, chunk.start, offset, chunk.extended))
            wanted.extend(range(row + size - chunk.logits, row + size))
            offset += len(chunk.pages)
            row += size
        tokens = np.concatenate([chunk.tokens for chunk in chunks]).astype(np.int32, copy=False)
        if int(tokens.min()) < 0 or int(tokens.max()) >= self.vocabulary:
            raise UsageError(
                f"token ids must be 0 to {self.vocabulary - 1}; got {int(tokens.min())} to {int(tokens.max())}"
            )
        pages = np.concatenate([chunk.pages for chunk in chunks]).astype(np.int32, copy=False)
        out = np.empty((len(wanted), self._width), np.float32)
        self._plan.step(arithmetic == "decode", tokens, segments, pages, np.array(wanted, np.int32), out, mass)
        return out[:, : self.vocabulary]


def _groups(chunks: list[Chunk], most: int) -> list[list[Chunk]]:
    """The chunks in order, cut so that each group has at most `most` rows."""
    groups: list[list[Chunk]] = [[]]
    room = most
    for chunk in chunks:
        done = 0
        while done < len(chunk.tokens):
            if room == 0:
                groups.append([])
                room = most
            size = min(room, len(chunk.tokens) - done)
            after = len(chunk.tokens) - done - size
            groups[-1].append(
                Chunk(
                    chunk.tokens[done : done + size],
                    chunk.start + done,
                    chunk.pages,
                    max(0, min(size, chunk.logits - after)),
                    chunk.extended,
                )
            )
            done += size
            room -= size
    return groups


__all__ = ["CACHES", "PAGE_TOKENS", "WEIGHTS", "NativeBackend", "choose_isa", "cores"]
