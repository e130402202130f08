"""The safetensors reader: what the `safetensors` package writes comes back; what is wrong is said."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from longra.errors import FormatError, LongraError
from longra.files.safetensors import read_safetensors

KINDS = {
    "F64": "f8",
    "F32": "f4",
    "F16": "f2",
    "I64": "i8",
    "I32": "i4",
    "I16": "i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}


def raw(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(dtype: Any = "F32", shape: Any = (2,), start: Any = 0, stop: Any = 8) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    layout=st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12),
        st.tuples(st.sampled_from(list(KINDS)), st.lists(st.integers(0, 5), max_size=4)),
        min_size=1,  # the package itself writes broken files of no tensors
        max_size=6,
    ),
    metadata=st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)
def test_round_trip(tmp_path: Path, layout: dict[str, Any], metadata: dict[str, str] | None) -> None:
    rng = np.random.default_rng(0)
    stored = {
        name: np.asarray(rng.normal(size=shape) * 9).astype(KINDS[kind]) for name, (kind, shape) in layout.items()
    }
    save_file(stored, tmp_path / "m.safetensors", metadata)
    file, opened = read_safetensors(tmp_path / "m.safetensors")
    assert opened.keys() == stored.keys()
    for name, values in stored.items():
        found = opened[name]
        assert (found.kind, found.shape) == (layout[name][0], values.shape)
        assert found.data.tobytes() == values.tobytes()
        np.testing.assert_array_equal(found.float32(), values.astype(np.float32))
        assert not found.data.flags.writeable
        assert found.data.size == 0 or np.may_share_memory(found.data, file.data)


HOSTILE = {
    "empty": (b"", "is empty"),
    "short": (b"1234567", "7 bytes"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    "length beyond": (raw({}, length=3), "header takes 3 bytes"),
    "length of 2^64": (raw({}, length=2**64 - 1), "header takes 18,446,744,073,709,551,615"),
    "not JSON": (raw(b"{"), "not valid JSON"),
    "list": (raw([]), "a JSON object is needed"),
    "deep": (raw(b'{"a":' * 50_000), "deep|JSON"),
    "metadata": (raw({"__metadata__": {"a": 1}}), "__metadata__"),
    "name twice": (raw(b'{"a": {}, "a": {}}'), "'a' is there twice"),
    "name with escapes": (raw({"\x1b[2J": tensor()}, bytes(8)), "control characters"),
    "entry is a number": (raw({"a": 1}), "not an object"),
    "entry with more": (raw({"a": {**tensor(), "x": 1}}, bytes(8)), "not an object"),
    "unknown type": (raw({"a": tensor("F8_E4M3", (8,))}, bytes(8)), "stored as 'F8_E4M3'"),
    "type is a list": (raw({"a": tensor([])}, bytes(8)), "a value of type list"),
    "negative shape": (raw({"a": tensor(shape=(-2,))}, bytes(8)), "shape"),
    "shape of truths": (raw({"a": tensor(shape=(True, 2))}, bytes(8)), "shape"),
    "shape of fractions": (raw({"a": tensor(shape=(2.0,))}, bytes(8)), "shape"),
    "shape of 2^64": (raw({"a": tensor(shape=(2**64, 0))}, bytes(8)), "shape"),
    "shape that overflows": (raw({"a": tensor(shape=(2**62, 4))}, bytes(8)), "takes 73786976294838206464 bytes"),
    "9 dimensions": (raw({"a": tensor(shape=(1,) * 8 + (2,))}, bytes(8)), "at most 8"),
    "wrong size": (raw({"a": tensor(shape=(3,))}, bytes(8)), "takes 12 bytes, it has 8"),
    "cut": (raw({"a": tensor()}, bytes(7)), "cut off"),
    "offsets backwards": (raw({"a": tensor(start=8, stop=0)}, bytes(8)), "data_offsets"),
    "offsets negative": (raw({"a": tensor(start=-8, stop=0)}, bytes(8)), "data_offsets"),
    "three offsets": (raw({"a": {**tensor(), "data_offsets": [0, 8, 9]}}, bytes(9)), "data_offsets"),
    "overlap": (raw({"a": tensor(), "b": tensor(start=4, stop=12)}, bytes(12)), "'a' and 'b' overlap"),
    "same place": (raw({"a": tensor(), "b": tensor()}, bytes(8)), "overlap"),
    "hole": (raw({"a": tensor(start=4, stop=12)}, bytes(12)), "hole"),
    "bytes left over": (raw({"a": tensor()}, bytes(9)), "take 8 bytes and 9 follow"),
}


OUR_LIMITS = {"name with escapes", "entry with more", "9 dimensions", "unknown type", "name twice"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(name: str, tmp_path: Path) -> None:
    data, message = HOSTILE[name]
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=message) as caught:
        read_safetensors(path)
    assert str(path) in str(caught.value)
    if name not in OUR_LIMITS:  # the format's own reader agrees
        with pytest.raises((safetensors.SafetensorError, OSError, ValueError)):
            safetensors.safe_open(path, "numpy")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.dictionaries(
        st.text(max_size=3),
        st.fixed_dictionaries(
            {
                "dtype": st.sampled_from(["F32", "BOOL", "F8_E5M2", 1]),
                "shape": st.lists(st.integers(-1, 4) | st.integers(), max_size=3) | st.none(),
                "data_offsets": st.lists(st.integers(-1, 17) | st.integers(), max_size=3) | st.text(max_size=3),
            }
        ),
        max_size=3,
    ),
    data=st.binary(max_size=16),
)
def test_any_header(tmp_path: Path, header: dict[str, Any], data: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(raw(header, data))
    try:
        _, tensors = read_safetensors(path)
    except LongraError:
        return
    assert sum(tensor.data.size for tensor in tensors.values()) == len(data)
