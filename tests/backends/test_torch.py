"""The torch backend by itself; its numbers are compared with transformers in tests/models."""

import sys
from pathlib import Path

import numpy as np
import pytest

from longra.backends.base import Chunk
from longra.backends.torch import TorchBackend
from longra.errors import FitError, UsageError
from longra.files.checkpoint import open_checkpoint
from longra.files.spec import ModelSpec
from longra.graph import Graph
from longra.models import build_graph, read_spec
from support import tiny

A = np.random.default_rng(1).integers(0, 307, 90).astype(np.int32)
B = np.random.default_rng(2).integers(0, 307, 70).astype(np.int32)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Graph, ModelSpec]:
    folder = tmp_path_factory.mktemp("mistral")
    tiny.make("mistral", folder)
    with open_checkpoint(folder) as checkpoint:
        spec = read_spec(checkpoint)
        return build_graph(checkpoint, spec), spec


def backend_of(built: tuple[Graph, ModelSpec]) -> TorchBackend:
    backend = TorchBackend(*built)
    backend.reserve(8)
    return backend


def pages(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int32)


def test_chunks_of_several_sequences_do_not_meet(built: tuple[Graph, ModelSpec]) -> None:
    alone = [backend_of(built).step([Chunk(ids, 0, pages(3, 1), 2)], "prefill") for ids in (A, B)]
    backend = backend_of(built)
    backend.step([Chunk(A[:60], 0, pages(0, 4), 0), Chunk(B[:69], 0, pages(5, 2), 0)], "prefill")
    both = backend.step([Chunk(B[69:], 69, pages(5, 2), 1), Chunk(A[60:], 60, pages(0, 4), 2)], "decode")
    assert both.shape == (3, 307)
    np.testing.assert_allclose(both[0], alone[1][1], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(both[1:], alone[0], rtol=1e-4, atol=1e-4)


def test_a_sequence_that_branches_inside_a_page(built: tuple[Graph, ModelSpec]) -> None:
    backend = backend_of(built)
    backend.step([Chunk(A[:50], 0, pages(0), 0)], "prefill")
    backend.copy_page(0, 6)
    backend.step([Chunk(B[:5], 50, pages(0), 0)], "prefill")
    branch = backend.step([Chunk(A[50:], 50, pages(6, 7), 1)], "prefill")
    np.testing.assert_allclose(branch, backend_of(built).step([Chunk(A, 0, pages(0, 1), 1)], "prefill"), atol=1e-4)


def test_a_page_that_another_backend_has_read(built: tuple[Graph, ModelSpec]) -> None:
    first, second = backend_of(built), backend_of(built)
    first.step([Chunk(A[:64], 0, pages(0), 0)], "prefill")
    data = first.read_page(0)
    assert data.shape == (first.page_bytes,)
    second.write_page(5, data)
    rows = [
        backend.step([Chunk(A[64:], 64, pages(page, 7), 3)], "prefill") for backend, page in ((first, 0), (second, 5))
    ]
    assert np.array_equal(*rows)


def test_ids_outside_the_vocabulary(built: tuple[Graph, ModelSpec]) -> None:
    with pytest.raises(UsageError, match="0 to 306; got 5 to 307"):
        backend_of(built).step([Chunk(pages(5, 307), 0, pages(0), 1)], "prefill")


def test_without_pytorch(built: tuple[Graph, ModelSpec], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match=r"pip install 'longra\[torch\]'"):
        TorchBackend(*built)


def test_a_graph_without_logits(built: tuple[Graph, ModelSpec]) -> None:
    graph = Graph()
    graph.output = built[0].output.x
    with pytest.raises(FitError, match="logits"):
        TorchBackend(graph, built[1])


def test_hundreds_of_layers(tmp_path: Path) -> None:
    small = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2, "num_key_value_heads": 1}
    tiny.make("llama", tmp_path, num_hidden_layers=300, head_dim=8, **small)
    with open_checkpoint(tmp_path) as checkpoint:
        spec = read_spec(checkpoint)
        backend = TorchBackend(build_graph(checkpoint, spec), spec)
    backend.reserve(1)
    assert np.isfinite(backend.step([Chunk(A[:3], 0, pages(0), 1)], "prefill")).all()
