"""Many generations side by side: the engine runs them in shared steps, several times faster than one after the other."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from longra.generation.result import Result
    from longra.generation.stream import Stream
    from longra.model import Model
    from longra.sampling import GenerationConfig

Job = TypeVar("Job")
Done = TypeVar("Done")

AT_ONCE = 16
"""Texts that grow together."""

Generate = Callable[[Sequence[int], "GenerationConfig"], "Result"]
"""Continues token ids; raises CancelledError when the whole is given up."""


def together(
    model: "Model", jobs: Sequence[Job], do: Callable[[Job, Generate], Done], at_once: int = AT_ONCE
) -> Iterator[Done]:
    """Do every job, several at once, and give what each returns as soon as it has ended.

    Whoever leaves the iteration early, by an exception or by closing it, ends what is under way; jobs that have not
    returned by then leave nothing.

    Args:
        do: called with a job and with a function that generates; it runs in a thread.
    """
    running = _Running(model)
    pool = ThreadPoolExecutor(at_once)
    try:
        for future in as_completed([pool.submit(do, job, running.generate) for job in jobs]):
            yield future.result()
    finally:
        running.close()
        pool.shutdown(cancel_futures=True)


class _Running:
    """The streams under way."""

    def __init__(self, model: "Model") -> None:
        self._model = model
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._closed = False

    def generate(self, ids: Sequence[int], config: "GenerationConfig") -> "Result":
        with self._lock:
            if self._closed:
                raise CancelledError
            stream = self._model.stream(ids, config)
            self._streams.add(stream)
        result = stream.wait()
        with self._lock:
            self._streams.discard(stream)
            if self._closed:
                raise CancelledError
        return result

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for stream in self._streams:
                stream.close()
