"""Attention on every instruction set against the torch oracle: groups, widths, windows, caps, page and span boundaries."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longra import _native
from longra.backends.base import Chunk
from longra.backends.native import NativeBackend
from longra.backends.torch import TorchBackend
from longra.files.tensor import Tensor
from longra.graph import Graph, Rope

HIDDEN, VOCABULARY = 64, 96
PAGES = np.random.default_rng(0).permutation(16).astype(np.int32)


def tensor(name: str, *shape: int, scale: float = 1.0) -> Tensor:
    values = np.random.default_rng(abs(hash((shape, len(name)))) % 2**32).normal(0, scale, shape).astype(np.float32)
    return Tensor(name, "F32", shape, values.view(np.uint8).reshape(-1))


def graph_of(kv_heads: int, group: int, head_dim: int, window: int | None, softcap: float | None) -> Graph:
    g = Graph()
    heads = kv_heads * group
    x = g.embed(tensor("embedding", VOCABULARY, HIDDEN), HIDDEN)
    q = g.linear(x, tensor("q", heads * head_dim, HIDDEN, scale=0.15))
    k = g.linear(x, tensor("kk", kv_heads * head_dim, HIDDEN, scale=0.15))
    v = g.linear(x, tensor("vvv", kv_heads * head_dim, HIDDEN, scale=0.15))
    rope = Rope(tuple(10_000.0 ** (-i / (head_dim // 2)) for i in range(head_dim // 2)))
    mixed = g.attention(
        q, k, v, layer=0, heads=heads, kv_heads=kv_heads, head_dim=head_dim, rope=rope, window=window, softcap=softcap
    )
    g.output = g.linear(mixed, tensor("outp", VOCABULARY, heads * head_dim, scale=0.1))
    return g


def logits(backend: Any, length: int, last: int, arithmetic: str) -> Any:
    """Logits of the last positions; with "decode" these are single steps after a prefill."""
    backend.reserve(16)
    tokens = np.random.default_rng(length).integers(0, VOCABULARY, length).astype(np.int32)
    if arithmetic == "prefill":
        return backend.step([Chunk(tokens, 0, PAGES, last)], "prefill")
    backend.step([Chunk(tokens[:-last], 0, PAGES, 0)], "prefill")
    rows = [backend.step([Chunk(tokens[i : i + 1], i, PAGES, 1)], "decode") for i in range(length - last, length)]
    return np.concatenate(rows)


@pytest.mark.parametrize("isa", _native.usable())
@given(
    kv_heads=st.sampled_from([1, 2, 3]),
    group=st.sampled_from([1, 3, 7, 17]),
    head_dim=st.sampled_from([8, 24, 64, 80, 128, 256]),
    window=st.sampled_from([None, 1, 30, 128, 300]),
    softcap=st.sampled_from([None, 5.0]),
    length=st.sampled_from([5, 63, 64, 65, 129, 257, 511, 513, 700]),
    arithmetic=st.sampled_from(["prefill", "decode"]),
    cache=st.sampled_from(["f32", "bf16", "q8"]),
)
@settings(max_examples=30, deadline=None)
def test_attention(
    isa: str,
    kv_heads: int,
    group: int,
    head_dim: int,
    window: int | None,
    softcap: float | None,
    length: int,
    arithmetic: str,
    cache: str,
) -> None:
    graph = graph_of(kv_heads, group, head_dim, window, softcap)
    spec: Any = SimpleNamespace(layers=1, kv_heads=kv_heads, head_dim=head_dim, context=1024)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGRA_ISA", isa)
        native = NativeBackend(graph, spec, threads=2, weights="f32" if cache == "f32" else None, cache=cache)
    wanted = logits(TorchBackend(graph, spec), length, 3, arithmetic)
    found = logits(native, length, 3, arithmetic)
    assert np.linalg.norm(found - wanted) / np.linalg.norm(wanted) < {"f32": 1e-5, "bf16": 1.5e-2, "q8": 2e-2}[cache]
