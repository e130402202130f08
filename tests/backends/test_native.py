"""The native backend as an engine sees it: steps of any size, pages, weights in other forms, and its refusals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from longra import _native
from longra.backends.base import PAGE_TOKENS, Chunk
from longra.backends.native import NativeBackend, choose_isa
from longra.errors import LongraError, UsageError
from longra.files.checkpoint import open_checkpoint
from longra.models import build_graph, read_spec
from support import tiny
from support.parity import error

LENGTH = 700
TOKENS = np.random.default_rng(8).integers(0, 307, LENGTH).astype(np.int32)
PAGES = np.arange(-(-LENGTH // PAGE_TOKENS), dtype=np.int32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("qwen2")
    tiny.make("qwen2", path, max_position_embeddings=1024)
    return path


def open_backend(folder: Path, **options: Any) -> NativeBackend:
    with open_checkpoint(folder) as checkpoint:
        spec = read_spec(checkpoint)
        backend = NativeBackend(build_graph(checkpoint, spec), spec, **options)
    backend.reserve(24)
    return backend


@pytest.fixture(scope="module")
def backend(folder: Path) -> NativeBackend:
    return open_backend(folder)


@pytest.mark.parametrize("arithmetic", ["prefill", "decode"])
def test_a_step_larger_than_a_plan_holds(backend: NativeBackend, arithmetic: Any) -> None:
    """700 rows in one step, of which the last 650 are wanted, are what smaller steps give."""
    whole = backend.step([Chunk(TOKENS, 0, PAGES, 650)], arithmetic)
    assert whole.shape == (650, 307)
    pieces = [
        backend.step([Chunk(TOKENS[a:b], a, PAGES, b - max(a, 50))], arithmetic) for a, b in ((0, 200), (200, 700))
    ]
    assert np.array_equal(whole, np.concatenate(pieces))


@pytest.mark.parametrize("cache", ["f32", "bf16", "q8"])
def test_a_page_that_slid_is_seen_by_no_window(tmp_path: Path, cache: str) -> None:
    """Rows whose windows have left a page give the same logits without what the page held; one whose has not, others."""
    tiny.make("gemma3_text", tmp_path, sliding_window=100)
    backend = open_backend(tmp_path, cache=cache)
    assert backend.window == 100
    backend.step([Chunk(TOKENS[:300], 0, PAGES, 0)], "prefill")
    row = Chunk(TOKENS[300:301], 300, PAGES, 1)
    whole = {kind: backend.step([row], kind) for kind in ("prefill", "decode")}
    size = len(np.trim_zeros(backend.read_page(0)))
    for page in range((300 - 100 + 1) // PAGE_TOKENS):
        backend.slide_page(page)
    assert 0 < np.count_nonzero(backend.read_page(0)) < size
    for kind in ("prefill", "decode"):
        assert np.array_equal(backend.step([row], kind), whole[kind])
    backend.slide_page(3)
    assert not np.array_equal(backend.step([row], "decode"), whole["decode"])


def test_many_chunks_share_a_step(backend: NativeBackend) -> None:
    """Three prompts, cut by the plan's size in the midst of the second, each as if alone."""
    prompts = [TOKENS[:400], TOKENS[100:400], TOKENS[5:6]]
    pages = [PAGES[:7], PAGES[:5] + 7, np.array([23], np.int32)]
    together = backend.step([Chunk(t, 0, p, 1) for t, p in zip(prompts, pages, strict=True)], "prefill")
    alone = [backend.step([Chunk(t, 0, PAGES, 1)], "prefill") for t in prompts]
    assert np.array_equal(together, np.concatenate(alone))


def test_no_logits_wanted(backend: NativeBackend) -> None:
    assert backend.step([Chunk(TOKENS[:9], 0, PAGES, 0)], "prefill").shape == (0, 307)


def test_pages_may_lie_anywhere(backend: NativeBackend) -> None:
    scattered = np.random.default_rng(1).permutation(24)[: len(PAGES)].astype(np.int32)
    in_order = backend.step([Chunk(TOKENS, 0, PAGES, 5)], "prefill")
    assert np.array_equal(in_order, backend.step([Chunk(TOKENS, 0, scattered, 5)], "prefill"))


def test_branches_of_a_sequence(backend: NativeBackend) -> None:
    """A copied page goes on by itself; the page that it was copied from is as it was."""
    first, second = np.array([0, 1], np.int32), np.array([0, 2], np.int32)
    backend.step([Chunk(TOKENS[:70], 0, first, 0)], "prefill")
    backend.copy_page(1, 2)
    other = backend.step([Chunk(TOKENS[200:230], 70, second, 1)], "decode")
    rest = backend.step([Chunk(TOKENS[70:100], 70, first, 1)], "decode")
    fresh = np.array([5, 6], np.int32)
    backend.step([Chunk(TOKENS[:70], 0, fresh, 0)], "prefill")
    assert np.array_equal(rest, backend.step([Chunk(TOKENS[70:100], 70, fresh, 1)], "decode"))
    assert np.array_equal(other, backend.step([Chunk(TOKENS[200:230], 70, fresh, 1)], "decode"))


def test_more_pages_keep_what_is_there(folder: Path) -> None:
    backend = open_backend(folder)
    before = backend.step([Chunk(TOKENS[:100], 0, PAGES, 1)], "prefill")
    backend.reserve(200)
    backend.reserve(3)
    again = backend.step([Chunk(TOKENS[99:100], 99, PAGES, 1)], "prefill")
    assert np.array_equal(before, again)


def test_weights_in_other_forms(folder: Path) -> None:
    """The fewer bits, the less memory, and the further from float32; random weights are far from anything that is trained."""
    reference = open_backend(folder, weights="f32")
    chunk = [Chunk(TOKENS[:64], 0, PAGES, 64)]
    wanted = reference.step(chunk, "prefill")
    errors = []
    for weights, bits in (("bf16", 16), ("q8", 8.5), ("q4", 5)):
        other = open_backend(folder, weights=weights)
        assert other.product_bytes == pytest.approx(reference.product_bytes * bits / 32, rel=1e-6)
        errors.append(error(other.step(chunk, "prefill"), wanted))
    assert 0 < errors[0] < errors[1] / 2 < errors[2] / 4
    assert errors[0] < 0.05


def test_threads_are_those_asked_for(folder: Path) -> None:
    assert open_backend(folder, threads=3).threads == 3
    assert open_backend(folder).threads >= 1


@pytest.mark.parametrize("threads", [0, -1, 257])
def test_threads_out_of_range(folder: Path, threads: int) -> None:
    with pytest.raises(UsageError, match=rf"--threads {threads} is out of range; choose 1 to 256"):
        open_backend(folder, threads=threads)


def test_weights_of_an_unknown_form(folder: Path) -> None:
    with pytest.raises(UsageError, match="'q3' is unknown; choose from f32, bf16, q8, q4"):
        open_backend(folder, weights="q3")


def test_an_instruction_set_that_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGRA_ISA", "avx1024")
    with pytest.raises(UsageError, match=r"LONGRA_ISA=avx1024 cannot run on this machine; choose from .*portable"):
        choose_isa()
    monkeypatch.setenv("LONGRA_ISA", "")
    assert choose_isa() == _native.usable()[0]


@pytest.mark.parametrize("token", [-1, 307])
def test_tokens_out_of_range(backend: NativeBackend, token: int) -> None:
    with pytest.raises(UsageError, match=r"token ids must be 0 to 306; got "):
        backend.step([Chunk(np.array([3, token], np.int32), 0, PAGES, 1)], "prefill")


@pytest.mark.parametrize("page", [-1, 24])
def test_pages_out_of_range(backend: NativeBackend, page: int) -> None:
    with pytest.raises(ValueError, match="not reserved"):
        backend.step([Chunk(TOKENS[:1], 0, np.array([page], np.int32), 1)], "prefill")


def test_weights_beyond_what_a_form_holds(tmp_path: Path) -> None:
    model = tiny.make("llama", tmp_path)
    model.model.layers[0].mlp.up_proj.weight.data[0, 0] = 1e6
    model.save_pretrained(tmp_path)
    with pytest.raises(LongraError, match=r"larger than 1,000.*--weights bf16"):
        open_backend(tmp_path, weights="q8")
    open_backend(tmp_path, weights="bf16")
