"""The types that weights are stored as."""

BLOCKS: dict[str, tuple[int, int]] = {
    "F64": (1, 8),
    "F32": (1, 4),
    "F16": (1, 2),
    "BF16": (1, 2),
    "Q8_0": (32, 34),
    "Q4_0": (32, 18),
    "Q4_1": (32, 20),
    "Q5_0": (32, 22),
    "Q5_1": (32, 24),
    "Q2_K": (256, 84),
    "Q3_K": (256, 110),
    "Q4_K": (256, 144),
    "Q5_K": (256, 176),
    "Q6_K": (256, 210),
    "IQ4_NL": (32, 18),
    "IQ4_XS": (256, 136),
    # Masks and index buffers that some published checkpoints carry; never weights.
    "BOOL": (1, 1),
    "U8": (1, 1),
    "I8": (1, 1),
    "I16": (1, 2),
    "I32": (1, 4),
    "I64": (1, 8),
}
"""Stored type -> (weights in a block, bytes of a block). Sizes are those of ggml-common.h and of the IEEE formats."""

FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
"""Types with a number for each weight."""
