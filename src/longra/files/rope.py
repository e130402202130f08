"""Frequencies of rotary positions, plain and stretched; every formula as in transformers' modeling_rope_utils.

Plain: base^(-2i / d) (Su et al. 2021). linear: all divided by a factor (Chen et al. 2023). dynamic: the base grows with
the length (bloc97, emozilla 2023). yarn: fast pairs stay, slow ones are divided, a ramp between, and scores are
sharpened (Peng et al. 2023). llama3: the same idea with wavelength thresholds. longrope: a searched factor for each
pair, one list for short and one for long sequences (Ding et al. 2024).
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from longra.arrays import Float32
from longra.errors import FormatError
from longra.files.fields import Fields
from longra.files.spec import Rope

_LONGEST = 1 << 28
_KINDS = {
    "default": "none",
    "none": "none",
    "linear": "linear",
    "dynamic": "dynamic",
    "yarn": "yarn",
    "llama3": "llama3",
    "longrope": "longrope",
    "su": "longrope",
}


@dataclass(frozen=True)
class RopeRequest:
    """What a rope is made for.

    Attributes:
        dims: channels of a head that turn; even.
        base: theta.
        context: tokens that the model file promises.
        interleaved: layout of the pairs.
    """

    dims: int
    base: float
    context: int
    interleaved: bool = False


def plain_frequencies(dims: int, base: float) -> Float32:
    """base^(-2i / dims), float32 [dims / 2]."""
    exponents = np.arange(0, dims, 2, dtype=np.float32) / np.float32(dims)
    frequencies: Float32 = (1.0 / np.power(np.float32(base), exponents)).astype(np.float32)
    return frequencies


def read_rope(request: RopeRequest, scaling: Fields | None) -> tuple[Rope, str, int]:
    """A rope after scaling.

    Args:
        scaling: config.json's rope_scaling or rope_parameters, or None.

    Returns:
        The rope, the kind of scaling, and the tokens that it holds.

    Raises:
        FormatError: the kind is unknown or a parameter is missing or out of range.
    """
    if request.dims < 2 or request.dims % 2:
        raise FormatError(f"rope turns {request.dims} channels of a head; an even number of at least 2 is needed")
    kind = "none" if scaling is None else scaling.choice("rope_type", "type", among=_KINDS, default="default")
    if kind == "none" or scaling is None:
        return _rope(request, plain_frequencies(request.dims, request.base)), "none", request.context
    makers = {"linear": _linear, "dynamic": _dynamic, "yarn": _yarn, "llama3": _llama3, "longrope": _longrope}
    rope, context = makers[kind](request, scaling)
    return rope, kind, context


def divide_rope(rope: Rope, divisors: list[float]) -> Rope:
    """A rope whose frequencies are divided one by one (GGUF files of Llama 3 store scaling so)."""
    frequencies = _divided(np.array(rope.frequencies, np.float32), divisors)
    return replace(rope, frequencies=tuple(float(f) for f in frequencies))


def _rope(request: RopeRequest, frequencies: Float32, magnitude: float = 1.0) -> Rope:
    return Rope(tuple(float(f) for f in frequencies), request.interleaved, magnitude)


def _factor(scaling: Fields, default: float | None = None) -> float:
    return scaling.number("factor", low=1.0, high=10_000, default=default)


def _original(request: RopeRequest, scaling: Fields) -> int:
    """Tokens that the model held before it was stretched."""
    return scaling.integer("original_max_position_embeddings", low=2, high=_LONGEST, default=request.context)


def _linear(request: RopeRequest, scaling: Fields) -> tuple[Rope, int]:
    frequencies = plain_frequencies(request.dims, request.base) / np.float32(_factor(scaling))
    return _rope(request, frequencies), request.context


def _dynamic(request: RopeRequest, scaling: Fields) -> tuple[Rope, int]:
    """Plain up to the model's own length; beyond it, for the whole sequence, the base for `factor` times it."""
    factor = _factor(scaling)
    longest = min(int(request.context * factor), _LONGEST)
    stretch = factor * longest / request.context - (factor - 1)
    base = request.base * stretch ** (request.dims / max(request.dims - 2, 1))
    extended = _rope(request, plain_frequencies(request.dims, base))
    frequencies = plain_frequencies(request.dims, request.base)
    rope = Rope(tuple(float(f) for f in frequencies), request.interleaved, 1.0, request.context, extended)
    return rope, longest


def _yarn(request: RopeRequest, scaling: Fields) -> tuple[Rope, int]:
    original = _original(request, scaling)
    factor = _factor(scaling, default=max(1.0, request.context / original))
    fast = scaling.number("beta_fast", low=1e-3, default=32.0)
    slow = scaling.number("beta_slow", low=1e-3, default=1.0)
    low, high = (_pair_of(rotations, request, original) for rotations in (fast, slow))
    if scaling.flag("truncate", default=True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, request.dims - 1)
    span = high - low or 0.001
    ramp = np.clip((np.arange(request.dims // 2, dtype=np.float32) - low) / np.float32(span), 0, 1)
    plain = plain_frequencies(request.dims, request.base)
    frequencies = plain / np.float32(factor) * ramp + plain * (1 - ramp)
    context = max(request.context, min(int(original * factor), _LONGEST))
    return _rope(request, frequencies.astype(np.float32), _yarn_magnitude(scaling, factor)), context


def _pair_of(rotations: float, request: RopeRequest, original: int) -> float:
    """The (fractional) pair that turns `rotations` times over the original length."""
    return request.dims * math.log(original / (rotations * 2 * math.pi)) / (2 * math.log(request.base))


def _yarn_magnitude(scaling: Fields, factor: float) -> float:
    def magnitude(scale: float) -> float:
        return 1.0 if factor <= 1 else 0.1 * scale * math.log(factor) + 1.0

    given = scaling.number("attention_factor", high=100, default=0.0)
    if given:
        return given
    above, below = (scaling.number(name, high=100, default=0.0) for name in ("mscale", "mscale_all_dim"))
    return magnitude(above) / magnitude(below) if above and below else magnitude(1.0)


def _llama3(request: RopeRequest, scaling: Fields) -> tuple[Rope, int]:
    factor = _factor(scaling)
    low = scaling.number("low_freq_factor", low=1e-3)
    high = scaling.number("high_freq_factor", low=1e-3)
    original = _original(request, scaling)
    plain = plain_frequencies(request.dims, request.base)
    wavelengths = 2 * np.pi / plain
    smooth = (original / wavelengths - low) / max(high - low, 1e-9)
    between = (1 - smooth) * plain / factor + smooth * plain
    frequencies = np.where(wavelengths > original / low, plain / factor, plain)
    medium = (wavelengths <= original / low) & (wavelengths >= original / high)
    return _rope(request, np.where(medium, between, frequencies).astype(np.float32)), request.context


def _longrope(request: RopeRequest, scaling: Fields) -> tuple[Rope, int]:
    original = _original(request, scaling)
    factor = _factor(scaling, default=max(1.0, request.context / original))
    default = 1.0 if factor <= 1 else math.sqrt(1 + math.log(factor) / math.log(original))
    magnitude = scaling.number("attention_factor", high=100, default=default)
    plain = plain_frequencies(request.dims, request.base)
    short, long = (
        _divided(plain, scaling.numbers(name, request.dims // 2)) for name in ("short_factor", "long_factor")
    )
    extended = _rope(request, long, magnitude)
    rope = Rope(tuple(float(f) for f in short), request.interleaved, magnitude, original, extended)
    return rope, request.context


def _divided(frequencies: Float32, factors: list[float]) -> Float32:
    return np.divide(frequencies, np.array(factors, np.float32), dtype=np.float32)
