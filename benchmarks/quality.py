"""How far a model's distributions are from float32 on the same weights, late in a long text.

    python benchmarks/quality.py MODEL.gguf TEXT... --reference PYTHON [--llama PYTHON] [--at 4000,8000,10000,12000]

TEXT are files of running text, joined; the reference's PYTHON has transformers, torch and gguf, llama.cpp's xllamacpp. At
each of the contexts 48 tokens are read by the prefill kernels and once more, one by one, by the decode kernels. The table
has the mean Kullback-Leibler divergence in nats over the whole vocabulary, the largest, and how many greedy choices agree
where the reference's first two differ by more than 0.1 nats. Of llama.cpp the 200 likeliest tokens are known; the others
count as one, so its figures are lower bounds.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

import longra
from longra.backends.base import Backend, Chunk
from longra.evaluate.likelihood.distributions import divergences, log_totals

Logits = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Chances = list[tuple[int, float]]

POSITIONS = 48
CHUNK = 512
CLEAR_MARGIN = 0.1


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("text", type=Path, nargs="+")
    parser.add_argument("--reference", required=True, help="a Python with transformers, torch and gguf")
    parser.add_argument("--llama", help="a Python with xllamacpp")
    parser.add_argument("--at", type=lambda text: [int(n) for n in text.split(",")], default=[4000, 8000, 10000, 12000])
    parser.add_argument("--cache", choices=["bf16", "q8", "f32"], default="bf16")
    given = parser.parse_args()
    model = longra.load(given.model, cache=given.cache)
    ids = model.tokenizer.encode("".join(path.read_text() for path in given.text))[: max(given.at) + POSITIONS]
    if len(ids) < max(given.at) + POSITIONS:
        parser.error(f"the text has {len(ids):,} tokens, {max(given.at) + POSITIONS:,} are needed")
    work = Work(given.model, ids, given.at)
    wanted = reference(given.reference, work)
    chances = llama_chances(given.llama, work) if given.llama else []
    setting = f"{given.model.stem}, {model.engine.backend.isa}, {given.cache} cache"
    print(f"| {setting} | kernels | mean KL | largest | clear choices that agree |")
    print("| --- | --- | --- | --- | --- |")
    for i, (context, theirs) in enumerate(zip(given.at, wanted, strict=True)):
        for kernels, ours in both_ways(model, np.array(ids, np.int32), context).items():
            print(f"| {context:,} | {kernels} | {row(theirs, ours)} |", flush=True)
        if chances:
            print(f"| {context:,} | llama.cpp | {lumped_row(theirs, chances[i * POSITIONS : (i + 1) * POSITIONS])} |")


@dataclass
class Work:
    """A model, a text's ids, and after how many of them to look."""

    model: Path
    ids: list[int]
    contexts: list[int]

    def ask(self, worker: str, python: str, answer: Path) -> None:
        """Let a worker write its answer."""
        asked = answer.with_name("asked.json")
        at = [n + i for n in self.contexts for i in range(POSITIONS)]
        asked.write_text(json.dumps({"ids": self.ids, "at": at}))
        command = [python, "-m", f"workers.{worker}", str(self.model.resolve()), str(asked), str(answer)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        if subprocess.run(command, env=environment, stdout=sys.stderr).returncode:
            sys.exit(f"{worker} failed; its words are above. Does {python} have what it needs?")


def reference(python: str, work: Work) -> Logits:
    """The reference's logits, [contexts, POSITIONS, vocabulary]."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "logits.npy")
        work.ask("reference", python, answer)
        return np.load(answer).reshape(len(work.contexts), POSITIONS, -1)


def llama_chances(python: str, work: Work) -> list[Chances]:
    """llama.cpp's likeliest tokens at each position."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "chances.json")
        work.ask("llama_chances", python, answer)
        found: list[Chances] = json.loads(answer.read_text())
        return found


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
    p, q = normalised(theirs), normalised(ours)
    return columns(divergences(p, q), p, q.argmax(1))


def lumped_row(theirs: Logits, chances: list[Chances]) -> str:
    """The same of a peer whose likeliest tokens are known: all others are one event."""
    p = normalised(theirs)
    pairs = [(np.array([i for i, _ in step]), np.array([log for _, log in step])) for step in chances]
    found = [
        divergences(lumped(logs[ids])[None], lumped(known)[None])[0]
        for logs, (ids, known) in zip(p, pairs, strict=True)
    ]
    return columns(np.array(found), p, np.array([ids[known.argmax()] for ids, known in pairs]))


def columns(found: Floats, p: Floats, choices: npt.NDArray[np.int64]) -> str:
    """Mean and largest divergence, and agreement where the reference is clear."""
    first_two = np.sort(p, 1)[:, -2:]
    clear = first_two[:, 1] - first_two[:, 0] > CLEAR_MARGIN
    agree = (p.argmax(1) == choices)[clear]
    return f"{found.mean():.4f} | {found.max():.4f} | {agree.sum()} of {len(agree)}"


def normalised(logits: Logits) -> Floats:
    """Logarithms of probabilities."""
    logs: Floats = logits.astype(np.float64) - log_totals(logits)[:, None]
    return logs


def lumped(logs: Floats) -> Floats:
    """Logarithms of some probabilities, and of what they leave of 1."""
    return np.append(logs, np.log(max(1e-12, 1 - np.exp(logs).sum())))


if __name__ == "__main__":
    main()
