"""Writes pages to disk beside the generation, one at a time, on a thread that lives as long as there is something to do."""

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from longra.engine.page_folder import PageFolder
from longra.engine.prefix_tree import Node

Read = Callable[[Node], bytes | None]

_NICENESS = 10  # the kernels' threads come first


class PageWriter:
    """A queue of texts to store.

    Python waits for the thread before it exits, so that what was queued is written without a word from anybody.

    Args:
        folder: where to.
        warn: is told, once, why pages cannot be written; nothing is written from then on.
    """

    def __init__(self, folder: PageFolder, warn: Callable[[str], None]) -> None:
        self._folder = folder
        self._warn = warn
        self._texts: deque[tuple[list[Node], Read]] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._failed = False

    def put(self, path: list[Node], read: Read) -> None:
        """Store the pages of a text that are not stored yet; those that are count as used now.

        Args:
            read: the bytes of a node's page; None if it is no longer in memory.
        """
        with self._lock:
            if self._failed or not path:
                return
            self._texts.append((path, read))
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="longra pages", daemon=False)
                with suppress(RuntimeError):  # Python is about to leave: what is left is not stored
                    thread.start()
                    self._thread = thread

    def wait(self) -> None:
        """Until all that was put is written."""
        while (thread := self._thread) is not None:
            thread.join()

    def _run(self) -> None:
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while (text := self._next()) is not None:
            try:
                self._store(*text)
            except OSError as problem:
                self._failed = True
                self._warn(
                    f"the cache on disk cannot be written: {self._folder.folder.parent}: {problem.strerror}; the text is "
                    "not touched by this; free some space, or turn it off with --cache-dir none"
                )
            except BaseException:  # a fault: nobody may wait for this thread
                with self._lock:
                    self._failed, self._thread = True, None
                raise

    def _next(self) -> tuple[list[Node], Read] | None:
        with self._lock:
            if self._texts and not self._failed:
                return self._texts.popleft()
            self._texts.clear()
            self._thread = None
            return None

    def _store(self, path: list[Node], read: Read) -> None:
        """Store what is missing. Of a text, what follows counts as used before what it follows, and is deleted first."""
        now = time.time_ns()
        for number, node in enumerate(path):
            head, used = node.head(self._folder.page_bytes), now - number
            if node.stored and self._folder.touch(head, used):
                continue
            page = read(node)
            try:
                node.stored = page is not None and self._folder.write(head, page, used)
            except FileNotFoundError:  # another process has just emptied the cache
                node.stored = False
