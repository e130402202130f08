"""The loop: schedule, run, postprocess."""

import atexit
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as Items
from contextlib import contextmanager

from longra.arrays import Float32
from longra.backends.base import PAGE_TOKENS, Backend, Chunk
from longra.engine.handle import Handle
from longra.engine.page_folder import PageFolder
from longra.engine.pages import PagePool
from longra.engine.prefix import PrefixCache
from longra.engine.request import Request, Text, nobody
from longra.engine.scheduler import Batch, Reading, Scheduler
from longra.engine.sequence import Sequence
from longra.errors import LongraError


class Engine:
    """Runs requests of many threads on a backend, together.

    Prompt tokens take the prefill arithmetic and generated ones the decode arithmetic, whatever runs beside them, so a
    text depends on its prompt and sampler alone; unless not `strict`, when it also depends, in the last bits of its
    logits, on what of its prompt the engine has written itself before (see PrefixCache).

    A thread steps for as long as there is something to do. Nothing else calls the backend; kernels run without the
    interpreter lock and without the engine's own, so that requests come and go meanwhile.
    """

    def __init__(
        self,
        backend: Backend,
        pages: int | None = None,
        folder: PageFolder | None = None,
        strict: bool = True,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.backend = backend
        self.pool = PagePool(backend, pages)
        self.prefix = PrefixCache(self.pool, folder, strict, warn)
        self.scheduler = Scheduler(self.pool, self.prefix)
        self._lock = threading.RLock()
        self._stepping = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process = os.getpid()

    def submit(self, request: Request) -> Handle:
        """Have a request run from now on.

        Raises:
            LongraError: it could never run: the cache is too small, this process is a fork of the engine's, or the system
                gives no thread.
        """
        self._check_process()
        handle = Handle(request, self.cancel)
        with self._lock:
            self.scheduler.add(request)
            if self._thread is None:
                self._start(request)
        return handle

    def read(self, tokens: Items[int], last: int, take: Callable[[Float32], None], extended: bool = False) -> None:
        """Read a text by prefill.

        Args:
            take: called with the logits of the last positions, in blocks [at most SCORED_ROWS, vocabulary].
        """
        self.submit(Request(tokens, [], extended=extended, last=last, take=take)).wait()

    def cancel(self, request: Request) -> None:
        """End a request, in whatever state it is; its pages are free when this returns."""
        if self._forked:
            return
        with self._lock:
            self._end(request)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Requests wait meanwhile: for a caller that runs the backend itself, on pages of the pool; raises as `submit`."""
        self._check_process()
        with self._stepping, self._lock:
            yield

    def close(self) -> None:
        """Cancel all requests and wait until the last step has ended."""
        if self._forked:
            return
        with self._lock:
            self._end_all(self.scheduler.requests)
            thread = self._thread
        if thread is not None:
            thread.join()

    def step(self) -> None:
        """One step of what is to be done, if anything is. `submit` has a thread call this."""
        with self._lock:
            batch = self.scheduler.schedule()
        if batch is None:
            return
        began = time.perf_counter()
        try:
            with self._stepping:
                rows = self.backend.step(batch.chunks, batch.arithmetic)
        except Exception as error:
            with self._lock:
                self._end_all(batch.requests, error)
            return
        if batch.arithmetic == "decode":
            self.scheduler.speculation.times.add(batch.rows, time.perf_counter() - began)
        with self._lock:
            self._postprocess(batch, rows)

    @property
    def _forked(self) -> bool:
        """Whether this process is a fork of the engine's: it has none of the threads, and locks that nobody opens."""
        return self._process != os.getpid()

    def _check_process(self) -> None:
        if self._forked:
            raise LongraError(
                "this process was forked from the one that loaded the model, and has none of its threads; load the model "
                'here, or start processes by multiprocessing.get_context("spawn")'
            )

    def _start(self, request: Request) -> None:
        """Begin to step, for a first request."""
        thread = threading.Thread(target=self._run, name="longra steps", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self.scheduler.drop(request)
            raise LongraError(f"the system gives no further thread ({error}); end some, or raise its limits") from error
        self._thread = thread
        atexit.register(self.close)

    def _run(self) -> None:
        while True:
            with self._lock:
                if self.scheduler.idle:
                    self._thread = None
                    atexit.unregister(self.close)
                    return
            try:
                self.step()
            except Exception as error:  # nobody may wait for ever
                with self._lock:
                    self._end_all(self.scheduler.requests, error)

    def _postprocess(self, batch: Batch, rows: Float32) -> None:
        """Hand a step's logits [rows, vocabulary] to those that they belong to. An error ends its own request alone."""
        start = 0
        for owner, chunk in batch.work:
            own = rows[start : start + chunk.logits]
            start += chunk.logits
            if owner.request.ended:  # while the step ran
                continue
            try:
                if isinstance(owner, Reading):
                    self._has_read(owner, chunk, own)
                else:
                    self._has_grown(owner, chunk, own)
            except Exception as error:
                self._end(owner.request, error)

    def _has_read(self, reading: Reading, chunk: Chunk, rows: Float32) -> None:
        """More of a prompt is in the cache. At its end each continuation chooses its first token."""
        self._advance(reading.sequence, len(chunk.tokens), keep=bool(reading.texts))
        reading.request.read_tokens = min(reading.sequence.cached, reading.sequence.prompt)
        if not reading.texts and len(rows):
            reading.request.take(rows)
        if reading.sequence.unread:
            return
        self.scheduler.begin_texts(reading)
        if not reading.texts:
            self._end(reading.request)
        for text in reading.texts:
            if not text.choices:
                self._add_token(text, rows[-1])

    def _has_grown(self, text: Text, chunk: Chunk, rows: Float32) -> None:
        """The next token from the row of the last certain one, and more as long as the drafts are what was chosen.

        Keys and values of drafts that were not are written over by what comes in their place.
        """
        sequence = text.sequence
        assert sequence is not None
        drafts = chunk.tokens[len(chunk.tokens) - chunk.logits + 1 :].tolist() if chunk.logits else []
        text.drafted += len(drafts)
        self._advance(sequence, len(chunk.tokens) - len(drafts))
        for row, draft in zip(rows, [*drafts, None], strict=False):
            self._add_token(text, row)
            if text.finish_reason is not None or text.choices[-1].token != draft:
                return
            text.accepted += 1
            self._advance(sequence, 1)

    def _advance(self, sequence: Sequence, count: int, keep: bool = True) -> None:
        """`count` more tokens are in the cache; with each page that they fill, others may leave a window."""
        pages = sequence.cached // PAGE_TOKENS
        sequence.advance(count)
        if sequence.cached // PAGE_TOKENS > pages:
            self.prefix.slide(sequence, keep)

    def _add_token(self, text: Text, row: Float32) -> None:
        """Let a text choose its next token, and see what that ends."""
        choice = text.sampler.choose(row)
        if text.sequence is not None:
            text.sequence.tokens.append(choice.token)
        text.add(choice)
        if text.finish_reason is not None:
            self.scheduler.retire(text)
        text.request.notify(text)
        if all(other.finish_reason is not None for other in text.request.texts):
            self._end(text.request)

    def _end(self, request: Request, error: Exception | None = None) -> None:
        """A request is done, was cancelled or failed."""
        if request.ended:
            return
        request.ended, request.error = True, error
        request.cancel()
        self.scheduler.drop(request)
        request.notify(None)
        request.notify = nobody  # no circle through the handle would keep the engine until a garbage collection

    def _end_all(self, requests: Iterable[Request], error: Exception | None = None) -> None:
        for request in requests:
            self._end(request, error)
