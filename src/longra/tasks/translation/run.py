"""Translates a document's chains side by side: the engine decodes several texts in one step, for little more than one."""

import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

from longra.tasks.translation.context import Pair, window
from longra.tasks.translation.document import Document, Passage, Segment
from longra.tasks.translation.journal import Journal
from longra.tasks.translation.translator import Outcome, Translator

AT_ONCE = 8
"""Chains. The text does not depend on it; docs/translate.md has what was measured."""

Watch = Callable[[Segment, bool], object]
"""Told of each segment that is done, and whether it was known from before; by one thread at a time."""

_Results = SimpleQueue[Outcome | BaseException]


def unwatched(_segment: Segment, _known: bool) -> None:
    """Nobody looks on."""


def outcomes_of(document: Document, translator: Translator, journal: Journal, watch: Watch) -> Generator[Outcome]:
    """Each segment's outcome, in order, as soon as it and all before it are done.

    Closing the iterator, or an exception while an outcome is awaited (KeyboardInterrupt too), ends what is under way.
    """
    pool = ThreadPoolExecutor(AT_ONCE)
    chains = [(chain, _Results()) for chain in document.chains]
    lock = threading.Lock()

    def tell(segment: Segment, known: bool) -> None:
        with lock:
            watch(segment, known)

    def begin(chains: Sequence[tuple[Sequence[Passage], _Results]]) -> None:
        for chain, results in chains:
            pool.submit(_work, chain, results, translator, journal, tell)

    try:
        begin(chains[:1])
        for number, (chain, results) in enumerate(chains):
            for place, _ in enumerate(segment for passage in chain for segment in passage.segments):
                outcome = results.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                if number == place == 0:  # now the cache has what all prompts begin with
                    begin(chains[1:])
                yield outcome
    finally:
        translator.stop()
        pool.shutdown(cancel_futures=True)


def _work(chain: Sequence[Passage], results: _Results, translator: Translator, journal: Journal, watch: Watch) -> None:
    """Translate a chain, each segment with those before it that went well in sight."""
    pairs: list[Pair] = []
    try:
        for segment in (segment for passage in chain for segment in passage.segments):
            context = window(pairs)
            key = translator.key(segment.text, context)
            outcome = journal.get(key)
            known = outcome is not None
            if outcome is None:
                outcome = translator.translate(segment.text, context)
                journal.put(key, outcome)
            if outcome.text is not None and not outcome.problems:
                pairs.append(Pair(segment.text, outcome.text))
            results.put(outcome)
            watch(segment, known)
    except BaseException as error:
        results.put(error)
