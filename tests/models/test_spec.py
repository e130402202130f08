"""What is read from config.json and from GGUF metadata, and what is refused."""

import math
from contextlib import suppress
from typing import Any

import pytest
from describing import GGUF, LLAMA, described, floats, spec_of, spec_of_gguf, tensor
from hypothesis import given
from hypothesis import strategies as st

from longra.errors import FormatError, LongraError
from longra.models import check_fit, read_spec

SIZES = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings")
ABSURD = [0, -1, 1 << 40, 10**300, "12", 2.5, float("nan"), True, [4], {}]


def test_sizes() -> None:
    spec = spec_of()
    assert (spec.layers, spec.hidden, spec.ffn, spec.vocabulary, spec.context) == (6, 64, 96, 320, 128)
    assert (spec.heads, spec.kv_heads, spec.head_dim) == (4, 2, 16)
    assert (spec.norm_eps, spec.activation, spec.position, spec.tied) == (1e-5, "silu", "rope", False)


@pytest.mark.parametrize("name", SIZES)
def test_a_missing_size_is_named(name: str) -> None:
    with pytest.raises(FormatError, match=f"does not say {name}"):
        spec_of(**{name: None})


@pytest.mark.parametrize("name", [*SIZES, "num_key_value_heads", "head_dim", "intermediate_size"])
@pytest.mark.parametrize("value", ABSURD)
def test_an_absurd_size_is_named(name: str, value: Any) -> None:
    with pytest.raises(FormatError, match=name):
        spec_of(**{name: value})


@pytest.mark.parametrize("name", ["rms_norm_eps", "rope_theta", "partial_rotary_factor"])
@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan"), "1e-5", [1e-5], 1e300])
def test_an_absurd_number_is_named(name: str, value: Any) -> None:
    with pytest.raises(FormatError, match=name):
        spec_of(**{name: value})


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))
_SECTION = st.fixed_dictionaries(
    {"rope_type": st.sampled_from(["linear", "dynamic", "yarn", "llama3", "longrope", "default"])},
    optional=dict.fromkeys(
        ("factor", "rope_theta", "original_max_position_embeddings", "beta_fast", "low_freq_factor", "short_factor"),
        _LEAVES | st.lists(st.floats(), max_size=9),
    ),
)
_NAMES = (*SIZES, "num_key_value_heads", "head_dim", "hidden_act", "rms_norm_eps", "rope_theta", "sliding_window")
_NAMES = (*_NAMES, "layer_types", "attention_bias", "tie_word_embeddings", "rope_scaling", "n_inner", "rotary_dim")


@given(
    kind=st.sampled_from(
        ["codegen", "gpt2", "gptj", "gpt_neox", "llama", "mistral", "qwen2", "qwen3", "gemma3", "gemma3_text", "phi3"]
    ),
    changes=st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=4),
    section=st.none() | _SECTION,
)
def test_any_config_is_read_or_refused(kind: str, changes: dict[str, Any], section: dict[str, Any] | None) -> None:
    checkpoint = described(LLAMA | changes | {"model_type": kind, "rope_parameters": section})
    try:
        spec = read_spec(checkpoint)
    except LongraError:
        return
    assert all(math.isfinite(f) for rope in (spec.rope, spec.local_rope) if rope for f in rope.frequencies)
    assert check_fit(checkpoint, spec)


@given(changes=st.dictionaries(st.sampled_from([*GGUF, "rope.freq_base", "rope.scaling.type"]), _VALUES, max_size=4))
def test_any_metadata_is_read_or_refused(changes: dict[str, Any]) -> None:
    with suppress(LongraError):
        spec_of_gguf("gemma3", **{name.replace(".", "__"): value for name, value in changes.items()})


def test_heads_that_do_not_divide() -> None:
    with pytest.raises(FormatError, match="4 heads do not divide by 3"):
        spec_of(num_key_value_heads=3)


def test_an_unknown_architecture_is_named_with_the_known() -> None:
    with pytest.raises(FormatError, match=r"'qwen4' is unknown; did you mean qwen3\? known: codegen, gemma3, gpt2"):
        spec_of(model_type="qwen4")
    with pytest.raises(FormatError, match="model_type"):
        spec_of(model_type=None)


def test_an_unknown_activation_is_named() -> None:
    with pytest.raises(FormatError, match="hidden_act 'gelu_nwe' is unknown \\(did you mean gelu_new"):
        spec_of(hidden_act="gelu_nwe")


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("gpt2", "scale_attn_by_inverse_layer_idx", True),
        ("gpt2", "scale_attn_weights", False),
        ("gpt2", "add_cross_attention", True),
        ("gemma3_text", "final_logit_softcapping", 30.0),
        ("gemma3_text", "use_bidirectional_attention", True),
    ],
)
def test_what_no_operation_computes_is_refused(kind: str, name: str, value: Any) -> None:
    with pytest.raises(FormatError, match=name):
        spec_of(model_type=kind, **{name: value})


def test_weights_of_other_quantisers_are_refused() -> None:
    with pytest.raises(FormatError, match="float or GGUF copy"):
        spec_of(quantization_config={"quant_method": "awq"})


def test_experts_are_refused() -> None:
    with pytest.raises(FormatError, match="num_local_experts is 8"):
        spec_of_gguf("llama", expert_count=8)


def test_old_and_new_names_of_rope_agree() -> None:
    scaling = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32}
    old = spec_of(rope_theta=5e5, rope_scaling={"type": "llama3"} | scaling)
    new = spec_of(rope_parameters={"rope_type": "llama3", "rope_theta": 5e5} | scaling)
    assert old == new
    assert (new.rope_base, new.rope_scaling) == (5e5, "llama3")


def test_yarn_lengthens_the_context() -> None:
    scaling = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128}
    assert spec_of(rope_scaling=scaling).context == 512


def test_windows() -> None:
    assert set(spec_of(model_type="llama", sliding_window=32).windows) == {None}
    assert set(spec_of(model_type="mistral", sliding_window=32).windows) == {32}
    assert set(spec_of(model_type="qwen2", sliding_window=32).windows) == {None}
    upper = spec_of(model_type="qwen2", sliding_window=32, use_sliding_window=True, max_window_layers=4)
    assert upper.windows == (None,) * 4 + (32,) * 2
    types = ["full_attention", "sliding_attention"] * 3
    assert spec_of(model_type="qwen3", sliding_window=9, use_sliding_window=True, layer_types=types).windows[:2] == (
        None,
        9,
    )


@pytest.mark.parametrize("types", [["full_attention"], "sliding_attention", ["full_attention"] * 5 + ["chunked"]])
def test_wrong_kinds_of_layers(types: Any) -> None:
    with pytest.raises(FormatError, match="layer_types"):
        spec_of(model_type="mistral", sliding_window=9, layer_types=types)


def test_gemma3_inside_a_model_that_also_sees() -> None:
    """As google/gemma-3-4b-it publishes it: what equals the defaults of its time is left out."""
    text = {
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "model_type": "gemma3_text",
        "num_hidden_layers": 34,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
        "sliding_window": 1024,
    }
    spec = read_spec(described({"model_type": "gemma3", "text_config": text}))
    assert (spec.heads, spec.kv_heads, spec.head_dim, spec.vocabulary) == (8, 4, 256, 262_208)
    assert (spec.context, spec.windows[4:7]) == (131_072, (1024, None, 1024))
    assert (spec.attention_scale, spec.embedding_scale, spec.norm_shift) == (1 / 16, 2560**0.5, 1.0)
    assert spec.rope is not None
    assert spec.local_rope is not None
    assert (spec.rope.frequencies[0], spec.local_rope.frequencies[0]) == (1 / 8, 1.0)
    assert spec.local_rope.frequencies[64] == pytest.approx(10_000**-0.5)
    assert spec.rope_of(5) is spec.rope
    assert spec.rope_of(4) is spec.local_rope


def test_gemma3_gguf() -> None:
    spec = spec_of_gguf("gemma3", attention__sliding_window=16, attention__key_length=24)
    assert (spec.windows[4:], spec.norm_shift, spec.attention_scale, spec.tied) == ((16, None), 0.0, 24**-0.5, True)
    flags = [True, False, True, True, False, True]
    spec = spec_of_gguf("gemma3", attention__sliding_window=16, attention__sliding_window_pattern=flags)
    assert spec.windows == (16, None, 16, 16, None, 16)


def test_gguf_llama_has_interleaved_pairs_and_stored_divisors() -> None:
    divisors = [1.0, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0]
    plain = spec_of_gguf("llama").rope
    spec = spec_of_gguf("llama", floats("rope_freqs.weight", divisors))
    assert plain is not None
    assert spec.rope is not None
    assert spec.rope.interleaved
    assert spec.rope_scaling == "llama3"
    assert spec.rope.frequencies == pytest.approx([f / d for f, d in zip(plain.frequencies, divisors, strict=True)])


@pytest.mark.parametrize("divisors", [[1.0] * 7, [1.0] * 7 + [0.0], [1.0] * 7 + [math.nan]])
def test_wrong_stored_divisors(divisors: list[float]) -> None:
    with pytest.raises(FormatError, match=r"rope_freqs\.weight"):
        spec_of_gguf("llama", floats("rope_freqs.weight", divisors))


def test_gguf_phi3_has_factors_in_tensors_and_a_window_of_none() -> None:
    long, short = floats("rope_factors_long.weight", [4.0] * 8), floats("rope_factors_short.weight", [2.0] * 8)
    more = {"rope__scaling__original_context_length": 64, "rope__scaling__attn_factor": 1.5}
    spec = spec_of_gguf("phi3", long, short, attention__sliding_window=0, **more)
    assert spec.rope is not None
    assert spec.rope.extended is not None
    assert (spec.rope.limit, spec.rope.magnitude, spec.rope_scaling) == (64, 1.5, "longrope")
    assert (spec.rope.frequencies[0], spec.rope.extended.frequencies[0]) == (0.5, 0.25)
    assert set(spec.windows) == {None}


def test_phi3_with_the_old_name_of_longrope() -> None:
    scaling = {"type": "su", "short_factor": [1.0] * 8, "long_factor": [2.0] * 8}
    spec = spec_of(model_type="phi3", rope_scaling=scaling, original_max_position_embeddings=64)
    assert spec.rope is not None
    assert (spec.rope.limit, spec.rope_scaling) == (64, "longrope")


def test_gguf_yarn_sharpens_as_llama_cpp_does() -> None:
    more = {"rope__scaling__type": "yarn", "rope__scaling__factor": 4.0, "rope__scaling__attn_factor": 2.0}
    spec = spec_of_gguf("qwen2", rope__scaling__original_context_length=128, **more)
    assert spec.rope is not None
    assert spec.rope.magnitude == pytest.approx(2 * (0.1 * math.log(4) + 1))


def test_gguf_tokenizer_with_more_tokens_than_rows() -> None:
    config = {"general.architecture": "llama", "tokenizer.ggml.tokens": ["a"] * 321}
    config |= {f"llama.{name}": value for name, value in GGUF.items()}
    with pytest.raises(FormatError, match=r"321 tokens and token_embd\.weight 320 rows"):
        read_spec(described(config, tensor("token_embd.weight", 320, 64), kind="gguf"))


def test_partial_rotation() -> None:
    def channels(**changes: Any) -> int:
        rope = spec_of(**changes).rope
        assert rope is not None
        return 2 * len(rope.frequencies)

    assert channels(model_type="gpt_neox") == 4
    assert channels(model_type="gpt_neox", rotary_pct=0.5) == 8
    assert channels(model_type="gpt_neox", rope_parameters={"partial_rotary_factor": 0.5}) == 8
    assert channels(model_type="gptj", rotary_dim=8) == 8
    assert channels(model_type="phi3", partial_rotary_factor=0.75) == 12
    with pytest.raises(FormatError, match="an even number"):
        spec_of(model_type="gptj", rotary_dim=3)
