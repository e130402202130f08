"""The real models against an independent float32 implementation, through the prefill and the decode kernels."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import longra
from longra.backends.base import Chunk
from longra.evaluate.likelihood.distributions import divergences, log_totals
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


def after_prompt(backend: Any, pages: Any, prompt: Any, greedy: Any) -> dict[str, Any]:
    """Logits at the 48 positions by each path, the reference's tokens fed; the prompt is read once."""
    fed = greedy[:-1]
    prefill = backend.step([Chunk(np.concatenate([prompt, fed]), 0, pages, len(greedy))], "prefill")
    backend.step([Chunk(fed[::-1].copy(), len(prompt), pages, 0)], "prefill")  # decode must cache its own
    decode = [backend.step([Chunk(fed[i : i + 1], len(prompt) + i, pages, 1)], "decode")[0] for i in range(len(fed))]
    return {"prefill": prefill, "decode": [prefill[0], *decode]}


@dataclass
class Found:
    """How far a model is from its reference, at all positions of all cases."""

    divergences: list[float] = field(default_factory=list)
    clear: list[bool] = field(default_factory=list)
    """Where the reference's margin is clear: whether the most likely token is the same."""

    def add(self, step: dict[str, Any], logits: Any, token: int) -> None:
        self.divergences.append(divergence(step, logits))
        if step["margin"] > CLEAR_MARGIN:
            self.clear.append(logits.argmax() == token)


@pytest.fixture(scope="module", params=BOUNDS)
def found(request: pytest.FixtureRequest) -> tuple[str, dict[str, Found]]:
    """A model's name, and what comes of its prefill and of its decode kernels."""
    model = longra.load(real_model(request.param))
    pages = np.array([model.engine.pool.take() for _ in range(120)], np.int32)
    paths = {"prefill": Found(), "decode": Found()}
    for case in json.loads((REFERENCES / f"{request.param}.json").read_text())["cases"]:
        prompt, greedy = (np.array(case[key], np.int32) for key in ("prompt_tokens", "greedy_tokens"))
        for path, rows in after_prompt(model.engine.backend, pages, prompt, greedy).items():
            for step, row, token in zip(case["steps"], rows, greedy, strict=True):
                paths[path].add(step, row, token)
    return request.param, paths


@pytest.mark.parametrize("path", ["prefill", "decode"])
def test_reference(found: tuple[str, dict[str, Found]], path: str) -> None:
    name, paths = found
    assert np.mean(paths[path].divergences) <= BOUNDS[name]
    assert np.mean(paths[path].clear) >= 0.98
