"""Longra's part of compare.py."""

import json
import sys
import time
from statistics import median

import numpy as np

# The folder of this script holds a file of the package's name; leave it out of the path before importing the package.
sys.path.pop(0)
import longra as package
from longra.backends.base import Chunk

_DECODED = 32


def main() -> None:
    """Answer commands until standard input ends."""
    path, threads = sys.argv[1], int(sys.argv[2])
    model = package.load(path, threads=threads)
    backend, pool = model.engine.backend, model.engine.pool
    pages = np.array([pool.take() for _ in range(int(sys.argv[3]) // 64 + 2)], np.int32)
    tokens = np.random.default_rng(0).integers(0, 40_000, 1 << 16).astype(np.int32)
    print(json.dumps({"version": f"longra {package.__version__}, {backend.isa}"}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        n = order["context"]
        start = time.perf_counter()
        backend.step([Chunk(tokens[:n], 0, pages, 1)], "prefill")
        if order["kind"] == "prefill":
            speed = n / (time.perf_counter() - start)
        else:
            seconds = []
            for i in range(_DECODED):
                start = time.perf_counter()
                row = backend.step([Chunk(tokens[i : i + 1], n + i, pages, 1)], "decode")
                int(row.argmax())
                seconds.append(time.perf_counter() - start)
            speed = 1 / median(seconds)
        print(json.dumps({"tokens_per_second": speed}), flush=True)


if __name__ == "__main__":
    main()
