"""GGUF metadata read as config.json: values that no converter writes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import write_model_gguf

from longra.errors import FormatError
from longra.files.checkpoint import open_checkpoint
from longra.files.fields import Fields
from longra.files.gguf_config import config_of_gguf


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("key_length", np.array([16, 16, 16]), "head_dim is a value of type ndarray"),
        ("value_length", np.array([16, 16, 16]), "value_dim is a value of type ndarray"),
        ("value_length", 8, "values are 8 wide and keys"),
    ],
)
def test_hostile_widths(key: str, value: Any, message: str, tmp_path: Path) -> None:
    write_model_gguf(tmp_path / "model.gguf")
    with open_checkpoint(tmp_path / "model.gguf") as checkpoint:
        checkpoint.config[f"llama.attention.{key}"] = value
        with pytest.raises(FormatError, match=message):
            config_of_gguf(checkpoint)


def test_numbers_are_as_large_as_kernels_count() -> None:
    fields = Fields({"sliding_window": 2**31}, "config.json")
    with pytest.raises(FormatError, match="which is outside 1 to 2147483647"):
        fields.integer("sliding_window")
