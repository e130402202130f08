"""Frequencies after scaling against transformers' own functions."""

from typing import Any

import numpy as np
import pytest
from describing import spec_of
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from longra.errors import FormatError

CONTEXT = 4096
SCALINGS: list[dict[str, Any]] = [
    {"rope_type": "linear", "factor": 4.0},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024},
    {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 512, "beta_fast": 20, "beta_slow": 2},
    {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 512, "truncate": False},
    {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 16, "beta_fast": 1.0},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 512, "mscale": 0.7, "mscale_all_dim": 1.0},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 512, "attention_factor": 1.25},
    {
        "rope_type": "llama3",
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 512,
    },
]


def of_transformers(scaling: dict[str, Any], length: int | None = None) -> tuple[Any, float]:
    config = LlamaConfig(
        hidden_size=64,
        num_attention_heads=1,
        max_position_embeddings=CONTEXT,
        rope_parameters=scaling | {"rope_theta": 500_000.0},
    )
    frequencies, magnitude = ROPE_INIT_FUNCTIONS[scaling["rope_type"]](config, "cpu", seq_len=length)
    return frequencies.numpy(), magnitude


def of_longra(scaling: dict[str, Any], length: int = 1) -> tuple[Any, float]:
    sizes = {"num_attention_heads": 1, "num_key_value_heads": 1, "max_position_embeddings": CONTEXT}
    rope = spec_of(**sizes, rope_theta=500_000.0, rope_scaling=scaling).rope
    assert rope is not None
    if rope.limit is not None and length > rope.limit:
        assert rope.extended is not None
        rope = rope.extended
    return np.array(rope.frequencies, np.float32), rope.magnitude


@pytest.mark.parametrize("scaling", SCALINGS, ids=lambda scaling: scaling["rope_type"])
def test_frequencies(scaling: dict[str, Any]) -> None:
    found, wanted = of_longra(scaling), of_transformers(scaling)
    np.testing.assert_allclose(found[0], wanted[0], rtol=5e-7)
    assert found[1] == pytest.approx(wanted[1], rel=1e-12)


@pytest.mark.parametrize("length", [512, 513])
def test_longrope(length: int) -> None:
    factors = {"short_factor": [1.0 + i / 9 for i in range(32)], "long_factor": [1.0 + i for i in range(32)]}
    scaling = {"rope_type": "longrope", "original_max_position_embeddings": 512} | factors
    found, wanted = of_longra(scaling, length), of_transformers(scaling, length)
    np.testing.assert_allclose(found[0], wanted[0], rtol=5e-7)
    assert found[1] == pytest.approx(wanted[1], rel=1e-12)


def test_dynamic_below_and_at_the_longest() -> None:
    scaling = {"rope_type": "dynamic", "factor": 3.0}
    np.testing.assert_allclose(of_longra(scaling)[0], of_transformers(scaling, CONTEXT)[0], rtol=5e-7)
    longest = 3 * CONTEXT
    np.testing.assert_allclose(of_longra(scaling, longest)[0], of_transformers(scaling, longest)[0], rtol=5e-7)
    assert spec_of(max_position_embeddings=CONTEXT, rope_scaling=scaling).context == longest


@pytest.mark.parametrize(
    ("scaling", "named"),
    [
        ({"rope_type": "mrope"}, "mrope"),
        ({"rope_type": "linear"}, "factor"),
        ({"rope_type": "linear", "factor": 0.0}, "factor"),
        ({"rope_type": "dynamic", "factor": "2"}, "factor"),
        ({"rope_type": "llama3", "factor": 2.0}, "low_freq_factor"),
        ({"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 1}, "original_max_position"),
        ({"rope_type": "longrope", "short_factor": [1.0]}, "short_factor"),
        ({"rope_type": "longrope", "short_factor": [1.0] * 8, "long_factor": [0.0] * 8}, "long_factor"),
    ],
)
def test_wrong_parameters_are_named(scaling: dict[str, Any], named: str) -> None:
    with pytest.raises(FormatError, match=named):
        spec_of(rope_scaling=scaling)
