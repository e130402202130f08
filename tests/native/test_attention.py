"""Attention on every instruction set against the torch oracle: groups, widths, windows, caps, sinks, spans; drafts; mass."""

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
from longra.errors import UsageError
from longra.files.tensor import Tensor
from longra.graph import Graph, Rope

HIDDEN, VOCABULARY = 64, 96
PAGES = np.random.default_rng(0).permutation(16).astype(np.int32)


def tensor(name: str, *shape: int, scale: float = 1.0) -> Tensor:
    values = np.random.default_rng(abs(hash((shape, len(name)))) % 2**32).normal(0, scale, shape).astype(np.float32)
    return Tensor(name, "F32", shape, values.view(np.uint8).reshape(-1))


def graph_of(
    kv_heads: int,
    group: int,
    head_dim: int,
    window: int | None,
    softcap: float | None,
    sinks: Tensor | None = None,
    k_bias: Tensor | None = None,
) -> Graph:
    g = Graph()
    heads = kv_heads * group
    x = g.embed(tensor("embedding", VOCABULARY, HIDDEN), HIDDEN)
    q = g.linear(x, tensor("q", heads * head_dim, HIDDEN, scale=0.15))
    k = g.linear(x, tensor("kk", kv_heads * head_dim, HIDDEN, scale=0.15), k_bias)
    v = g.linear(x, tensor("vvv", kv_heads * head_dim, HIDDEN, scale=0.15))
    rope = Rope(tuple(10_000.0 ** (-i / (head_dim // 2)) for i in range(head_dim // 2)))
    shape = {"layer": 0, "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim}
    mixed = g.attention(q, k, v, **shape, rope=rope, window=window, softcap=softcap, sinks=sinks)
    g.output = g.linear(mixed, tensor("outp", VOCABULARY, heads * head_dim, scale=0.1))
    return g


def spec_of(kv_heads: int, head_dim: int) -> Any:
    return SimpleNamespace(layers=1, kv_heads=kv_heads, head_dim=head_dim, context=1024)


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
    kv_heads=st.sampled_from([1, 2]),
    group=st.sampled_from([1, 3, 7, 17]),
    head_dim=st.integers(1, 32).map(lambda n: 8 * n),
    window=st.sampled_from([None, 1, 30, 128, 300]),
    softcap=st.sampled_from([None, 5.0]),
    length=st.sampled_from([5, 63, 64, 65, 129, 257, 511, 513, 700]),
    sinks=st.booleans(),
    arithmetic=st.sampled_from(["prefill", "decode"]),
    cache=st.sampled_from(["f32", "bf16", "q8"]),
)
@settings(max_examples=20)
def test_attention(
    isa: str,
    kv_heads: int,
    group: int,
    head_dim: int,
    window: int | None,
    softcap: float | None,
    length: int,
    sinks: bool,
    arithmetic: str,
    cache: str,
) -> None:
    sink_logits = tensor("sinks", kv_heads * group, scale=2.0) if sinks else None
    graph = graph_of(kv_heads, group, head_dim, window, softcap, sink_logits)
    spec = spec_of(kv_heads, head_dim)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGRA_ISA", isa)
        native = NativeBackend(graph, spec, threads=2, weights="f32" if cache == "f32" else None, cache=cache)
    wanted = logits(TorchBackend(graph, spec), length, 3, arithmetic)
    found = logits(native, length, 3, arithmetic)
    assert np.linalg.norm(found - wanted) / np.linalg.norm(wanted) < {"f32": 1e-5, "bf16": 1.5e-2, "q8": 2e-2}[cache]


def backend_of(graph: Graph, kv_heads: int, head_dim: int, isa: str, cache: str) -> NativeBackend:
    spec = spec_of(kv_heads, head_dim)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGRA_ISA", isa)
        backend = NativeBackend(graph, spec, threads=2, weights="f32", cache=cache)
    backend.reserve(16)
    return backend


@pytest.mark.parametrize("isa", _native.usable())
@pytest.mark.parametrize("cache", ["f32", "bf16", "q8"])
@pytest.mark.parametrize("window", [None, 70])
def test_rows_together_have_the_bits_of_rows_alone(isa: str, cache: str, window: int | None) -> None:
    """Drafts: up to 16 rows of one sequence in a decode step, across pages and spans, beside another sequence."""
    backend = backend_of(graph_of(2, 7, 24, window, None), 2, 24, isa, cache)
    tokens = np.random.default_rng(1).integers(0, VOCABULARY, 530).astype(np.int32)
    other = PAGES[9:11]
    backend.step([Chunk(tokens[:60], 0, other, 0)], "prefill")
    for start in (3, 505):
        backend.step([Chunk(tokens[:start], 0, PAGES[:9], 0)], "prefill")
        alone = [backend.step([Chunk(tokens[i : i + 1], i, PAGES[:9], 1)], "decode") for i in range(start, start + 16)]
        for rows in (2, 5, 16):
            backend.step([Chunk(tokens[:start], 0, PAGES[:9], 0)], "prefill")
            drafts = Chunk(tokens[start : start + rows], start, PAGES[:9], rows)
            together = backend.step([Chunk(tokens[60:61], 60, other, 1), drafts], "decode")
            assert np.array_equal(together[1:], np.concatenate(alone[:rows]))


@pytest.mark.parametrize("isa", [name for name in _native.usable() if name not in ("amx", "avx512_bf16")])
@pytest.mark.parametrize("cache", ["f32", "bf16", "q8"])
def test_prefill_and_decode_agree_without_bf16_products(isa: str, cache: str) -> None:
    backend = backend_of(graph_of(1, 3, 64, None, None), 1, 64, isa, cache)
    tokens = np.random.default_rng(2).integers(0, VOCABULARY, 560).astype(np.int32)
    whole = backend.step([Chunk(tokens, 0, PAGES, 40)], "prefill")
    backend.step([Chunk(tokens[:520], 0, PAGES, 0)], "prefill")
    rows = [backend.step([Chunk(tokens[i : i + 1], i, PAGES, 1)], "decode") for i in range(520, 560)]
    # The products' two arithmetics are one in float32, up to their order of sums; attention's are one.
    assert np.allclose(np.concatenate(rows), whole, rtol=0, atol=2e-5 * np.abs(whole).max())


@pytest.mark.parametrize("isa", _native.usable())
@given(window=st.sampled_from([None, 90]), length=st.sampled_from([5, 64, 513, 650]), sinks=st.booleans())
@settings(max_examples=10)
def test_mass(isa: str, window: int | None, length: int, sinks: bool) -> None:
    """Each row's attention to each position, summed over heads, against the oracle; all of it adds up to the heads."""
    graph = graph_of(2, 3, 24, window, None, tensor("sinks", 6) if sinks else None)
    native, oracle = backend_of(graph, 2, 24, isa, "f32"), TorchBackend(graph, spec_of(2, 24))
    oracle.reserve(16)
    tokens = np.random.default_rng(length).integers(0, VOCABULARY, length).astype(np.int32)
    found, wanted = np.zeros((2, 3, 700), np.float32)
    for backend, mass in ((native, found), (oracle, wanted)):
        backend.step([Chunk(tokens[:-3], 0, PAGES, 0)], "prefill")
        plain = backend.step([Chunk(tokens[-3:], length - 3, PAGES, 3)], "decode")
        assert np.array_equal(backend.step([Chunk(tokens[-3:], length - 3, PAGES, 3)], "decode", mass), plain)
    assert np.allclose(found, wanted, rtol=1e-4, atol=1e-6)
    assert not found[:, length:].any()
    if not sinks:
        assert np.allclose(found.sum(1), 6, rtol=1e-4)
    native.step([Chunk(tokens[-3:], length - 3, PAGES, 3)], "decode", found)
    assert np.allclose(found, 2 * wanted, rtol=1e-4, atol=1e-6)


def test_mass_is_refused_where_it_is_not_known() -> None:
    backend = backend_of(graph_of(1, 1, 8, None, None), 1, 8, "portable", "f32")
    chunk = Chunk(np.array([1], np.int32), 0, PAGES, 1)
    mass = np.zeros((1, 4), np.float32)
    with pytest.raises(UsageError, match="one sequence's decode rows; got 1 sequences, prefill"):
        backend.step([chunk], "prefill", mass)
    with pytest.raises(UsageError, match="got 2 sequences, decode"):
        backend.step([chunk, chunk], "decode", mass)
    with pytest.raises(UsageError, match=r"mass must be float32 \[1, 1 or more\]; got float32 \[2, 4\]"):
        backend.step([chunk], "decode", np.zeros((2, 4), np.float32))


@pytest.mark.parametrize("arithmetic", ["prefill", "decode"])
def test_a_large_key_bias_does_not_spoil_an_8_bit_cache(arithmetic: str) -> None:
    """In a channel that rope turns fast (Qwen2), where it cannot be left out of the keys."""
    bias = np.zeros(64, np.float32)
    bias[3] = 150.0
    graph = graph_of(1, 3, 64, None, None, k_bias=Tensor("bias", "F32", (64,), bias.view(np.uint8)))
    wanted = logits(TorchBackend(graph, spec_of(1, 64)), 100, 3, arithmetic)
    found = logits(backend_of(graph, 1, 64, _native.usable()[0], "q8"), 100, 3, arithmetic)
    assert np.linalg.norm(found - wanted) / np.linalg.norm(wanted) < 0.05


def test_caches_that_there_are_not() -> None:
    with pytest.raises(UsageError, match="cache 'q4' is unknown; choose from f32, bf16, q8"):
        NativeBackend(graph_of(1, 1, 8, None, None), spec_of(1, 8), cache="q4")
    assert NativeBackend(graph_of(1, 1, 8, None, None), spec_of(1, 8), weights="f32").cache == "f32"
    assert NativeBackend(graph_of(1, 1, 8, None, None), spec_of(1, 8)).cache == "bf16"
