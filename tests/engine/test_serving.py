"""Many callers at once: threads, asyncio, errors of one beside the others, the end of the process."""

import asyncio
import gc
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from plain import plain_text, texts_of, tokens_of
from toy import ToyBackend

from longra.arrays import Float32
from longra.engine import Engine, Request, Text
from longra.engine.page_folder import PageFolder
from longra.sampling import Choice


def request_of(number: int, most: int = 30) -> Request:
    return Request([number, 2, 3] * (5 + number), texts_of(2, most))


def check(request: Request, most: int = 30) -> None:
    for text in request.texts:
        assert tokens_of(text) == plain_text(list(request.prompt), text.index, most)


def test_many_threads_share_steps_and_get_their_own_texts() -> None:
    toy = ToyBackend()
    engine = Engine(toy, pages=200)
    requests = [request_of(number) for number in range(8)]
    threads = [threading.Thread(target=lambda r=request: engine.submit(r).wait()) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for request in requests:
        check(request)
    assert max(len(rows) for kind, rows in toy.steps if kind == "decode") > 2
    assert engine.pool.used == 0


def test_the_thread_ends_when_there_is_nothing_to_do_and_comes_back() -> None:
    engine = Engine(ToyBackend(), pages=20)
    for _ in range(2):
        engine.submit(request := request_of(1)).wait()
        check(request)
        for thread in threading.enumerate():
            if thread.name == "longra steps":
                thread.join(5)
                assert not thread.is_alive()


def test_iterating_gives_a_text_for_each_token() -> None:
    request = request_of(1)
    seen = [text.index for text in Engine(ToyBackend(), pages=20).submit(request)]
    assert sorted(seen) == [0] * 30 + [1] * 30


def test_asyncio_reads_many_at_once() -> None:
    engine = Engine(ToyBackend(), pages=200)
    requests = [request_of(number) for number in range(6)]

    async def read(request: Request) -> int:
        return len([text async for text in engine.submit(request)])

    async def read_all() -> list[int]:
        return await asyncio.gather(*(read(request) for request in requests))

    assert asyncio.run(read_all()) == [60] * 6
    for request in requests:
        check(request)


class _Refuses:
    def choose(self, logits: Float32) -> Choice:  # noqa: ARG002
        raise ArithmeticError("no token for you")


def test_an_error_of_one_request_is_raised_to_its_caller_alone() -> None:
    engine = Engine(ToyBackend(), pages=50)
    good = request_of(3)
    bad = Request([1, 2, 3], [Text(0, _Refuses(), 5)])  # type: ignore[arg-type]
    handles = [engine.submit(good), engine.submit(bad)]
    with pytest.raises(ArithmeticError, match="no token for you"):
        handles[1].wait()
    with pytest.raises(ArithmeticError, match="no token for you"):
        next(handles[1])
    handles[0].wait()
    check(good)
    assert engine.pool.used == 0


def test_a_watcher_that_fails_ends_its_request() -> None:
    engine = Engine(ToyBackend(), pages=50)
    request = request_of(1)

    def fail(_: Text) -> None:
        raise ValueError("the watcher broke")

    request.texts[1].watch = fail
    with pytest.raises(ValueError, match="the watcher broke"):
        engine.submit(request).wait()
    assert engine.pool.used == 0


def test_closing_ends_what_runs() -> None:
    engine = Engine(ToyBackend(), pages=50)
    handle = engine.submit(request := request_of(1, 500))
    next(handle)
    engine.close()
    assert request.ended
    assert {text.finish_reason for text in request.texts} == {"cancelled"}
    assert engine.pool.used == 0


def test_an_engine_that_is_let_go_is_freed_at_once(tmp_path: Path) -> None:
    """Gigabytes of weights do not wait for a garbage collection; pages are written to disk before."""
    engine = Engine(ToyBackend(), 50, PageFolder(tmp_path, b"i" * 16, ToyBackend.page_bytes))
    backend = weakref.ref(engine.backend)
    gc.disable()
    try:
        engine.submit(request_of(1, 100)).wait()
        engine.read([1, 2, 3], 1, lambda _: None)
        del engine
        for thread in threading.enumerate():
            if thread.name in ("longra steps", "longra pages"):
                thread.join(5)
        assert backend() is None
    finally:
        gc.enable()
    assert len(list(tmp_path.glob("*/*.page"))) == 4  # 15 + 99 tokens of each of two texts


FORK = """
import os, threading
from longra.engine import Engine
from longra.errors import LongraError
from test_serving import request_of
from toy import ToyBackend

engine = Engine(ToyBackend(), pages=50)
handle = engine.submit(request_of(1, 500))
holder = threading.Thread(target=engine._lock.acquire)  # as a fork in the middle of things finds it
holder.start()
holder.join()
if child := os.fork():
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    os._exit(0)
else:
    try:
        engine.submit(request_of(2))
    except LongraError as error:
        print(error, flush=True)
    handle.cancel()
    engine.close()
    os._exit(7)
"""


def test_a_fork_is_told_that_it_cannot_use_the_model_and_leaves_in_peace() -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORK]
    told = subprocess.check_output(command, cwd=Path(__file__).parent, text=True, timeout=30).splitlines()
    assert told[0].startswith("this process was forked from the one that loaded the model, and has none of its threads")
    assert told[1] == "7"


NO_THREAD = """
import resource
from longra.engine import Engine
from longra.errors import LongraError
from test_serving import check, request_of
from toy import ToyBackend

engine = Engine(ToyBackend(), pages=50)
pages = int(open("/proc/self/statm").read().split()[0])
no_stack = pages * resource.getpagesize() + (1 << 20)
usual = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (no_stack, usual[1]))
try:
    engine.submit(request_of(1))
except LongraError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_AS, usual)
assert engine.scheduler.idle
engine.submit(request := request_of(2)).wait()
check(request)
"""


def test_where_no_thread_can_be_had_that_is_told_and_later_requests_run() -> None:
    told = subprocess.check_output([sys.executable, "-c", NO_THREAD], cwd=Path(__file__).parent, text=True, timeout=30)
    assert told.startswith("the system gives no further thread (can't start new thread)")


def test_no_kernel_runs_under_the_engines_lock() -> None:
    """A request can be cancelled in the middle of a step: its pages are free before the step ends."""
    toy = ToyBackend()
    engine = Engine(toy, pages=50)
    request = request_of(1, 500)
    used = []

    def during() -> None:
        other = threading.Thread(target=engine.cancel, args=(request,))
        other.start()
        other.join(5)
        used.append(engine.pool.used)

    toy.during = during
    engine.submit(request).wait()
    engine.close()  # waits for the step
    assert used == [0]


def test_logits_reach_their_reader() -> None:
    blocks: list[Float32] = []
    Engine(ToyBackend(), pages=10).read([1, 2, 3], 2, blocks.append)
    assert np.concatenate(blocks).shape[0] == 2
