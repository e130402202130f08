"""Every architecture against transformers in float32, on both backends, from every format."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from longra import _native
from longra.backends.base import Chunk
from support import tiny
from support.parity import PAGES, TOKENS, backend_of, error, expected, logits


@pytest.fixture(scope="module", params=tiny.ARCHITECTURES)
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A folder with a tiny checkpoint, and transformers' logits [41, 307]."""
    folder = tmp_path_factory.mktemp(request.param)
    model = tiny.make(request.param, folder)
    return folder, expected(model)


@pytest.mark.parametrize("sizes", [[41], [7, 33, 1], [1] * 41], ids=["whole", "chunks", "single"])
def test_torch_backend(saved: tuple[Path, Any], sizes: list[int]) -> None:
    assert error(logits(backend_of(saved[0], "torch"), sizes), saved[1]) < 1e-4


@pytest.mark.parametrize("isa", _native.usable())
def test_native_backend_with_float_weights(saved: tuple[Path, Any], isa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGRA_ISA", isa)
    backend = backend_of(saved[0], "native", weights="f32")
    assert error(logits(backend, [41]), saved[1]) < 2e-4
    assert error(logits(backend, [41], "decode"), saved[1]) < 2e-4
    assert error(logits(backend, [9] + [1] * 32, "decode"), saved[1]) < 2e-4


@pytest.mark.parametrize("isa", _native.usable())
def test_native_backend_with_its_own_weights(
    saved: tuple[Path, Any], isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bf16 weights, operands and cache: 8 bits of mantissa."""
    monkeypatch.setenv("LONGRA_ISA", isa)
    backend = backend_of(saved[0], "native")
    for arithmetic in ("prefill", "decode"):
        assert error(logits(backend, [41], arithmetic), saved[1]) < 4e-2


@pytest.mark.parametrize("arithmetic", ["prefill", "decode"])
@pytest.mark.parametrize("isa", _native.usable())
def test_same_bits_for_threads_chunks_and_neighbours(
    saved: tuple[Path, Any], isa: str, arithmetic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGRA_ISA", isa)
    backend = backend_of(saved[0], "native", threads=2, weights="q8")
    whole = logits(backend, [41], arithmetic)
    assert np.array_equal(whole, logits(backend, [33, 8], arithmetic))
    assert np.array_equal(whole, logits(backend, [1] * 41, arithmetic))
    assert np.array_equal(whole, logits(backend_of(saved[0], "native", threads=1, weights="q8"), [41], arithmetic))
    neighbour = Chunk(TOKENS[::-1].copy(), 0, np.array([1], np.int32), 3)
    both = backend.step([neighbour, Chunk(TOKENS, 0, PAGES, 41)], arithmetic)
    assert np.array_equal(whole, both[3:])


@pytest.mark.parametrize("copy", ["sharded", "pickled", "gguf"])
def test_copies_agree(saved: tuple[Path, Any], copy: str, tmp_path: Path) -> None:
    folder, wanted = saved
    path = {
        "sharded": lambda: tiny.shard(folder, tmp_path / "sharded"),
        "pickled": lambda: tiny.pickled(folder, tmp_path / "pickled"),
        "gguf": lambda: tiny.to_gguf(folder, tmp_path / "model.gguf"),
    }[copy]()
    assert error(logits(backend_of(path, "torch"), [41]), wanted) < 1e-4
    assert error(logits(backend_of(path, "native", weights="f32"), [41]), wanted) < 2e-4


SCALINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "linear": ("llama", {"rope_type": "linear", "factor": 3.0}),
    "dynamic": ("llama", {"rope_type": "dynamic", "factor": 2.0}),
    "yarn": ("qwen2", {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}),
    "llama3": (
        "llama",
        {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 16,
        },
    ),
    "longrope": (
        "phi3",
        {
            "rope_type": "longrope",
            "short_factor": [1.0 + 0.05 * i for i in range(8)],
            "long_factor": [1.0 + 0.4 * i for i in range(8)],
            "original_max_position_embeddings": 24,
        },
    ),
}


@pytest.mark.parametrize("kind", SCALINGS)
@pytest.mark.parametrize("backend", ["torch", "native"])
def test_rope_scaling(kind: str, backend: str, tmp_path: Path) -> None:
    architecture, scaling = SCALINGS[kind]
    longest = 24 if kind == "dynamic" else 64
    model = tiny.make(
        architecture,
        tmp_path,
        rope_parameters=scaling | {"rope_theta": 10_000.0, "partial_rotary_factor": 1.0},
        max_position_embeddings=longest,
        **({"original_max_position_embeddings": 24} if kind == "longrope" else {}),
    )
    options = {} if backend == "torch" else {"weights": "f32"}
    runner = backend_of(tmp_path, backend, **options)
    short = TOKENS[:20]
    assert error(logits(runner, [20], tokens=short), expected(model, short)) < 2e-4
    if kind == "dynamic":  # transformers stretches step by step, here once for the whole: equal at the longest
        tokens = np.resize(TOKENS, 48)
        assert error(logits(runner, [48], tokens=tokens, extended=True), expected(model, tokens)) < 2e-4
    elif kind == "longrope":
        assert error(logits(runner, [41], extended=True), expected(model)) < 2e-4
    else:
        assert error(logits(runner, [41]), expected(model)) < 2e-4
