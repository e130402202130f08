"""Stored weights to float32: the reference arithmetic that every kernel is tested against.

The layouts of blocks are those of ggml-common.h. A block's weights follow each other along a row; d and m are its
float16 scale and minimum; a K-quantised block of 256 has scales for each 16 or 32 weights, quantised themselves.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from longra.arrays import Float32, UInt8
from longra.errors import FormatError
from longra.files.blocks import BLOCKS
from longra.files.mapped import shown

_Blocks = UInt8  # [blocks, bytes of a block]

_CHUNK_WEIGHTS = 1 << 20  # bounds the temporary arrays to a few MB, which also keeps them in the cache

_IQ4_LEVELS = np.array(
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113],
    np.float32,
)  # kvalues_iq4nl of ggml-common.h


def dequantise(kind: str, data: UInt8) -> Float32:
    """Stored bytes as float32.

    Args:
        kind: a key of BLOCKS.
        data: uint8 [nbytes], whole blocks.

    Returns:
        float32 [weights]. Every product and sum is rounded to float32 once, in ggml's order.

    Raises:
        FormatError: the kind is unknown, or data is not a whole number of blocks.
    """
    if kind not in BLOCKS:
        raise FormatError(f"stored type {shown(kind)} is not known; known are {', '.join(BLOCKS)}")
    weights, size = BLOCKS[kind]
    if data.size % size:
        raise FormatError(f"{data.size:,} bytes are not a whole number of {kind} blocks of {size} bytes")
    if kind in _PLAIN:
        values: Float32 = data.view(_PLAIN[kind]).astype(np.float32)
        return values
    blocks = data.reshape(-1, size)
    result = np.empty((len(blocks), weights), np.float32)
    step = _CHUNK_WEIGHTS // weights
    for start in range(0, len(blocks), step):
        part = blocks[start : start + step]
        result[start : start + step] = _QUANTISED[kind](part).reshape(len(part), weights)
    return result.reshape(-1)


def _half(blocks: _Blocks, start: int) -> Float32:
    """The float16 at byte `start` of each block, [blocks, 1]."""
    return np.ascontiguousarray(blocks[:, start : start + 2]).view("<f2").astype(np.float32)


def _nibbles(packed: _Blocks) -> UInt8:
    """Low four bits of all bytes, then high four bits: [..., n] to [..., 2 n]."""
    return np.concatenate([packed & 15, packed >> 4], axis=-1)


def _bits(packed: _Blocks, width: int, count: int) -> UInt8:
    """`count` fields of `width` bits of each byte, lowest first: [..., n] to [..., count, n]."""
    shifts = np.arange(count, dtype=np.uint8)[:, None] * np.uint8(width)
    return (packed[..., None, :] >> shifts) & np.uint8((1 << width) - 1)


def _fifth_bits(blocks: _Blocks, start: int) -> UInt8:
    """Bit i of the 32-bit number at byte `start`, as 16 or 0: the fifth bit of weight i, [blocks, 32]."""
    return np.unpackbits(blocks[:, start : start + 4], axis=1, bitorder="little") << np.uint8(4)


def _bf16(blocks: _Blocks) -> Float32:
    return (blocks.view("<u2").astype(np.uint32) << 16).view(np.float32)


def _q8_0(blocks: _Blocks) -> Float32:
    return _half(blocks, 0) * blocks[:, 2:].view(np.int8).astype(np.float32)


def _q4_0(blocks: _Blocks) -> Float32:
    return _half(blocks, 0) * (_nibbles(blocks[:, 2:]).astype(np.float32) - 8)


def _q4_1(blocks: _Blocks) -> Float32:
    return _half(blocks, 0) * _nibbles(blocks[:, 4:]).astype(np.float32) + _half(blocks, 2)


def _q5_0(blocks: _Blocks) -> Float32:
    codes = _nibbles(blocks[:, 6:]) | _fifth_bits(blocks, 2)
    return _half(blocks, 0) * (codes.astype(np.float32) - 16)


def _q5_1(blocks: _Blocks) -> Float32:
    codes = _nibbles(blocks[:, 8:]) | _fifth_bits(blocks, 4)
    return _half(blocks, 0) * codes.astype(np.float32) + _half(blocks, 2)


def _q2_k(blocks: _Blocks) -> Float32:
    """16 bytes of scales (low nibble) and minima (high), 64 bytes of 2-bit codes, d, dmin."""
    scales = (_half(blocks, 80) * (blocks[:, :16] & 15).astype(np.float32))[:, :, None]
    minima = (_half(blocks, 82) * (blocks[:, :16] >> 4).astype(np.float32))[:, :, None]
    codes = _bits(blocks[:, 16:80].reshape(-1, 2, 32), 2, 4).reshape(-1, 16, 16)
    return scales * codes.astype(np.float32) - minima


def _q3_k(blocks: _Blocks) -> Float32:
    """32 bytes of high bits, 64 bytes of 2-bit codes, 12 bytes of 6-bit scales, d."""
    packed = blocks[:, 96:108]
    low = _nibbles(packed[:, :8])
    high = _bits(packed[:, 8:12], 2, 4).reshape(-1, 16)
    scales = (low | (high << 4)).astype(np.float32) - 32
    codes = _bits(blocks[:, 32:96].reshape(-1, 2, 32), 2, 4).reshape(-1, 8, 32)
    above = _bits(blocks[:, :32], 1, 8)  # a missing high bit takes 4 away
    values = (codes | (above << 2)).astype(np.float32) - 4
    return (_half(blocks, 108) * scales)[:, :, None] * values.reshape(-1, 16, 16)


def _scales_and_minima(packed: _Blocks) -> tuple[Float32, Float32]:
    """Eight 6-bit scales and eight 6-bit minima from the 12 bytes of a Q4_K or Q5_K block, [blocks, 8] each."""
    first, second, third = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = np.concatenate([first & 63, (third & 15) | ((first >> 6) << 4)], axis=1)
    minima = np.concatenate([second & 63, (third >> 4) | ((second >> 6) << 4)], axis=1)
    return scales.astype(np.float32), minima.astype(np.float32)


def _scaled_32(blocks: _Blocks, codes: UInt8) -> Float32:
    """d * scale * code - dmin * minimum for codes [blocks, 8, 32] of a Q4_K or Q5_K block."""
    scales, minima = _scales_and_minima(blocks[:, 4:16])
    d, dmin = _half(blocks, 0), _half(blocks, 2)
    return (d * scales)[:, :, None] * codes.astype(np.float32) - (dmin * minima)[:, :, None]


def _q4_k(blocks: _Blocks) -> Float32:
    """d, dmin, 12 bytes of scales and minima, 128 bytes of 4-bit codes."""
    return _scaled_32(blocks, _nibbles(blocks[:, 16:].reshape(-1, 4, 32)).reshape(-1, 8, 32))


def _q5_k(blocks: _Blocks) -> Float32:
    """d, dmin, 12 bytes of scales and minima, 32 bytes of fifth bits, 128 bytes of 4-bit codes."""
    codes = _nibbles(blocks[:, 48:].reshape(-1, 4, 32)).reshape(-1, 8, 32)
    return _scaled_32(blocks, codes | (_bits(blocks[:, 16:48], 1, 8) << np.uint8(4)))


def _q6_k(blocks: _Blocks) -> Float32:
    """128 bytes of low nibbles, 64 bytes of high bit pairs, 16 signed scales, d."""
    low = _nibbles(blocks[:, :128].reshape(-1, 2, 64)).reshape(-1, 8, 32)
    high = _bits(blocks[:, 128:192].reshape(-1, 2, 32), 2, 4).reshape(-1, 8, 32)
    codes = (low | (high << 4)).astype(np.float32) - 32
    scales = _half(blocks, 208) * blocks[:, 192:208].view(np.int8).astype(np.float32)
    return scales[:, :, None] * codes.reshape(-1, 16, 16)


def _iq4_nl(blocks: _Blocks) -> Float32:
    levels: Float32 = _IQ4_LEVELS[_nibbles(blocks[:, 2:])]
    return _half(blocks, 0) * levels


def _iq4_xs(blocks: _Blocks) -> Float32:
    """d, 16 high bit pairs and 8 low nibbles of eight 6-bit scales, 128 bytes of 4-bit codes."""
    low = np.stack([blocks[:, 4:8] & 15, blocks[:, 4:8] >> 4], axis=-1).reshape(-1, 8)
    high = _bits(blocks[:, 2:4], 2, 4).transpose(0, 2, 1).reshape(-1, 8)
    scales = _half(blocks, 0) * ((low | (high << 4)).astype(np.float32) - 32)
    levels: Float32 = _IQ4_LEVELS[_nibbles(blocks[:, 8:].reshape(-1, 8, 16))]
    values: Float32 = scales[:, :, None] * levels
    return values


_PLAIN: dict[str, Any] = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BOOL": "|u1",
    "U8": "|u1",
    "I8": "|i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
}

_QUANTISED: dict[str, Callable[[_Blocks], Float32]] = {
    "BF16": _bf16,
    "Q8_0": _q8_0,
    "Q4_0": _q4_0,
    "Q4_1": _q4_1,
    "Q5_0": _q5_0,
    "Q5_1": _q5_1,
    "Q2_K": _q2_k,
    "Q3_K": _q3_k,
    "Q4_K": _q4_k,
    "Q5_K": _q5_k,
    "Q6_K": _q6_k,
    "IQ4_NL": _iq4_nl,
    "IQ4_XS": _iq4_xs,
}
