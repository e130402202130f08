"""Made-up weight files for tests that move files and do not read them."""

import random


def gguf(seed: int, size: int = 300_000) -> bytes:
    """Bytes that start as a GGUF file does."""
    return b"GGUF" + random.Random(seed).randbytes(size)
