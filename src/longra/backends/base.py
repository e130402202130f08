"""What an engine asks of a backend: run rows of tokens over paged caches, give logits."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]
Float32 = npt.NDArray[np.float32]

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


class Backend(Protocol):
    """A loaded model. Not thread-safe: one step at a time."""

    vocabulary: int
    page_bytes: int
    threads: int

    def reserve(self, pages: int) -> None:
        """Make page numbers 0 to pages - 1 usable. Memory is taken when a page is first written.

        Raises:
            LongraError: there is not that much memory.
        """

    def step(self, chunks: list[Chunk], arithmetic: Arithmetic) -> Float32:
        """Run all chunks; their keys and values enter their pages. Returns logits [sum of chunk.logits, vocabulary]."""

    def settle(self) -> None:
        """The model is loaded; give back what only loading needed."""

    def copy_page(self, source: int, target: int) -> None:
        """Copy a page's keys and values (a sequence that branches inside a page)."""
