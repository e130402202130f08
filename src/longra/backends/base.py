"""What an engine asks of a backend: run rows of tokens over paged caches, give logits."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from longra.arrays import Float32, Int32, UInt8
from longra.errors import UsageError

PAGE_TOKENS = 64
"""Tokens of one sequence that a KV page holds, over all layers."""

Arithmetic = Literal["prefill", "decode"]
"""Which kernels compute a step. Prompt tokens take the prefill kernels and generated ones the decode kernels, whatever
the number of rows, so that a text does not depend on chunks or on batch neighbours."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive tokens of one sequence.

    Attributes:
        tokens: ids, int32 [n], n >= 1.
        start: position of the first of them; positions before it are in the cache already.
        pages: the sequence's KV pages in order, int32 [>= ceil((start + n) / PAGE_TOKENS)].
        logits: how many of the last rows' logits are wanted, 0 to n.
        extended: the sequence uses Rope.extended (it may grow beyond Rope.limit).
    """

    tokens: Int32
    start: int
    pages: Int32
    logits: int
    extended: bool = False


def check_mass(mass: Float32, chunks: list[Chunk], arithmetic: Arithmetic) -> None:
    """Raises UsageError unless a step can add its attention to `mass` (see Backend.step)."""
    if arithmetic != "decode" or len(chunks) != 1:
        raise UsageError(f"attention mass is for one sequence's decode rows; got {len(chunks)} sequences, {arithmetic}")
    rows, end = len(chunks[0].tokens), chunks[0].start + len(chunks[0].tokens)
    if mass.dtype != np.float32 or mass.ndim != 2 or len(mass) != rows or mass.shape[1] < end:
        raise UsageError(f"mass must be float32 [{rows}, {end} or more]; got {mass.dtype} {list(mass.shape)}")


class Backend(Protocol):
    """A loaded model. Not thread-safe: one step at a time; beside it, pages that no chunk of it writes to may be read.

    Attributes:
        vocabulary: token ids are smaller.
        page_bytes: size of a KV page.
        threads: of the kernels.
        window: positions that layers with a window see, the most of any such layer; None if all see everything.
        identity: what the bits of a page depend on besides the model and the text: kernels, their arithmetic, the form
            of weights and cache.
    """

    vocabulary: int
    page_bytes: int
    threads: int
    window: int | None
    identity: str

    def reserve(self, pages: int) -> None:
        """Make page numbers 0 to pages - 1 usable. Memory is taken when a page is first written.

        Raises:
            LongraError: there is not that much memory.
        """

    def step(self, chunks: list[Chunk], arithmetic: Arithmetic, mass: Float32 | None = None) -> Float32:
        """Run all chunks; their keys and values enter their pages. Returns logits [sum of chunk.logits, vocabulary].

        With `mass`, float32 [tokens of the chunk, positions], the attention that each row gives to each position, summed
        over heads and layers, is added to it: heads * layers for each row in all (less what attention sinks take). It is
        for the "decode" arithmetic and one chunk; it costs about as much again as the attention itself.

        Raises:
            UsageError: `mass` with several chunks, with "prefill", or of another shape.
        """

    def settle(self) -> None:
        """The model is loaded; give back what only loading needed."""

    def copy_page(self, source: int, target: int) -> None:
        """Copy a page's keys and values (a sequence that branches inside a page)."""

    def slide_page(self, page: int) -> None:
        """Give back what a page holds of layers with a window: no row will see that again, before `write_page`."""

    def read_page(self, page: int) -> UInt8:
        """A copy of a page's keys and values, uint8 [page_bytes]."""

    def write_page(self, page: int, data: UInt8) -> None:
        """Put keys and values that `read_page` gave, uint8 [page_bytes], into a page."""
