"""The GGUF reader: what the `gguf` package writes comes back; what is wrong is said."""

import struct
import time
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import ARRAY, BOOL, F32, STRING, U32, U64, array, described, entry, raw_gguf, text, write_model_gguf

from longra.errors import FormatError, LongraError, ModelNotFoundError
from longra.files.gguf import read_gguf

KEYS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20).map("x.{}".format)
VALUES = st.one_of(
    st.booleans(),
    st.integers(0, 2**32 - 1),
    st.floats(width=32, allow_nan=False),
    st.text(max_size=30),
    st.lists(st.text(max_size=10), min_size=1, max_size=20),
    st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=20),
    st.lists(st.booleans(), min_size=1, max_size=20),
)


def put(tmp_path: Path, data: bytes, name: str = "model.gguf") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_key_value(key, value, gguf.GGUFValueType.STRING)
    else:
        writer.add_array(key, value)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    metadata=st.dictionaries(KEYS, VALUES, max_size=8),
    shapes=st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=4), max_size=5),
    alignment=st.sampled_from([None, 8, 32, 64, 4096]),
)
def test_round_trip(tmp_path: Path, metadata: dict[str, Any], shapes: list[list[int]], alignment: int | None) -> None:
    path = tmp_path / "model.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    if alignment is not None:
        writer.add_custom_alignment(alignment)
    for key, value in metadata.items():
        add(writer, key, value)
    stored = {}
    for index, shape in enumerate(shapes):
        stored[f"t{index}"] = (
            np.random.default_rng(index).normal(size=shape).astype([np.float32, np.float16][index % 2])
        )
        writer.add_tensor(f"t{index}", stored[f"t{index}"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    opened = read_gguf(path)
    for key, value in metadata.items():
        found = opened.metadata[key]
        assert (found.tolist() if isinstance(value, list) else found) == value
    assert opened.metadata["general.architecture"] == "llama"
    assert opened.tensors.keys() == stored.keys()
    for name, values in stored.items():
        assert opened.tensors[name].shape == values.shape
        assert opened.tensors[name].data.tobytes() == values.tobytes()


def test_a_model(tmp_path: Path) -> None:
    floats = write_model_gguf(tmp_path / "m.gguf")
    opened = read_gguf(tmp_path / "m.gguf")
    assert opened.metadata["llama.block_count"] == 3
    assert opened.metadata["tokenizer.ggml.add_bos_token"] is True
    tokens = opened.metadata["tokenizer.ggml.tokens"]
    assert (len(tokens), tokens[1], tokens[-1], tokens[3:5]) == (300, "词1", "词299", ["<0x0003>", "词4"])
    assert list(tokens) == tokens.tolist()
    assert opened.metadata["tokenizer.ggml.token_type"].dtype == np.int32
    assert opened.tensors["output.weight"].kind == "Q8_0"
    assert opened.tensors["output.weight"].shape == (16, 64)
    for name, values in floats.items():
        np.testing.assert_array_equal(opened.tensors[name].float32(), values.astype(np.float32))


def test_tensors_are_read_only_views_of_the_map(tmp_path: Path) -> None:
    write_model_gguf(tmp_path / "m.gguf")
    opened = read_gguf(tmp_path / "m.gguf")
    for tensor in opened.tensors.values():
        assert np.may_share_memory(tensor.data, opened.files[0].data)
        assert not tensor.data.flags.writeable


def test_a_large_vocabulary_is_fast(tmp_path: Path) -> None:
    words = b"".join(text(f"token{index}") for index in range(151_936))
    path = put(tmp_path, raw_gguf((entry("tokens", ARRAY, array(STRING, 151_936, words)),)))
    opening, decoding = [], []
    for _ in range(5):
        start = time.thread_time()
        tokens = read_gguf(path).metadata["tokens"]
        middle = time.thread_time()
        assert tokens.tolist()[-1] == "token151935"
        opening.append(middle - start)
        decoding.append(time.thread_time() - middle)
    assert min(opening) < 0.1
    assert min(decoding) < 0.15


def test_version_2(tmp_path: Path) -> None:
    path = put(tmp_path, raw_gguf((entry("a", U32, struct.pack("<I", 5)),), version=2))
    assert read_gguf(path).metadata == {"a": 5}


def test_nested_arrays(tmp_path: Path) -> None:
    inner = array(U32, 2, struct.pack("<2I", 1, 2))
    opened = read_gguf(put(tmp_path, raw_gguf((entry("a", ARRAY, array(ARRAY, 2, inner + inner)),))))
    assert [part.tolist() for part in opened.metadata["a"]] == [[1, 2], [1, 2]]


HUGE = (2**31 - 1, 2**32 - 1, 2**61, 2**63 - 1, 2**63, 2**64 - 1)
ONE = described("t", (8,), 0, 0)
HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "html": (b"<!DOCTYPE html>", "not a GGUF file"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
    "only magic": (b"GGUF", "cut off"),
    "version 1": (raw_gguf(version=1), "version 1 is not known"),
    "version 4": (raw_gguf(version=4), "version 4 is not known"),
    "big-endian": (b"GGUF" + struct.pack(">I", 3) + bytes(16), "big-endian"),
    "no entries": (raw_gguf(entry_count=3)[:24], "cut off"),
    "no tensors": (raw_gguf(tensor_count=3)[:24], "cut off"),
    "key twice": (raw_gguf((entry("a", U32, bytes(4)), entry("a", U32, bytes(4)))), "'a' is there twice"),
    "key not UTF-8": (raw_gguf((entry(b"\xff\xfe", U32, bytes(4)),)), "not UTF-8"),
    "key with escapes": (raw_gguf((entry("\x1b[2J", U32, bytes(4)),)), r"control characters: '\\x1b\[2J'"),
    "empty key": (raw_gguf((entry("", U32, bytes(4)),)), "is empty"),
    "long key": (raw_gguf((entry("k" * 70_000, U32, bytes(4)),)), "70,000 bytes long"),
    "value not UTF-8": (raw_gguf((entry("a", STRING, text(b"\xff")),)), "not UTF-8"),
    "unknown metadata type": (raw_gguf((entry("a", 13, bytes(8)),)), "metadata type 13"),
    "array of unknown type": (raw_gguf((entry("a", ARRAY, array(99, 1, bytes(8))),)), "metadata type 99"),
    "truth of 2": (raw_gguf((entry("a", BOOL, b"\2"),)), "neither 0 nor 1"),
    "deep": (raw_gguf((entry("a", ARRAY, array(ARRAY, 1) * 1000),)), "nests more than 4"),
    "wide": (raw_gguf((entry("a", ARRAY, array(ARRAY, 10**9)),)), "1,000,000,000 arrays"),
    "strings beyond the end": (raw_gguf((entry("a", ARRAY, array(STRING, 2, text("ab") + struct.pack("<Q", 99))),)), "end"),
    "alignment 0": (raw_gguf((entry("general.alignment", U32, bytes(4)),)), "general.alignment is 0"),
    "alignment 33": (raw_gguf((entry("general.alignment", U32, b"\x21\0\0\0"),)), "general.alignment is 33"),
    "alignment huge": (raw_gguf((entry("general.alignment", U64, b"\0" * 7 + b"\x80"),)), "general.alignment is"),
    "alignment text": (raw_gguf((entry("general.alignment", STRING, text("x")),)), "general.alignment is 'x'"),
    "alignment nan": (raw_gguf((entry("general.alignment", F32, struct.pack("<f", np.nan)),)), "alignment is nan"),
    "tensor twice": (raw_gguf(tensors=(ONE, ONE), data=bytes(64)), "'t' is there twice"),
    "overlap": (raw_gguf(tensors=(described("a", (16,), 0, 0), described("b", (8,), 0, 32)), data=bytes(96)), "overlap by 32"),
    "not aligned": (raw_gguf(tensors=(described("a", (8,), 0, 4),), data=bytes(96)), "not a multiple of 32"),
    "cut data": (raw_gguf(tensors=(ONE,), data=bytes(31)), "'t' ends at byte"),
    "no dimension": (raw_gguf(tensors=(described("a", (), 0, 0),)), "0 dimensions"),
    "5 dimensions": (raw_gguf(tensors=(described("a", (1,) * 5, 0, 0),), data=bytes(32)), "5 dimensions"),
    "dimension 0": (raw_gguf(tensors=(described("a", (4, 0), 0, 0),)), "dimension of 0"),
    "product overflows": (raw_gguf(tensors=(described("a", (2**32, 2**32), 0, 0),), data=bytes(32)), "cut off"),
    "unknown type": (raw_gguf(tensors=(described("a", (256,), 77, 0),), data=bytes(32)), "stored as number 77"),
    "unsupported type": (raw_gguf(tensors=(described("a", (256,), 16, 0),), data=bytes(99)), "stored as IQ2_XXS"),
    "row is not whole blocks": (raw_gguf(tensors=(described("a", (48,), 8, 0),), data=bytes(99)), "rows of 48"),
    "offset wraps": (raw_gguf(tensors=(described("a", (8,), 0, 2**64 - 32),), data=bytes(64)), "cut off"),
    "split count": (raw_gguf((entry("split.count", STRING, text("x")),)), "split.count is 'x'"),
    "split elsewhere": (raw_gguf((entry("split.count", U32, b"\3\0\0\0"),)), "one of 3 parts"),
}  # fmt: skip
for number in HUGE:
    HOSTILE[f"{number} entries"] = (raw_gguf(entry_count=number), "counts|cut off")
    HOSTILE[f"{number} tensors"] = (raw_gguf(tensor_count=number), "counts|cut off")
    HOSTILE[f"{number} bytes of key"] = (raw_gguf((struct.pack("<Q", number),)), "bytes long")
    HOSTILE[f"{number} bytes of text"] = (raw_gguf((entry("a", STRING, struct.pack("<Q", number)),)), "bytes long")
    HOSTILE[f"{number} numbers"] = (raw_gguf((entry("a", ARRAY, array(U64, number)),)), "bytes are left")
    HOSTILE[f"{number} strings"] = (raw_gguf((entry("a", ARRAY, array(STRING, number)),)), "strings do not fit")
    HOSTILE[f"{number} in a string"] = (
        raw_gguf((entry("a", ARRAY, array(STRING, 1, struct.pack("<Q", number))),)),
        "beyond the end",
    )
    HOSTILE[f"dimension {number}"] = (raw_gguf(tensors=(described("a", (number,), 0, 0),), data=bytes(64)), "cut off")
    HOSTILE[f"offset {number}"] = (
        raw_gguf(tensors=(described("a", (8,), 0, number),), data=bytes(64)),
        "cut off|multiple",
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(name: str, tmp_path: Path) -> None:
    data, message = HOSTILE[name]
    path = put(tmp_path, data)
    with pytest.raises(FormatError, match=message) as caught:
        read_gguf(path)
    assert str(path) in str(caught.value)
    assert ";" in str(caught.value)  # the next step


def test_strings_that_are_not_utf8_are_said_when_read(tmp_path: Path) -> None:
    tokens = array(STRING, 2, text("fine") + text(b"\xff\xfe"))
    found = read_gguf(put(tmp_path, raw_gguf((entry("tokens", ARRAY, tokens),)))).metadata["tokens"]
    assert found.tobytes() == [b"fine", b"\xff\xfe"]
    with pytest.raises(FormatError, match=r"'tokens' holds a string that is not UTF-8: b'\\xff\\xfe'"):
        found.tolist()


def test_a_file_cut_anywhere(tmp_path: Path) -> None:
    write_model_gguf(tmp_path / "m.gguf", tokens=20, layers=1)
    whole = (tmp_path / "m.gguf").read_bytes()
    used = max(len(whole) - 31, 0)  # the last padding may go
    for length in range(0, used, 7):
        with pytest.raises(FormatError):
            read_gguf(put(tmp_path, whole[:length], "cut.gguf"))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), tensors=st.integers(0, 3), entries=st.integers(0, 3))
def test_any_bytes_after_a_header(tmp_path: Path, data: bytes, tensors: int, entries: int) -> None:
    path = put(tmp_path, raw_gguf((), (data,), tensor_count=tensors, entry_count=entries))
    try:
        opened = read_gguf(path)
    except LongraError:
        return
    assert all(tensor.data.size <= path.stat().st_size for tensor in opened.tensors.values())


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no file"):
        read_gguf(tmp_path / "none.gguf")


def write_split(folder: Path, parts: int = 3) -> list[Path]:
    paths = []
    for number in range(parts):
        entries = [
            entry("split.no", 2, struct.pack("<H", number)),
            entry("split.count", 2, struct.pack("<H", parts)),
        ]
        if number == 0:
            entries.append(entry("general.architecture", STRING, text("llama")))
        values = np.full(8, number, "<f4").tobytes()
        name = f"m-{number + 1:05}-of-{parts:05}.gguf"
        paths.append(put(folder, raw_gguf(tuple(entries), (described(f"t{number}", (8,), 0, 0),), values), name))
    return paths


@pytest.mark.parametrize("opened", [0, 2])
def test_a_split_model(tmp_path: Path, opened: int) -> None:
    model = read_gguf(write_split(tmp_path)[opened])
    assert list(model.tensors) == ["t0", "t1", "t2"]
    assert len(model.files) == 3
    assert model.metadata["general.architecture"] == "llama"
    assert model.tensors["t2"].float32()[0] == 2


def test_a_split_model_without_a_part(tmp_path: Path) -> None:
    paths = write_split(tmp_path)
    paths[1].unlink()
    with pytest.raises(FormatError, match=r"1 of the 3 parts .* missing: m-00002-of-00003\.gguf"):
        read_gguf(paths[0])


def test_a_split_model_with_a_wrong_part(tmp_path: Path) -> None:
    paths = write_split(tmp_path)
    paths[1].write_bytes(paths[2].read_bytes())
    with pytest.raises(FormatError, match="says that it is not part 2 of 3"):
        read_gguf(paths[0])
