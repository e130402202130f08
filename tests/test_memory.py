"""How much memory may be taken: real limits, set for real processes."""

import subprocess
import sys
from pathlib import Path

from longra.memory import physical_memory, total_memory


def limited(gigabytes: int, code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code under `ulimit -v`."""
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (gigabytes * 10**9,) * 2)

    return subprocess.run(
        [sys.executable, "-c", code], preexec_fn=limit, capture_output=True, text=True, timeout=60, check=False
    )


def test_without_limits() -> None:
    assert 0 < total_memory() <= physical_memory()


def test_two_models_run_where_ulimit_allows_less_than_half_of_the_machine(smollm2: Path) -> None:
    code = f"""
import longra
from longra.memory import total_memory
assert total_memory() == 2 * 10**9
for model in [longra.load({str(smollm2)!r}, threads=1, lazy=True) for _ in range(2)]:
    print(model.generate("The sea", max_tokens=2, chat=False).text)"""
    run = limited(2, code)
    assert (run.returncode, run.stderr) == (0, "")
    assert len(run.stdout.split()) >= 2


def test_the_largest_vocabulary_is_loaded_within_200_mb_beside_the_weights(gemma: Path) -> None:
    code = f"""
import longra
from longra.memory import peak_memory
model = longra.load({str(gemma)!r}, cache_dir="none")
print(peak_memory() - model.engine.backend.weight_bytes)"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert int(run.stdout) < 200e6
