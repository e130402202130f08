"""The sums against what the backend takes."""

from pathlib import Path

import pytest

import longra
from longra.choose import Machine, Wish
from longra.choose.explain import explained
from longra.choose.needs import ENTRY_BYTES, Form, cache_bytes, forms, needs, read_bytes
from longra.library.catalogue import Shape, entries
from support.parity import backend_of
from support.tiny import make

ENTRIES = entries()


@pytest.mark.parametrize(("head_dim", "kv_heads"), [(16, 2), (24, 1), (40, 2), (64, 6), (80, 1), (96, 2)])
def test_cache_bytes_are_those_of_the_pages(tmp_path: Path, head_dim: int, kv_heads: int) -> None:
    make("llama", tmp_path, head_dim=head_dim, num_key_value_heads=kv_heads)
    shape = Shape(layers=3, hidden=96, kv_heads=kv_heads, head_dim=head_dim, vocabulary=307, tied=False)
    assert backend_of(tmp_path, "native", cache="bf16").page_bytes == cache_bytes(shape, 64)


def test_a_layer_with_a_window_keeps_what_it_sees() -> None:
    entry = ENTRIES["gemma-3-270m"]
    token = 1 * 512 * 2  # bytes of a layer: one head, keys and values of 256 channels
    assert cache_bytes(entry.shape, 500) == 18 * 500 * token
    assert cache_bytes(entry.shape, 8192) == (3 * 8192 + 15 * 512) * token
    shown = "\n".join(
        explained(entry, Wish("writing", context=8192), Machine(8e9, 20e9), list(ENTRIES.values())).lines()
    )
    assert "(8,192 tokens x 3 layers + 512 x 15 layers with a window) x 1 heads x 512 numbers x 2 bytes" in shown


@pytest.mark.parametrize("option", [None, "q8", "q4"])
def test_weights_and_what_a_token_reads(smollm2: Path, option: str | None) -> None:
    entry = ENTRIES["smollm2-135m-instruct"]
    form = next(form for form in [*forms(entry), Form("", "q8", 8.5), Form("", "q4", 5.0)] if form.option == option)
    model = longra.load(smollm2, weights=option, threads=1)
    backend = model.engine.backend
    assert needs(entry, form, 0).weights == pytest.approx(backend.weight_bytes, rel=0.03)  # type: ignore[attr-defined]
    assert read_bytes(entry, form, 0) == pytest.approx(backend.product_bytes, rel=0.03)  # type: ignore[attr-defined]


def test_needs_of_a_large_model() -> None:
    entry = ENTRIES["llama-3.1-8b-instruct"]
    form = forms(entry)[0]
    found = needs(entry, form, 8192)
    assert found.weights == pytest.approx(4.92e9, rel=0.01)  # the file's size on the Hub
    assert found.cache == 8192 * 32 * 8 * 256 * 2
    assert found.overhead == 70e6 + ENTRY_BYTES * 128_256
    assert found.total == found.weights + found.cache + found.overhead
    assert read_bytes(entry, form, 0) == found.weights - 128_256 * 4096 * form.bits / 8


def test_forms_go_from_exact_to_small() -> None:
    for entry in ENTRIES.values():
        held = forms(entry)
        assert held[0].option is None
        assert sorted((form.bits for form in held), reverse=True) == [form.bits for form in held]
    assert [form.option for form in forms(ENTRIES["gpt-j-6b"])] == [None, "q8", "q4"]
    assert [form.option for form in forms(ENTRIES["qwen3-1.7b"])] == [None, "q4"]
    assert [form.option for form in forms(ENTRIES["qwen3-8b"])] == [None]
