"""Many generations side by side: the engine runs them in shared steps, several times faster than one after the other."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from longra.generation.result import Result
    from longra.generation.stream import Stream
    from longra.model import Model

Job = TypeVar("Job")
Done = TypeVar("Done")

AT_ONCE = 16
"""Texts that grow together."""

Generate = Callable[..., "Result"]
"""As `Model.generate`; raises CancelledError when the whole is given up."""

_GLANCE = 0.2
"""Seconds between two looks at how far all are."""


def together(
    model: "Model",
    jobs: Sequence[Job],
    do: Callable[[Job, Generate], Done],
    at_once: int = AT_ONCE,
    look: Callable[[int], object] = lambda _: None,
) -> Iterator[Done]:
    """Do every job, several at once, and give what each returns as soon as it has ended.

    Whoever leaves the iteration early, by an exception or by closing it, ends what is under way; jobs that have not
    returned by then leave nothing.

    Args:
        do: called with a job and with a function that generates; it runs in a thread.
        look: told now and then how many tokens the texts under way have.
    """
    running = _Running(model)
    todo: SimpleQueue[Job] = SimpleQueue()
    ended: SimpleQueue[Future[Done]] = SimpleQueue()
    for job in jobs:
        todo.put(job)

    def work() -> None:
        while not running.closed:
            try:
                job = todo.get_nowait()
            except Empty:
                return
            future = Future[Done]()
            try:
                future.set_result(do(job, running.generate))
            except BaseException as error:  # raised where the iteration is
                future.set_exception(error)
            ended.put(future)

    # Not a pool: interrupted in `submit` or `wait`, this thread would leave locks behind that the others wait for.
    threads = [threading.Thread(target=work) for _ in range(min(at_once, len(jobs)))]
    left = len(jobs)
    try:
        for thread in threads:
            thread.start()
        while left:
            try:
                future = ended.get(timeout=_GLANCE)
            except Empty:
                pass
            else:
                left -= 1
                yield future.result()
            look(running.tokens)
    finally:
        running.close()
        for thread in threads:
            if thread.ident is not None:
                thread.join()


class _Running:
    """The streams under way."""

    def __init__(self, model: "Model") -> None:
        self._model = model
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def tokens(self) -> int:
        """Of their texts so far."""
        with self._lock:
            return sum(stream.result.completion_tokens for stream in self._streams)

    def generate(self, *prompt_and_config: Any, **how: Any) -> "Result":
        with self._lock:
            if self._closed:
                raise CancelledError
            stream = self._model.stream(*prompt_and_config, **how)
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
