"""What a key bias does to keys that are rounded, and how to undo it without changing any score.

Qwen2's key bias is up to 200 in some channels, where a rounded key would lose what tells tokens apart.
"""

import numpy as np
import numpy.typing as npt

from longra.arrays import Float32
from longra.graph import Attention, Linear, Rope

_SLOW_POSITIONS = 8192


def key_shift(node: Attention) -> Float32 | None:
    """A vector [kv_heads, head_dim] that is taken from all keys before they are rounded.

    Softmax does not see what all scores of a query share, so any fixed vector may go: here the bias of channels that rope
    turns by less than a radian in 8,192 tokens (measured: five to fifteen times less divergence).
    """
    bias = _bias(node)
    if bias is None or node.softcap:
        return None
    if node.rope is not None:
        fast = np.flatnonzero(np.array(node.rope.frequencies) * _SLOW_POSITIONS >= 1)
        first, second = _pairs(node.rope)
        bias[:, first[fast]] = bias[:, second[fast]] = 0
    return bias


def key_scale(node: Attention) -> Float32 | None:
    """A vector [kv_heads, head_dim] by which keys are divided and queries multiplied, for keys whose channels share scales.

    The products stay, and large channels no longer spoil the steps of their neighbours (as SmoothQuant does for products,
    Xiao et al. 2023). A channel's size is what is left of its bias, over both channels of a pair that rope turns; its
    square root, because a channel that is made too small is itself rounded too coarsely (measured, see docs/design.md).
    """
    bias = _bias(node)
    if bias is None:
        return None
    shift = key_shift(node)
    size = np.abs(bias if shift is None else bias - shift)
    if node.rope is not None:
        first, second = _pairs(node.rope)
        size[:, first] = size[:, second] = np.hypot(size[:, first], size[:, second])
    scale: Float32 = np.sqrt(np.maximum(size, 1.0)).astype(np.float32)
    return scale


def _bias(node: Attention) -> Float32 | None:
    """The key bias [kv_heads, head_dim] where it reaches the keys as it is."""
    if not isinstance(node.k, Linear) or node.k.bias is None or node.k_norm is not None:
        return None
    return node.k.bias.float32().reshape(node.kv_heads, node.head_dim).copy()


def _pairs(rope: Rope) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first and the second channels that each frequency turns together."""
    each = np.arange(len(rope.frequencies))
    return (2 * each, 2 * each + 1) if rope.interleaved else (each, each + len(each))
