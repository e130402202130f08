"""Dequantisation against the `gguf` package's own, an independent implementation."""

import gguf
import numpy as np
import pytest

from longra.errors import FormatError
from longra.files.blocks import BLOCKS
from longra.files.dequantise import dequantise
from longra.files.tensor import Tensor

KINDS = [
    kind for kind in BLOCKS if kind in gguf.GGMLQuantizationType.__members__ and not kind.startswith(("I8", "I16"))
]
QUANTISED = [kind for kind in KINDS if kind not in ("F64", "F32", "F16", "I32", "I64")]
# Bytes at which a block has a float16.
HALVES = {
    "Q8_0": (0,),
    "Q4_0": (0,),
    "Q4_1": (0, 2),
    "Q5_0": (0,),
    "Q5_1": (0, 2),
    "Q2_K": (80, 82),
    "Q3_K": (108,),
    "Q4_K": (0, 2),
    "Q5_K": (0, 2),
    "Q6_K": (208,),
    "IQ4_NL": (0,),
    "IQ4_XS": (0,),
    "BF16": (),
}


def random_blocks(kind: str, count: int, seed: int = 0) -> np.ndarray:
    """uint8 [count, block bytes]: any codes, finite scales."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (count, BLOCKS[kind][1]), dtype=np.uint8)
    for start in HALVES[kind]:
        blocks[:, start : start + 2] = rng.normal(size=(count, 1)).astype(np.float16).view(np.uint8)
    if kind == "BF16":
        blocks = (rng.normal(size=count).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)
    return blocks.reshape(count, -1)


@pytest.mark.parametrize("kind", QUANTISED)
def test_equals_the_gguf_package(kind: str) -> None:
    blocks = random_blocks(kind, 500)
    ours = dequantise(kind, blocks.reshape(-1))
    theirs = gguf.dequantize(blocks, gguf.GGMLQuantizationType[kind]).reshape(-1)
    assert ours.dtype == np.float32
    assert np.isfinite(ours).all()
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", ["Q4_1", "Q6_K"])
def test_does_not_depend_on_the_chunks_of_the_work(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = random_blocks(kind, 77).reshape(-1)
    whole = dequantise(kind, blocks)
    monkeypatch.setattr("longra.files.dequantise._CHUNK_WEIGHTS", 1024)
    np.testing.assert_array_equal(dequantise(kind, blocks), whole)


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("F64", "<f8"), ("F32", "<f4"), ("F16", "<f2"), ("I64", "<i8"), ("I32", "<i4"), ("I16", "<i2"), ("I8", "i1")],
)
def test_plain_types(kind: str, dtype: str) -> None:
    values = np.array([0, 1, -2, 100], dtype)
    np.testing.assert_array_equal(dequantise(kind, values.view(np.uint8)), values.astype(np.float32))


def test_bytes_that_are_not_aligned() -> None:
    values = np.arange(5, dtype="<f4")
    data = np.concatenate([np.zeros(1, np.uint8), values.view(np.uint8)])[1:]
    np.testing.assert_array_equal(Tensor("t", "F32", (5,), data).float32(), values)


def test_an_empty_tensor() -> None:
    assert dequantise("Q4_K", np.zeros(0, np.uint8)).shape == (0,)


def test_half_a_block() -> None:
    with pytest.raises(FormatError, match="33 bytes are not a whole number of Q8_0 blocks of 34"):
        dequantise("Q8_0", np.zeros(33, np.uint8))


def test_an_unknown_kind() -> None:
    with pytest.raises(FormatError, match="'Q9_9' is not known"):
        dequantise("Q9_9", np.zeros(4, np.uint8))
