"""Products with every stored type on every instruction set, against float64 on the dequantised weights."""

from typing import Any

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longra import _native
from longra.files.blocks import BLOCKS, FLOATS
from longra.files.dequantise import dequantise

QUANTISABLE = {"Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"}
NO_NORM = (False, -1, -1, 0.0, 0.0)
# Relative error of a product: 8-bit activations, bf16 operands on the matrix unit.
BOUNDS = {"decode": 9e-3, "prefill": 7e-3}


def stored(kind: str, rows: int, inputs: int, seed: int) -> Any:
    """Random weights of a stored type, uint8 [bytes]."""
    draw = np.random.default_rng(seed)
    weights = draw.normal(0, 0.05, (rows, inputs)).astype(np.float32)
    if kind == "F64":
        return weights.astype(np.float64).view(np.uint8).reshape(-1)
    if kind in FLOATS | QUANTISABLE:
        return gguf.quantize(weights, gguf.GGMLQuantizationType[kind]).view(np.uint8).reshape(-1)
    count, size = BLOCKS[kind]
    blocks = draw.integers(0, 256, (rows * inputs // count, size), dtype=np.uint8)
    halves = {
        "Q2_K": (80, 82),
        "Q3_K": (108,),
        "Q4_K": (0, 2),
        "Q5_K": (0, 2),
        "Q6_K": (208,),
        "IQ4_NL": (0,),
        "IQ4_XS": (0,),
    }
    for at in halves[kind]:
        scale = draw.uniform(0.5e-4, 2e-4, len(blocks)).astype(np.float16)
        blocks[:, at : at + 2] = scale[:, None].view(np.uint8)
    return blocks.reshape(-1)


def packed(plan: Any, kind: str, data: Any, rows: int, inputs: int, target: str) -> int:
    """A matrix of the plan, packed in two slices where it has rows for two."""
    matrix = plan.matrix(kind, rows, inputs, target)
    row_bytes = len(data) // rows
    split = rows // 32 * 16
    for first, last in ((0, split), (split, rows)):
        if last > first:
            plan.fill(matrix, kind, data[first * row_bytes : last * row_bytes], row_bytes, first)
    return int(matrix)


def product(isa: str, kind: str, data: Any, rows: int, x: Any, arithmetic: str, target: str = "") -> Any:
    """x @ weights.T by a plan of two operations: embedding rows are x, the output is the product."""
    count, inputs = x.shape
    plan = _native.Plan(2, isa)
    plan.cache(1, 1, 32, "bf16")
    table = packed(plan, "F32", np.ascontiguousarray(x, np.float32).view(np.uint8).reshape(-1), count, inputs, "f32")
    matrix = packed(plan, kind, data, rows, inputs, target)
    buffer = plan.buffer(inputs, False)
    plan.embed(table, buffer, 1.0)
    plan.linear(buffer, -1, "plain", NO_NORM, "silu", [(matrix, -1, 0)], False, False, False, False)
    chosen = np.arange(count, dtype=np.int32)
    pages = np.zeros(-(-count // 64), np.int32)
    out = np.zeros((count, -(-rows // 16) * 16), np.float32)
    plan.step(arithmetic == "decode", chosen, [(count, 0, 0, False)], pages, chosen, out)
    return out[:, :rows]


def check(
    isa: str,
    kind: str,
    rows: int,
    inputs: int,
    count: int,
    arithmetic: str,
    target: str = "",
    bound: float | None = None,
) -> None:
    data = stored(kind, rows, inputs, rows + inputs)
    x = np.random.default_rng(count).normal(0, 1, (count, inputs)).astype(np.float32)
    weights = dequantise(kind, data).reshape(rows, inputs).astype(np.float64)
    wanted = x.astype(np.float64) @ weights.T
    found = product(isa, kind, data, rows, x, arithmetic, target)
    # The products' expected norm, not their own: a single one may cancel.
    relative = np.linalg.norm(found - wanted) / (np.linalg.norm(x) * np.linalg.norm(weights) / np.sqrt(inputs))
    assert relative < (BOUNDS[arithmetic] if bound is None else bound)


@pytest.mark.parametrize("arithmetic", ["prefill", "decode"])
@pytest.mark.parametrize("kind", [kind for kind in BLOCKS if kind in FLOATS or kind.startswith(("Q", "IQ"))])
@pytest.mark.parametrize("isa", _native.usable())
def test_every_stored_type(isa: str, kind: str, arithmetic: str) -> None:
    check(isa, kind, 83, 512, 5, arithmetic)


@pytest.mark.parametrize("isa", _native.usable())
@given(
    kind=st.sampled_from(["F32", "F16", "Q4_0", "Q4_1", "Q5_0", "Q8_0"]),
    rows=st.integers(1, 150),
    groups=st.integers(1, 45),
    count=st.sampled_from([1, 2, 3, 4, 5, 31, 33, 70]),
    arithmetic=st.sampled_from(["prefill", "decode"]),
)
@settings(max_examples=25)
def test_every_shape(isa: str, kind: str, rows: int, groups: int, count: int, arithmetic: str) -> None:
    check(isa, kind, rows, 32 * groups, count, arithmetic, bound=1.5e-2)


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q6_K", "IQ4_NL"])
@pytest.mark.parametrize("isa", _native.usable())
def test_same_bits_at_every_width(isa: str, kind: str) -> None:
    """A row's product does not depend on the rows beside it; nor, without a matrix unit, on prefill or decode."""
    data = stored(kind, 83, 512, 9)
    x = np.random.default_rng(4).normal(0, 1, (71, 512)).astype(np.float32)
    alone = np.concatenate([product(isa, kind, data, 83, row[None], "decode") for row in x])
    for count in (2, 3, 5, 16, 71):
        assert np.array_equal(product(isa, kind, data, 83, x[:count], "decode"), alone[:count])
        if isa != "amx":
            assert np.array_equal(product(isa, kind, data, 83, x[:count], "prefill"), alone[:count])


@pytest.mark.parametrize("isa", _native.usable())
@pytest.mark.parametrize("arithmetic", ["prefill", "decode"])
def test_float32_weights_are_exact_but_for_rounding(isa: str, arithmetic: str) -> None:
    check(isa, "F32", 70, 1400, 35, arithmetic, target="f32", bound=1e-6)


@pytest.mark.parametrize("isa", _native.usable())
@pytest.mark.parametrize(
    "kinds", [("F16", "F16", "F16"), ("F16", "F16", "Q8_0"), ("Q8_0", "F16", "F16"), ("F16", "F16", "F32")]
)
@pytest.mark.parametrize("arithmetic", ["prefill", "decode"])
def test_gated_products_of_mixed_types(isa: str, kinds: tuple[str, str, str], arithmetic: str) -> None:
    """down(silu(gate x) * up x): operands go from one product to the next only where both take them."""
    rows, inputs, count = 96, 320, 37
    x = np.random.default_rng(5).normal(0, 1, (count, inputs)).astype(np.float32)
    shapes = [(rows, inputs), (rows, inputs), (64, rows)]
    plan = _native.Plan(2, isa)
    plan.cache(1, 1, 32, "bf16")
    table = packed(plan, "F32", x.view(np.uint8).reshape(-1), count, inputs, "f32")
    matrices, weights = [], []
    for kind, (outputs, width) in zip(kinds, shapes, strict=True):
        data = stored(kind, outputs, width, outputs + width)
        matrices.append(packed(plan, kind, data, outputs, width, "f32" if kind == "F32" else ""))
        weights.append(dequantise(kind, data).reshape(outputs, width).astype(np.float64))
    source, gated = plan.buffer(inputs, False), plan.buffer(2 * rows, False)
    plan.embed(table, source, 1.0)
    gate = [(matrices[0], -1, 0), (matrices[1], -1, rows)]
    plan.linear(source, gated, "plain", NO_NORM, "silu", gate, False, True, False, False)
    plan.linear(gated, -1, "gated", NO_NORM, "silu", [(matrices[2], -1, 0)], False, False, False, True)
    chosen = np.arange(count, dtype=np.int32)
    out = np.zeros((count, 64), np.float32)
    plan.step(arithmetic == "decode", chosen, [(count, 0, 0, False)], np.zeros(1, np.int32), chosen, out)
    gates, ups = x @ weights[0].T, x @ weights[1].T
    wanted = (gates / (1 + np.exp(-gates)) * ups) @ weights[2].T
    assert np.linalg.norm(out - wanted) / np.linalg.norm(wanted) < 1.5e-2


@pytest.mark.parametrize("target", ["q8", "q4"])
def test_quantising_float_weights(target: str) -> None:
    """8 bits hardly differ; 4 bits in groups of 32 keep a normal distribution to 8 percent."""
    check(_native.usable()[0], "F32", 64, 512, 3, "decode", target, bound={"q8": 1.2e-2, "q4": 9e-2}[target])


def test_large_values_survive_the_matrix_unit() -> None:
    """Activations of some models reach tens of thousands; packed operands must not overflow."""
    isa = _native.usable()[0]
    data = stored("Q4_0", 32, 64, 1)
    x = np.random.default_rng(0).normal(0, 1e6, (4, 64)).astype(np.float32)
    wanted = x.astype(np.float64) @ dequantise("Q4_0", data).reshape(32, 64).astype(np.float64).T
    found = product(isa, "Q4_0", data, 32, x, "prefill")
    assert np.linalg.norm(found - wanted) / np.linalg.norm(wanted) < BOUNDS["prefill"]


def test_weights_beyond_packed_scales_are_refused() -> None:
    plan = _native.Plan(1, _native.usable()[-1])
    weights = np.full((16, 64), 3e5, np.float32)
    with pytest.raises(ValueError, match="larger than 1,000"):
        packed(plan, "F32", weights.view(np.uint8).reshape(-1), 16, 64, "q8")


@pytest.mark.parametrize(
    ("tokens", "segments", "pages", "rows"),
    [
        ([1], [(2, 0, 0, False)], [0], []),
        ([1], [(1, -1, 0, False)], [0], []),
        ([1], [(1, 64, 0, False)], [0], []),
        ([1], [(1, 0, 5, False)], [0], []),
        ([1], [(1, 2**31 - 2, 0, False)], [0], []),
        ([1], [(1, 0, 0, False)], [0], [1]),
        ([], [], [0], []),
    ],
)
def test_bad_steps_are_refused(tokens: list[int], segments: list[Any], pages: list[int], rows: list[int]) -> None:
    plan = _native.Plan(1, _native.usable()[-1])
    plan.cache(1, 1, 32, "bf16")
    out = np.zeros((len(rows), 16), np.float32)
    arrays = [np.array(values, np.int32) for values in (tokens, pages, rows)]
    with pytest.raises(ValueError, match=r"."):
        plan.step(True, arrays[0], segments, arrays[1], arrays[2], out)
