"""Random steps, prompts' chunks and single tokens of several texts together: threads never change a bit."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longra import _native
from longra.backends.base import Arithmetic, Chunk
from longra.backends.native import NativeBackend
from longra.files.tensor import Tensor
from longra.graph import Graph, Rope

HIDDEN, VOCABULARY, HEADS, KV_HEADS, HEAD_DIM, TEXTS = 64, 50, 4, 2, 16, 3
PAGES_A_TEXT = 3


def graph() -> Graph:
    """A layer of attention and a gated feed-forward, random weights."""
    g, draw = Graph(), np.random.default_rng(0)

    def weights(*shape: int) -> Tensor:
        values = draw.normal(0, 0.15, shape).astype(np.float32)
        return Tensor("w", "F32", shape, values.view(np.uint8).reshape(-1))

    x = g.embed(weights(VOCABULARY, HIDDEN), HIDDEN)
    q, k, v = (g.linear(x, weights(heads * HEAD_DIM, HIDDEN)) for heads in (HEADS, KV_HEADS, KV_HEADS))
    rope = Rope(tuple(0.1**i for i in range(HEAD_DIM // 2)))
    mixed = g.attention(q, k, v, layer=0, heads=HEADS, kv_heads=KV_HEADS, head_dim=HEAD_DIM, rope=rope)
    x = g.add(x, g.linear(mixed, weights(HIDDEN, HEADS * HEAD_DIM)))
    gate, up = (g.linear(x, weights(96, HIDDEN)) for _ in range(2))
    x = g.add(x, g.linear(g.multiply(g.activation(gate, "silu"), up), weights(HIDDEN, 96)))
    g.output = g.linear(x, weights(VOCABULARY, HIDDEN))
    return g


@st.composite
def schedules(draw: Any) -> list[tuple[Arithmetic, list[Chunk]]]:
    """Steps of one arithmetic each, with up to 45 prompt tokens or one generated token of some of the texts."""
    done, steps = [0] * TEXTS, []
    for _ in range(draw(st.integers(1, 6))):
        arithmetic: Arithmetic = draw(st.sampled_from(["prefill", "decode"]))
        chunks = []
        for text in draw(st.permutations(range(TEXTS)))[: draw(st.integers(1, TEXTS))]:
            size = draw(st.integers(1, 45 if arithmetic == "prefill" else 1))
            size = min(size, PAGES_A_TEXT * _native.PAGE_TOKENS - done[text])
            if size:
                tokens = ((np.arange(size) + done[text]) * 7 + text) % VOCABULARY
                pages = np.arange(text, PAGES_A_TEXT * TEXTS, TEXTS, dtype=np.int32)
                chunks.append(Chunk(tokens.astype(np.int32), done[text], pages, size))
                done[text] += size
        if chunks:
            steps.append((arithmetic, chunks))
    return steps


@pytest.mark.parametrize("weights", ["q4", "f32"])
@pytest.mark.parametrize("isa", _native.usable())
def test_threads_do_not_change_bits(isa: str, weights: str) -> None:
    spec: Any = SimpleNamespace(layers=1, kv_heads=KV_HEADS, head_dim=HEAD_DIM, context=1024)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGRA_ISA", isa)
        backends = [NativeBackend(graph(), spec, threads=threads, weights=weights) for threads in (1, 2, 3)]
    for backend in backends:
        backend.reserve(PAGES_A_TEXT * TEXTS)

    @given(steps=schedules())
    @settings(max_examples=6)
    def run(steps: list[tuple[Arithmetic, list[Chunk]]]) -> None:
        for arithmetic, chunks in steps:
            one, two, three = (backend.step(chunks, arithmetic) for backend in backends)
            assert np.array_equal(one, two)
            assert np.array_equal(one, three)

    run()
