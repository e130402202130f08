"""Graphs of any form, lowered with all their fusions, against the same graph computed node by node."""

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
from longra.errors import FitError
from longra.files.tensor import Tensor
from longra.graph import Graph, Node, Rope

VOCABULARY, HEAD = 40, 8
WIDTHS = (24, 48)
ROPE = Rope((1.0, 0.1, 0.01), interleaved=True)
TOKENS = np.random.default_rng(2).integers(0, VOCABULARY, 11).astype(np.int32)


class Weights:
    """Random tensors, each of its own values."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)

    def __call__(self, *shape: int, around: float = 0.0, scale: float = 1.0) -> Tensor:
        values = (around + self.draw.normal(0, scale, shape)).astype(np.float32)
        return Tensor("w", "F32", shape, values.view(np.uint8).reshape(-1))

    def matrix(self, rows: int, inputs: int) -> Tensor:
        return self(rows, inputs, scale=inputs**-0.5)


def grow(g: Graph, w: Weights, draw: Any, nodes: list[Node], layer: int) -> tuple[Node, int]:
    """One more node, made of any that are there; and the number of caches."""

    def some(width: int | None = None) -> Node:
        return draw(st.sampled_from([node for node in reversed(nodes) if width in (None, node.width)]))

    x = some()
    what = draw(st.sampled_from(["norm", "linear", "add", "multiply", "gated", "attention", "attention", "block"]))
    if what == "norm":
        return norm(g, w, draw, x), layer
    if what == "linear":
        return linear(g, w, draw, x), layer
    if what == "add":
        return g.add(x, some(x.width)), layer
    if what == "multiply":
        return g.multiply(x, some(x.width)), layer
    if what == "gated":
        inner = draw(st.sampled_from([20, 24, 48]))
        gate, up = (g.linear(x, w.matrix(inner, x.width), bias(w, draw, inner)) for _ in range(2))
        kind = draw(st.sampled_from(["silu", "gelu", "gelu_tanh", "relu"]))
        pair = (g.activation(gate, kind), up)
        hidden = g.multiply(*(pair if draw(st.booleans()) else pair[::-1]))
        return g.linear(hidden, w.matrix(x.width, inner)), layer
    if what == "block":
        inner = g.activation(linear(g, w, draw, norm(g, w, draw, x)), "gelu_tanh")
        return g.add(x, g.linear(inner, w.matrix(x.width, inner.width), bias(w, draw, x.width))), layer
    return attention(g, w, draw, x, some(), layer), layer + 1


def bias(w: Weights, draw: Any, width: int) -> Tensor | None:
    return w(width, scale=0.3) if draw(st.booleans()) else None


def norm(g: Graph, w: Weights, draw: Any, x: Node) -> Node:
    weight = w(x.width, around=1.0, scale=0.3)
    if draw(st.booleans()):
        return g.rms_norm(x, weight, 1e-6, shift=draw(st.sampled_from([0.0, 1.0])))
    return g.layer_norm(x, weight, bias(w, draw, x.width), 1e-5)


def linear(g: Graph, w: Weights, draw: Any, x: Node) -> Node:
    width = draw(st.sampled_from(WIDTHS))
    return g.linear(x, w.matrix(width, x.width), bias(w, draw, width))


def attention(g: Graph, w: Weights, draw: Any, x: Node, other: Node, layer: int) -> Node:
    """Three query heads on one key/value head; queries and keys of one node or of two, with or without norms before.

    Scores are of normed values either way: a softmax of huge ones would turn roundings into other texts.
    """
    normed = draw(st.booleans())
    source = other if normed and draw(st.booleans()) else x
    if not normed or draw(st.booleans()):
        x = source = norm(g, w, draw, x)
    q = g.linear(x, w.matrix(3 * HEAD, x.width), bias(w, draw, 3 * HEAD))
    k = g.linear(source, w.matrix(HEAD, source.width), bias(w, draw, HEAD))
    v = k if draw(st.integers(0, 4)) == 4 else g.linear(source, w.matrix(HEAD, source.width), bias(w, draw, HEAD))
    return g.attention(
        q,
        k,
        v,
        layer=layer,
        heads=3,
        kv_heads=1,
        head_dim=HEAD,
        rope=ROPE if draw(st.booleans()) else None,
        window=4 if draw(st.booleans()) else None,
        q_norm=w(HEAD, around=1.0, scale=0.3) if normed else None,
        k_norm=w(HEAD, around=1.0, scale=0.3) if normed else None,
    )


@st.composite
def graphs(draw: Any) -> tuple[Graph, int]:
    """A graph that ends in logits, and its number of layers."""
    g, w = Graph(), Weights(draw(st.integers(0, 99)))
    table = w(VOCABULARY, 24)
    x = g.embed(table, 24, scale=2.0)
    if draw(st.booleans()):
        x = g.add(x, g.position_embed(w(64, 24), 24, offset=3))
    nodes = [g.add(x, attention(g, w, draw, x, x, 0))]
    layers = 1
    for _ in range(draw(st.integers(1, 9))):
        node, layers = grow(g, w, draw, nodes, layers)
        nodes.append(node)
    last = nodes[-1]
    for node in nodes[:-1]:  # what nothing reads would be left out
        if node.width == last.width and draw(st.booleans()):
            last = g.add(last, node)
    last = norm(g, w, draw, last) if draw(st.booleans()) else last
    g.output = g.linear(
        last, table if last.width == 24 else w.matrix(VOCABULARY, last.width), bias(w, draw, VOCABULARY)
    )
    return g, layers


def logits(backend: Any, arithmetic: Any) -> Any:
    backend.reserve(2)
    pages = np.array([1], np.int32)
    first = backend.step([Chunk(TOKENS[:7], 0, pages, 2)], arithmetic)
    rest = backend.step([Chunk(TOKENS[7:], 7, pages, 4)], arithmetic)
    return np.concatenate([first, rest])


@pytest.mark.parametrize("isa", [_native.usable()[0], _native.usable()[-1]])
@given(graph=graphs())
@settings(max_examples=80)
def test_any_graph(isa: str, graph: tuple[Graph, int]) -> None:
    g, layers = graph
    spec: Any = SimpleNamespace(layers=layers, kv_heads=1, head_dim=HEAD, context=64)
    wanted = logits(TorchBackend(g, spec), "prefill")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGRA_ISA", isa)
        for weights, bound in (("f32", 1e-4), (None, 0.1)):
            native = NativeBackend(g, spec, threads=1, weights=weights)
            for arithmetic in ("prefill", "decode"):
                found = logits(native, arithmetic)
                assert np.linalg.norm(found - wanted) <= bound * np.linalg.norm(wanted) + 1e-4


def test_heads_of_different_shapes_are_refused() -> None:
    g, w = Graph(), Weights(0)
    x = g.embed(w(VOCABULARY, 24), 24)
    for layer, heads in enumerate((3, 1)):
        x = g.attention(x, x, x, layer=layer, heads=heads, kv_heads=heads, head_dim=24 // heads)
    g.output = g.linear(x, w(VOCABULARY, 24))
    with pytest.raises(FitError, match=r"differ in shape: \[\(1, 24\), \(3, 8\)\]"):
        NativeBackend(g, SimpleNamespace(context=64))  # type: ignore[arg-type]


def test_an_output_that_is_no_product_is_refused() -> None:
    g, w = Graph(), Weights(0)
    x = g.embed(w(VOCABULARY, 24), 24)
    g.output = g.attention(x, x, x, layer=0, heads=3, kv_heads=3, head_dim=8)
    for backend in (NativeBackend, TorchBackend):
        with pytest.raises(FitError, match="linear"):
            backend(g, SimpleNamespace(context=64, layers=1, kv_heads=3, head_dim=8))  # type: ignore[arg-type]
