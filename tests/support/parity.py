"""Logits of a checkpoint by each backend and by transformers, and how far apart they are."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from longra.backends.base import Chunk
from longra.backends.native import NativeBackend
from longra.backends.torch import TorchBackend
from longra.files.checkpoint import open_checkpoint
from longra.models import build_graph, check_fit, read_spec

TOKENS = np.random.default_rng(5).integers(0, 307, 41).astype(np.int32)
PAGES = np.array([5, 2, 7], np.int32)


def expected(model: Any, tokens: Any = TOKENS) -> Any:
    """transformers' logits [tokens, vocabulary]."""
    with torch.no_grad():
        return model(torch.from_numpy(tokens.astype(np.int64))[None]).logits[0].numpy()


def backend_of(path: Path, kind: str, **options: Any) -> Any:
    """A backend, "torch" or "native", with a checkpoint's weights, which must fit."""
    with open_checkpoint(path) as checkpoint:
        spec = read_spec(checkpoint)
        assert check_fit(checkpoint, spec) == []
        graph = build_graph(checkpoint, spec)
        backend = TorchBackend(graph, spec) if kind == "torch" else NativeBackend(graph, spec, **options)
    backend.reserve(8)
    return backend


def logits(
    backend: Any, sizes: list[int], arithmetic: str = "prefill", tokens: Any = TOKENS, extended: bool = False
) -> Any:
    """All positions' logits, the tokens given in chunks of these sizes."""
    rows, start = [], 0
    for size in sizes:
        chunk = Chunk(tokens[start : start + size], start, PAGES, size, extended)
        rows.append(backend.step([chunk], arithmetic))
        start += size
    assert start == len(tokens)
    return np.concatenate(rows)


def error(found: Any, wanted: Any) -> float:
    """The largest difference, relative to the largest logit."""
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())
