"""Opens thousands of damaged copies of a model's file in a process with little memory.

python mutate.py MODEL FOLDER COUNT: MODEL is damaged in its first bytes and opened from FOLDER, COUNT times, each time
ending in success or in a LongraError within a second. Prints how many were opened and how many refused.
"""

import mmap
import random
import resource
import struct
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from longra.errors import LongraError
from longra.files.blocks import BLOCKS
from longra.files.checkpoint import open_checkpoint
from longra.files.strings import StringArray

SPARE_BYTES = 192 << 20
SLOW_SECONDS = 1.0
EXTREMES = [
    0,
    1,
    2,
    7,
    8,
    9,
    10,
    31,
    255,
    2**16,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**60,
    2**62,
    2**63 - 1,
    2**63,
    2**64 - 1,
]
WORDS = [b"null", b"true", b"-1", b"1e999", b"NaN", b"[]", b"{}", b'""', b"[[", b"9" * 30, b"F8_E5M2", b"\\ud800"]


def damaged(data: bytes, head: int, dice: random.Random) -> bytes:
    """A copy with one or a few changes in its first `head` bytes (or its last, where a zip has its directory)."""
    copy = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        near = (0, min(head, len(copy))) if dice.random() < 0.8 else (max(0, len(copy) - 600), len(copy))
        at = dice.randrange(*near)
        kind = dice.randrange(8)
        if kind == 0:
            copy[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            copy[at] = dice.randrange(256)
        elif kind == 2:
            del copy[at:]
        elif kind == 3:
            del copy[at : at + dice.randrange(1, 40)]
        elif kind == 4:
            copy[at:at] = copy[at : at + dice.randrange(1, 40)]
        elif kind == 5:
            copy[at : at + 4] = struct.pack("<I", dice.choice(EXTREMES) & 0xFFFFFFFF)
        elif kind == 6:
            copy[at : at + 8] = struct.pack("<Q", dice.choice(EXTREMES))
        else:
            word = dice.choice(WORDS)
            copy[at : at + len(word)] = word
        if not copy:
            break
    return bytes(copy)


def numbers(data: bytes, head: int) -> list[bytes]:
    """Copies in which one of the plausible 64-bit or 32-bit lengths in the head is replaced by each extreme value."""
    copies = []
    for at in range(0, head - 8):
        value = int.from_bytes(data[at : at + 8], "little")
        if 0 < value < 1 << 20 and data[at]:
            copies += [data[:at] + struct.pack("<Q", extreme) + data[at + 8 :] for extreme in EXTREMES]
    return copies


def use(path: Path) -> None:
    """Open the model and look at everything in it."""
    with open_checkpoint(path) as opened:
        for value in opened.config.values():
            if isinstance(value, StringArray | np.ndarray):
                value.tolist()
        for tensor in opened.tensors.values():
            weights, size = BLOCKS[tensor.kind]
            assert tensor.data.size == tensor.size // weights * size
            assert int(tensor.data.max(initial=0)) <= 255
            assert len(tensor.shape) <= 8


def survive(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    start = time.perf_counter()
    try:
        use(path.parent if path.name == "config.json" else path)
        outcome = message = "opened"
    except LongraError as error:
        outcome, message = "refused", str(error)
    assert 0 < len(message) < 1000, message[:1000]
    assert message.isprintable(), repr(message)
    assert time.perf_counter() - start < SLOW_SECONDS, "took too long"
    return outcome


def main(model: Path, folder: Path, count: int) -> None:
    data = model.read_bytes()
    head = min(len(data), 12_000)
    dice = random.Random(len(data))
    copies = numbers(data, min(head, 4000))
    copies = dice.sample(copies, min(len(copies), count // 2))
    path = folder / model.name
    use(model.parent)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
    resource.setrlimit(resource.RLIMIT_AS, (used + SPARE_BYTES, used + SPARE_BYTES))
    outcomes: Counter[str] = Counter()
    for index in range(count):
        copy = copies[index] if index < len(copies) else damaged(data, head, dice)
        try:
            outcomes[survive(path, copy)] += 1
        except BaseException:
            print(f"copy {index} of {model} is in {path}", file=sys.stderr)
            raise
    print(outcomes["opened"], outcomes["refused"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
