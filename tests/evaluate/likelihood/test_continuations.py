"""Continuations are scored as `Model.score` scores texts."""

from pathlib import Path

import numpy as np
import pytest

import longra
from longra.engine.scheduler import SCORED_ROWS
from longra.errors import ContextError
from longra.evaluate.likelihood.continuations import score_continuations
from support import talking


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> longra.Model:
    folder: Path = talking.make(tmp_path_factory.mktemp("talking"), 512)
    return longra.load(folder, threads=1)


def test_continuations_of_several_lengths_over_several_blocks_of_logits(model: longra.Model) -> None:
    text = np.random.default_rng(2).integers(0, 250, 2 * SCORED_ROWS + 60).tolist()
    lengths = (1, 3, SCORED_ROWS, 2 * SCORED_ROWS + 20)
    continuations = [[*text[len(text) - length : -1], last] for last, length in enumerate(lengths)]
    found = score_continuations(model, text[:-1], continuations)
    for length, continuation, (log, _) in zip(lengths, continuations, found, strict=True):
        scores = model.score([*text[:-1], continuation[-1]])[-length:]
        assert log == pytest.approx(sum(value for _, value in scores if value is not None), rel=1e-9)


def test_a_continuation_must_be_read(model: longra.Model) -> None:
    with pytest.raises(ContextError, match=r"a continuation has 4 tokens and .* reads 3 here"):
        score_continuations(model, [1, 2, 3], [[1, 2, 3, 4]])
