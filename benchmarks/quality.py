"""How far a model's distributions are from float32 on the same weights, late in a long text.

    python benchmarks/quality.py MODEL.gguf TEXT... --reference PYTHON [--at 4000,8000,10000,12000] [--cache q8]

TEXT are files of running text, joined; PYTHON has transformers, torch and gguf. At each of the contexts 48 tokens are read by
the prefill kernels and once more, one by one, by the decode kernels. The table has the mean Kullback-Leibler divergence
in nats over the whole vocabulary, the largest, and how many greedy choices agree where the reference's first two differ by
more than 0.1 nats.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

import longra
from longra.backends.base import Backend, Chunk
from longra.evaluate.likelihood.distributions import divergences, log_totals

Logits = npt.NDArray[np.float32]

POSITIONS = 48
CHUNK = 512
CLEAR_MARGIN = 0.1


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("text", type=Path, nargs="+")
    parser.add_argument("--reference", required=True, help="a Python with transformers, torch and gguf")
    parser.add_argument("--at", type=lambda text: [int(n) for n in text.split(",")], default=[4000, 8000, 10000, 12000])
    parser.add_argument("--cache", choices=["bf16", "q8", "f32"], default="bf16")
    given = parser.parse_args()
    model = longra.load(given.model, cache=given.cache)
    ids = model.tokenizer.encode("".join(path.read_text() for path in given.text))[: max(given.at) + POSITIONS]
    if len(ids) < max(given.at) + POSITIONS:
        parser.error(f"the text has {len(ids):,} tokens, {max(given.at) + POSITIONS:,} are needed")
    wanted = reference(given.reference, given.model, ids, given.at)
    setting = f"{given.model.stem}, {model.engine.backend.isa}, {given.cache} cache"
    print(f"| {setting} | kernels | mean KL | largest | clear choices that agree |")
    print("| --- | --- | --- | --- | --- |")
    for context, theirs in zip(given.at, wanted, strict=True):
        for kernels, ours in both_ways(model, np.array(ids, np.int32), context).items():
            print(f"| {context:,} | {kernels} | {row(theirs, ours)} |", flush=True)


def reference(python: str, model: Path, ids: list[int], at: list[int]) -> Logits:
    """The reference's logits, [contexts, POSITIONS, vocabulary]."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder, "ids.json"), Path(folder, "logits.npy")
        asked.write_text(json.dumps({"ids": ids, "at": [n + i for n in at for i in range(POSITIONS)]}))
        worker = [python, "-m", "workers.reference", str(model.resolve()), str(asked), str(answer)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        if subprocess.run(worker, env=environment, stdout=sys.stderr).returncode:
            sys.exit(f"the reference failed; its words are above. Does {python} have transformers, torch and gguf?")
        return np.load(answer).reshape(len(at), POSITIONS, -1)


def both_ways(model: longra.Model, ids: npt.NDArray[np.int32], context: int) -> dict[str, Logits]:
    """Logits of POSITIONS tokens after `context`, by either kind of kernels."""
    backend, pool = model.engine.backend, model.engine.pool
    pages = np.array([pool.take() for _ in range(-(-(context + POSITIONS) // 64))], np.int32)
    read(backend, ids[:context], pages)
    late = ids[context : context + POSITIONS]
    prefill = backend.step([Chunk(late, context, pages, POSITIONS)], "prefill").copy()
    decode = [
        backend.step([Chunk(late[i : i + 1], context + i, pages, 1)], "decode")[0].copy() for i in range(POSITIONS)
    ]
    for page in pages:
        pool.release(int(page))
    return {"prefill": prefill, "decode": np.stack(decode)}


def read(backend: Backend, ids: npt.NDArray[np.int32], pages: npt.NDArray[np.int32]) -> None:
    """Fill the cache."""
    for start in range(0, len(ids), CHUNK):
        backend.step([Chunk(ids[start : start + CHUNK], start, pages, 0)], "prefill")


def row(theirs: Logits, ours: Logits) -> str:
    """The last three columns."""
    p, q = (x.astype(np.float64) - log_totals(x)[:, None] for x in (theirs, ours))
    first_two = np.sort(p, 1)[:, -2:]
    clear = first_two[:, 1] - first_two[:, 0] > CLEAR_MARGIN
    agree = (p.argmax(1) == q.argmax(1))[clear]
    found = divergences(p, q)
    return f"{found.mean():.4f} | {found.max():.4f} | {agree.sum()} of {len(agree)}"


if __name__ == "__main__":
    main()
