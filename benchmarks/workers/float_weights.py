"""For peers that do not compute on the GGUF file's own blocks: its weights as floats."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import transformers


def float_type() -> torch.dtype:
    """bf16 where the processor multiplies it; elsewhere float32 is faster."""
    return torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32


def load_floats(model: Path, dtype: torch.dtype) -> transformers.PreTrainedModel:
    """A GGUF file as a dense model of transformers."""
    config = {}
    if hasattr(transformers, "GgufConfig"):  # from 5.19 or earlier on; before, there is no other way
        config["quantization_config"] = transformers.GgufConfig(dequantize=True)
    return transformers.AutoModelForCausalLM.from_pretrained(
        str(model.parent), gguf_file=model.name, dtype=dtype, **config
    ).eval()


@contextmanager
def float_folder(model: Path) -> Iterator[str]:
    """A folder, for as long as the context lasts, with a GGUF file's weights in bf16, its config and its tokenizer."""
    with tempfile.TemporaryDirectory() as folder:
        load_floats(model, torch.bfloat16).save_pretrained(folder)
        transformers.AutoTokenizer.from_pretrained(str(model.parent), gguf_file=model.name).save_pretrained(folder)
        yield folder
