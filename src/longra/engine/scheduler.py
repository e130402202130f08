"""Who runs next: requests wait for pages, prompts are read in chunks that they share, texts grow together."""

import itertools
from bisect import insort
from collections import deque
from dataclasses import dataclass, field

from longra.backends.base import PAGE_TOKENS, Arithmetic, Chunk
from longra.engine.pages import PagePool, pages_for
from longra.engine.prefix import PrefixCache
from longra.engine.request import Request, Text
from longra.engine.sequence import Sequence
from longra.engine.speculation import Speculation
from longra.errors import LongraError

PREFILL_ROWS = 512
"""Tokens of prompts that one step reads: enough to share each unpacked panel of weights."""

SCORED_ROWS = 128
"""Rows whose logits are wanted at once of one prompt: 128 rows of 151,936 float32 are 78 MB."""

GROWING_TEXTS = 64
"""Texts that grow in one step; more take turns."""

CATCH_UP_ROWS = 16
"""Tokens of a text that one step computes again, after the text gave its pages back."""


@dataclass(eq=False)
class Reading:
    """A prompt that is to be read: once for all its continuations, or again for one that gave its pages back."""

    request: Request
    texts: list[Text]
    sequence: Sequence

    @property
    def age(self) -> tuple[int, int]:
        """The older of two readings is the lesser."""
        return self.texts[0].age if self.texts else (self.request.number, 0)

    def chunk(self, share: int) -> Chunk:
        """The next tokens of the prompt, at most `share`. Logits that were used before are not computed again."""
        wanted = 0 if self.texts and self.texts[0].choices else self.request.last
        most = min(share, max(0, self.sequence.unread - wanted) + SCORED_ROWS)
        return self.sequence.chunk(most, wanted)


@dataclass
class Batch:
    """One native step: chunks of prompts, or of texts, each with whom it belongs to."""

    arithmetic: Arithmetic
    work: list[tuple[Reading | Text, Chunk]] = field(default_factory=list)

    @property
    def chunks(self) -> list[Chunk]:
        """What the backend is to run."""
        return [chunk for _, chunk in self.work]

    @property
    def rows(self) -> int:
        """Tokens that it runs."""
        return sum(len(chunk.tokens) for _, chunk in self.work)

    @property
    def requests(self) -> set[Request]:
        """Whom the step serves."""
        return {owner.request for owner, _ in self.work}


class Scheduler:
    """Decides what each step runs.

    A request waits until its prompt's pages are free, and takes them all at once. Prompts share each step that reads;
    such steps take turns with steps in which all texts grow. When a text needs a page and there is none, the youngest
    gives its pages back, waits, and is computed again later, each token by the arithmetic that it had: so it gives
    the same text. The oldest never waits for a younger one, so all come to their end.

    Attributes:
        waiting: for pages, the oldest first.
        reading: prompts on their way into the cache.
        growing: texts whose prompts are read, the next to step first.
        speculation: chooses drafts.
    """

    def __init__(self, pool: PagePool, prefix: PrefixCache) -> None:
        self.pool = pool
        self.prefix = prefix
        self.waiting: list[Reading] = []
        self.reading: list[Reading] = []
        self.growing: deque[Text] = deque()
        self.speculation = Speculation()
        self._numbers = itertools.count()
        self._turn: Arithmetic = "prefill"

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.waiting or self.reading or self.growing)

    @property
    def requests(self) -> set[Request]:
        """All that have not ended."""
        owners: list[Reading | Text] = [*self.waiting, *self.reading, *self.growing]
        return {owner.request for owner in owners}

    def add(self, request: Request) -> None:
        """Let a request wait for its turn.

        Raises:
            LongraError: one of its texts could outgrow the whole cache, or the cache cannot be reserved.
        """
        self._check_fits(request)
        self.pool.reserve()
        request.number = next(self._numbers)
        sequence = Sequence(self.pool, request.prompt, extended=request.extended)
        self.waiting.append(Reading(request, list(request.texts), sequence))

    def schedule(self) -> Batch | None:
        """The next step, or None if there is nothing to do. All its pages are taken."""
        self._admit()
        if self.reading and (self._turn == "prefill" or not self.growing):
            self._turn = "decode"
            return self._read()
        self._turn = "prefill"
        return self._grow() if self.growing else None

    def begin_texts(self, reading: Reading) -> None:
        """A prompt is read: its texts grow from here."""
        self.reading.remove(reading)
        for text in reading.texts[1:]:
            text.sequence = reading.sequence.fork()
        if reading.texts:
            reading.texts[0].sequence = reading.sequence
            self.prefix.keep(reading.sequence, whole=True)
        else:
            reading.sequence.release()
        self.growing.extend(reading.texts)

    def retire(self, text: Text) -> None:
        """A text is finished: its pages go back."""
        self.growing.remove(text)
        self._stop(text)

    def drop(self, request: Request) -> None:
        """Forget a request, wherever it is; its pages go back."""
        for text in [text for text in self.growing if text.request is request]:
            self.retire(text)
        for reading in [reading for reading in self.reading if reading.request is request]:
            self._put_down(reading)
        self.waiting = [reading for reading in self.waiting if reading.request is not request]

    def _start(self, reading: Reading) -> None:
        """Take the pages of a prompt, and of what had grown from it; those that are known need not be computed."""
        sequence = reading.sequence
        if reading.texts:
            self.prefix.adopt(sequence)
            if sequence.missing(len(sequence.tokens)) > self.pool.available:
                sequence.release()  # a page that is used in part needs a second one, and there is none
            reading.request.cached_tokens = reading.request.read_tokens = min(sequence.cached, sequence.prompt)
        sequence.make_room(len(sequence.tokens))
        self.reading.append(reading)
        if not sequence.unread:
            self.begin_texts(reading)

    def _put_down(self, reading: Reading) -> None:
        """A prompt is not read on; what was read is remembered, but for what was to be scored."""
        self.reading.remove(reading)
        if reading.texts:
            self.prefix.keep(reading.sequence)
        reading.sequence.release()

    def _admit(self) -> None:
        """Start the oldest that wait, as long as their pages are free and every text that runs could take one more."""
        while self.waiting:
            first = self.waiting[0]
            reserve = len(first.texts) + len(self.growing) + sum(len(reading.texts) for reading in self.reading)
            fits = pages_for(len(first.sequence.tokens)) + reserve <= self.pool.available
            if not fits and (self.reading or self.growing):
                return
            self._start(self.waiting.pop(0))

    def _read(self) -> Batch:
        """A step's rows in equal shares; what a short prompt leaves of its share goes to the longer ones."""
        batch = Batch("prefill")
        room = PREFILL_ROWS
        queue = sorted(self.reading, key=lambda reading: reading.sequence.unread)
        for place, reading in enumerate(queue):
            if share := room // (len(queue) - place):
                chunk = reading.chunk(share)
                room -= len(chunk.tokens)
                batch.work.append((reading, chunk))
        return batch

    def _grow(self) -> Batch:
        """A token of each text whose turn it is; the oldest are served first."""
        batch = Batch("decode")
        turn = list(itertools.islice(self.growing, GROWING_TEXTS))
        self.growing.rotate(-len(turn))
        for text in sorted(turn, key=lambda text: text.age):
            if text.sequence is not None and self._make_room(text, text.sequence):
                batch.work.append((text, text.sequence.chunk(CATCH_UP_ROWS, logits=1)))
        self._add_drafts(batch)
        return batch

    def _add_drafts(self, batch: Batch) -> None:
        """More rows for texts whose next tokens can be guessed, as far as there are pages that nobody needs."""
        certain = [(text, chunk) for text, chunk in batch.work if isinstance(text, Text) and chunk.logits]
        drafts = self.speculation.choose([text for text, _ in certain], batch.rows)
        longer: dict[Reading | Text, Chunk] = {}
        for (text, chunk), draft in zip(certain, drafts, strict=True):
            sequence = text.sequence
            if draft and sequence and sequence.missing(len(sequence.tokens) + len(draft)) <= self.pool.available:
                longer[text] = sequence.chunk(len(chunk.tokens), 1, draft)
        batch.work = [(owner, longer.get(owner, chunk)) for owner, chunk in batch.work]

    def _make_room(self, text: Text, sequence: Sequence) -> bool:
        """Pages for a text's next tokens. False if there are none and it was itself the youngest, to be put back."""
        end = sequence.cached + min(sequence.pending, CATCH_UP_ROWS)
        while sequence.missing(end) > self.pool.available:
            if self._preempt_youngest() is text:
                return False
        return True

    def _preempt_youngest(self) -> Reading | Text:
        """Put the youngest back among those that wait; nothing but time is lost."""
        running: list[Reading | Text] = [*self.reading, *self.growing]
        youngest = max(running, key=lambda owner: owner.age)
        if isinstance(youngest, Text):
            again = self._again(youngest)
            self.retire(youngest)
        else:
            again = youngest
            self._put_down(again)
        insort(self.waiting, again, key=lambda reading: reading.age)
        return youngest

    def _again(self, text: Text) -> Reading:
        """What a text needs to be computed again."""
        request = text.request
        written = [choice.token for choice in text.choices]
        return Reading(request, [text], Sequence(self.pool, request.prompt, written, request.extended))

    def _stop(self, text: Text) -> None:
        if text.sequence is not None:
            self.prefix.keep(text.sequence)
            text.sequence.release()
            text.sequence = None

    def _check_fits(self, request: Request) -> None:
        needed = pages_for(request.longest)
        if needed > self.pool.limit:
            gigabytes = self.pool.limit * self.pool.backend.page_bytes / 1e9
            raise LongraError(
                f"the prompt has {len(request.prompt):,} tokens and may grow to {request.longest + 1:,}; the cache holds "
                f"{self.pool.limit * PAGE_TOKENS:,} ({gigabytes:.1f} GB); shorten it, or ask for fewer new tokens"
            )
