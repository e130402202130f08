"""The real models against an independent float32 implementation, through the prefill and the decode kernels."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import longra
from longra.backends.base import Chunk
from longra.evaluate.distributions import divergences, log_totals
from support.real import real_model

REFERENCES = Path(__file__).parents[1] / "data" / "reference"
# Mean divergence that llama.cpp reaches on the same files.
BOUNDS = {"smollm2": 0.0030, "qwen": 0.0010, "gemma": 0.0040}
CLEAR_MARGIN = 0.1


def divergence(step: dict[str, Any], logits: Any) -> float:
    """KL divergence in nats over the listed tokens, the rest lumped into one: a lower bound of the whole."""
    logs = logits.astype(np.float64) - log_totals(logits[None])
    p, q = lumped(np.array(step["top_logprobs"])), lumped(logs[step["top_ids"]])
    return float(divergences(p[None], q[None])[0])


def lumped(logs: Any) -> Any:
    """Logarithms of some probabilities, and of what they leave of 1."""
    return np.append(logs, np.log(max(1e-12, 1 - np.exp(logs).sum())))


def after_prompt(backend: Any, pages: Any, prompt: Any, greedy: Any, path: str) -> Any:
    """Logits at the 48 positions, the reference's tokens fed."""
    if path == "prefill":
        return backend.step([Chunk(np.concatenate([prompt, greedy[:-1]]), 0, pages, len(greedy))], "prefill")
    rows = [backend.step([Chunk(prompt, 0, pages, 1)], "prefill")[0]]
    for i, token in enumerate(greedy[:-1]):
        rows.append(backend.step([Chunk(np.array([token]), len(prompt) + i, pages, 1)], "decode")[0])
    return np.array(rows)


@pytest.fixture(scope="module", params=BOUNDS)
def loaded(request: pytest.FixtureRequest) -> tuple[str, longra.Model]:
    return request.param, longra.load(real_model(request.param))


@pytest.mark.parametrize("path", ["prefill", "decode"])
def test_reference(loaded: tuple[str, longra.Model], path: str) -> None:
    name, model = loaded
    backend = model.engine.backend
    pages = np.array([model.engine.pool.take() for _ in range(120)], np.int32)
    divergences, clear, same = [], 0, 0
    for case in json.loads((REFERENCES / f"{name}.json").read_text())["cases"]:
        prompt, greedy = (np.array(case[key], np.int32) for key in ("prompt_tokens", "greedy_tokens"))
        rows = after_prompt(backend, pages, prompt, greedy, path)
        for step, row, token in zip(case["steps"], rows, greedy, strict=True):
            divergences.append(divergence(step, row))
            if step["margin"] > CLEAR_MARGIN:
                clear += 1
                same += int(row.argmax() == token)
    for page in pages:
        model.engine.pool.release(int(page))
    assert np.mean(divergences) <= BOUNDS[name]
    assert same >= 0.98 * clear
