"""benchmarks/compare.py goes on without a peer that fails, and says so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "compare.py"
WORK = ["--prefill", "16", "--decode-at", "4", "--rounds", "1"]


def compare(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *words], capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def dies_later(tmp_path: Path) -> Path:
    """An interpreter whose peer loads, answers once and is killed."""
    script = tmp_path / "python"
    script.write_text(
        '#!/bin/sh\necho \'{"version": "v"}\'\nread x\necho \'{"tokens_per_second": 2}\'\nread x\nkill -9 $$\n'
    )
    script.chmod(0o755)
    return script


def test_peers_that_fail_are_left_out(smollm2: Path, dies_later: Path) -> None:
    peers = {"xllamacpp": "/bin/false", "openvino": "/no/such/python", "transformers": str(dies_later)}
    ran = compare(str(smollm2), *WORK, "--json", *(f"--peer={name}={python}" for name, python in peers.items()))
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["left_out"] == {
        "xllamacpp": "does not load the model: ended with exit code 1",
        "openvino": "does not load the model: /no/such/python: No such file or directory",
        "transformers": "decode 4: ended with exit code -9",
    }
    assert all(f"{name} is left out: {why}" in ran.stderr for name, why in report["left_out"].items())
    first, second = report["results"]
    assert first["ratio"] == {"transformers": first["tokens_per_second"]["longra"] / 2}
    assert second["ratio"] == {}


def test_markdown_and_forced_instruction_set(smollm2: Path, dies_later: Path) -> None:
    ran = compare(str(smollm2), *WORK, "--markdown", "--peer", f"transformers={dies_later}", "--isa", "portable")
    assert ran.returncode == 0, ran.stderr
    header, rule, *rows = ran.stdout.splitlines()
    assert header.startswith("| SmolLM2-135M-Instruct.Q4_1 | longra ")
    assert header.endswith(", portable | v | times |")
    assert rule == "| --- | --- | --- | --- |"
    assert [row.split(" | ")[0] for row in rows] == ["| prefill 16", "| decode at 4"]
    assert rows[1].endswith(" |  |  |")


@pytest.mark.parametrize("peer", ["nobody=python", "xllamacpp"])
def test_unknown_peer(peer: str) -> None:
    ran = compare("x.gguf", "--peer", peer)
    assert ran.returncode == 2
    assert "is not NAME=PYTHON with a NAME of openvino, transformers, xllamacpp" in ran.stderr
