"""A request under way, as its caller sees it."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from queue import SimpleQueue

from longra.engine.request import Request, Text


class Handle:
    """Iterate over it, with `for` or `async for`: it gives each text, each time that it has grown by a token.

    The texts grow whether or not somebody looks on. Errors of the request are raised to who iterates or waits.
    """

    def __init__(self, request: Request, cancel: Callable[[Request], None]) -> None:
        self.request = request
        self._cancel = cancel
        self._grown: SimpleQueue[Text | None] = SimpleQueue()
        self._ended = threading.Event()
        self._wake: Callable[[], object] | None = None
        request.notify = self._put

    def __iter__(self) -> "Handle":
        return self

    def __next__(self) -> Text:
        text = self._grown.get()
        if text is None:
            self._grown.put(None)  # for who asks again
            self._raise()
            raise StopIteration
        return text

    async def __aiter__(self) -> AsyncIterator[Text]:
        import asyncio  # a tenth of the time that `import longra.model` takes

        loop, arrived = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(arrived.set)
        try:
            while True:
                arrived.clear()
                while not self._grown.empty():
                    text = self._grown.get_nowait()
                    if text is None:
                        self._grown.put(None)
                        self._raise()
                        return
                    yield text
                await arrived.wait()
        finally:
            self._wake = None

    def wait(self) -> None:
        """Until the request ends. An exception in the meantime (KeyboardInterrupt too) cancels it."""
        try:
            self._ended.wait()
        finally:
            self.cancel()
        self._raise()

    def cancel(self) -> None:
        """End the request now; its pages are free when this returns."""
        self._cancel(self.request)

    def _put(self, text: Text | None) -> None:
        self._grown.put(text)
        if text is None:
            self._ended.set()
        if self._wake is not None:
            with suppress(RuntimeError):  # the event loop was closed
                self._wake()

    def _raise(self) -> None:
        if self.request.error is not None:
            raise self.request.error
