"""The sums: what memory a model takes, and what it must read for each token."""

from dataclasses import dataclass

from longra.library.catalogue import Entry, Shape

STORED_BITS = {"F32": 16.0, "F16": 16.0, "BF16": 16.0, "Q8_0": 8.5, "Q4_1": 5.0, "Q4_K_M": 4.9}
"""Bits for each weight of a file whose size is not known; floats are held as bf16. Q4_K_M keeps some matrices wider."""
HELD_BITS = {"q8": 8.5, "q4": 5.0}
"""The same under `--weights`."""
BASE_BYTES = 70e6
"""The interpreter, its libraries and the buffers of a step."""
ENTRY_BYTES = 800
"""For each entry of the vocabulary: its tokenizer. Both were measured: 103 MB for 49,152 entries, 172 for 151,936, 263
for 262,144."""
CACHE_BYTES = 2
"""Of one number of a key or value: bf16, the default."""


@dataclass(frozen=True)
class Form:
    """How weights are held.

    Attributes:
        stored: as the catalogue names the file's form.
        option: what `--weights` is to be; None holds the file's own.
        bits: for each weight.
    """

    stored: str
    option: str | None
    bits: float

    @property
    def name(self) -> str:
        """What to call it in a table."""
        return self.stored if self.option is None else f"{self.stored}, --weights {self.option}"


@dataclass(frozen=True)
class Needs:
    """Memory that a model takes, in bytes."""

    weights: float
    cache: float
    overhead: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.weights + self.cache + self.overhead


def forms(entry: Entry) -> list[Form]:
    """How a model can be held, the most exact first: as its first source stores it, then in fewer bits."""
    source = entry.sources[0]
    bits = STORED_BITS[source.form.split()[-1]] if source.bytes is None else 8 * source.bytes / entry.parameters
    smaller = [Form(source.form, option, held) for option, held in HELD_BITS.items() if held < 0.8 * bits]
    return [Form(source.form, None, bits), *smaller]


def needs(entry: Entry, form: Form, context: int) -> Needs:
    """Memory for a text of so many tokens."""
    return Needs(
        entry.parameters * form.bits / 8,
        cache_bytes(entry.shape, context),
        BASE_BYTES + ENTRY_BYTES * entry.shape.vocabulary,
    )


def cache_bytes(shape: Shape, tokens: int) -> int:
    """Bytes of the keys and values of so many tokens; a layer with a window keeps those that it still sees."""
    kept = (shape.layers - shape.windowed) * tokens + shape.windowed * min(tokens, shape.window)
    return CACHE_BYTES * kept * shape.kv_heads * cache_width(shape)


def cache_width(shape: Shape) -> int:
    """Numbers that one head keeps of a token: channels of keys fill up to 32, those of values to 16."""
    return _filled(shape.head_dim, 32) + _filled(shape.head_dim, 16)


def read_bytes(entry: Entry, form: Form, context: int) -> float:
    """Bytes that a token is made from after so many others: all weights but the rows of an embedding of its own, and
    the cache."""
    looked_up = 0 if entry.shape.tied else entry.shape.vocabulary * entry.shape.hidden
    return (entry.parameters - looked_up) * form.bits / 8 + cache_bytes(entry.shape, context)


def _filled(width: int, step: int) -> int:
    return -(-width // step) * step
