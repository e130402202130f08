"""The reader of torch.save's files: both formats come back; a pickle is never executed."""

import collections
import contextlib
import io
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longra.errors import FormatError, LongraError
from longra.files import pickles, torch_zip
from longra.files.torch_zip import read_torch

DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def save(path: Path, state: Any, legacy: bool) -> Path:
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    return path


def check(path: Path, state: dict[str, torch.Tensor]) -> None:
    _, opened = read_torch(path)
    assert opened.keys() == state.keys()
    for name, values in state.items():
        values = values.detach()
        assert (opened[name].kind, opened[name].shape) == (DTYPES[values.dtype], tuple(values.shape))
        np.testing.assert_array_equal(opened[name].float32(), values.float().numpy())
        flat = torch.empty(values.numel(), dtype=values.dtype).copy_(values.reshape(-1))
        assert opened[name].data.tobytes() == flat.view(torch.uint8).numpy().tobytes()


@st.composite
def windows(draw: st.DrawFn) -> torch.Tensor:
    """A tensor that may be a transposed, stepped window on a larger one."""
    shape = draw(st.lists(st.integers(1, 5), max_size=4))
    base = (torch.randn(shape) * 9).to(draw(st.sampled_from(list(DTYPES))))
    for axis, extent in enumerate(shape):
        start = draw(st.integers(0, extent - 1))
        base = base.narrow(axis, start, draw(st.integers(0, extent - start)))
        if draw(st.booleans()):
            base = base[(slice(None),) * axis + (slice(None, None, 2),)]
    return base.permute(draw(st.permutations(range(len(shape)))))


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=st.dictionaries(st.text("abc.", min_size=1, max_size=8), windows(), max_size=5), legacy=st.booleans())
def test_round_trip(tmp_path: Path, state: dict[str, torch.Tensor], legacy: bool) -> None:
    check(save(tmp_path / "m.bin", state, legacy), state)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_state_dict(tmp_path: Path, legacy: bool) -> None:
    model = torch.nn.Sequential(torch.nn.Embedding(7, 8), torch.nn.LayerNorm(8), torch.nn.Linear(8, 7))
    model[2].weight = model[0].weight  # tied: one storage
    model.register_buffer("causal_mask", torch.tril(torch.ones(4, 4, dtype=torch.bool)).view(1, 1, 4, 4))
    path = save(tmp_path / "m.bin", model.state_dict(), legacy)
    check(path, model.state_dict())
    file, opened = read_torch(path)
    assert all(np.may_share_memory(tensor.data, file.data) for tensor in opened.values())
    assert not any(tensor.data.flags.writeable for tensor in opened.values())


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_parameters_and_pickle_protocols(tmp_path: Path, legacy: bool, protocol: int) -> None:
    state = collections.OrderedDict(a=torch.nn.Parameter(torch.randn(3)), b=torch.randn(2, 2).T)
    torch.save(state, tmp_path / "m.bin", pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy)
    check(tmp_path / "m.bin", dict(state))


def test_a_legacy_storage_that_is_a_view(tmp_path: Path) -> None:
    """torch before 0.4 saved views of storages: the persistent id's last item is (key, offset, size)."""
    stream = io.BytesIO()
    for value in (torch_zip.LEGACY_MAGIC, torch_zip.LEGACY_VERSION, {"little_endian": True}):
        pickle.dump(value, stream, 2)
    text = b"X\x01\x00\x00\x00"
    stream.write(
        b"\x80\x02}" + text + b"wctorch._utils\n_rebuild_tensor\n(("  # {"w": _rebuild_tensor(
        + b"X\x07\x00\x00\x00storagectorch\nFloatStorage\n" + text + b"kX\x03\x00\x00\x00cpuK\x05"
        + b"(" + text + b"vK\x02K\x03ttQ"  # storage k of 5 elements, view v of 3 from 2
        + b"K\x01K\x02\x85K\x01\x85tRs."  # offset 1, shape (2,), strides (1,)))}
    )  # fmt: skip
    pickle.dump(["k"], stream, 2)
    stream.write(struct.pack("<q5f", 5, 0, 1, 2, 3, 4))
    (tmp_path / "m.bin").write_bytes(stream.getvalue())
    assert read_torch(tmp_path / "m.bin")[1]["w"].float32().tolist() == [3, 4]


class Evil:
    """Executes a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("form", ["pickle", "zip", "legacy"])
def test_a_pickle_that_calls_os_system(tmp_path: Path, protocol: int, form: str) -> None:
    path, marker = tmp_path / "m.bin", tmp_path / "executed"
    state = {"w": torch.ones(2), "x": Evil(marker)}
    if form == "pickle":
        path.write_bytes(pickle.dumps({"x": Evil(marker)}, protocol))
    else:
        torch.save(state, path, pickle_protocol=max(protocol, 2), _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(FormatError, match=r"asks for '(posix|nt)\.system'.*nothing of it was executed"):
        read_torch(path)
    assert not marker.exists()


def zipped(path: Path, data_pkl: bytes, members: dict[str, bytes] | None = None, method: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("archive/data.pkl", data_pkl)
        for name, data in (members or {}).items():
            archive.writestr(f"archive/{name}", data)
    return path


def storage(count: bytes = b"K\x02", mark: bytes = b"ctorch\nFloatStorage\n") -> bytes:
    return b"(X\x07\x00\x00\x00storage" + mark + b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpu" + count + b"tQ"


def rebuilt(arguments: bytes) -> bytes:
    return b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tRs."


def number(value: int) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


BIG = number(2**62)
HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty pickle": (b"", "cut off or corrupt"),
    "cut pickle": (b"\x80\x02}X\xff\xff", "cut off or corrupt"),
    "pop of nothing": (b"\x80\x02\x85.", "cut off or corrupt"),
    "unknown memo": (b"\x80\x02h\x05.", "cut off or corrupt"),
    "a list": (b"\x80\x02].", "a dict of tensors is needed"),
    "no tensor": (b"\x80\x02}X\x01\x00\x00\x00aK\x01s.", "'a' is 1 and not a tensor"),
    "key is a tuple": (b"\x80\x02})K\x01s.", "cut off or corrupt"),
    "key is a number": (b"\x80\x02}K\x01K\x01s.", "name is not text"),
    "eval": (b"\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.", "'builtins.eval'"),
    "getattr through a dot": (b"\x80\x04\x8c\x05torch\x8c\x0b_utils.load\x93.", "'torch._utils.load'"),
    "INST": (b"(cos\nsystem\n.", "'os.system'"),
    "an old instance": (b"\x80\x02(ios\nsystem\n.", "the operation INST"),
    "an extension": (b"\x80\x02\x82\x01.", "the operation EXT1"),
    "NEWOBJ": (b"\x80\x02ctorch\nFloatStorage\n)\x81.", "the operation NEWOBJ"),
    "call of a mark": (b"\x80\x02ctorch\nFloatStorage\n)R.", "not a function"),
    "call of text": (b"\x80\x02X\x01\x00\x00\x00a)R.", "not a function"),
    "a megabyte integer": (b"\x80\x02\x8b\x40\x42\x0f\x00" + b"\x01" * 1_000_000 + b".", "integer of 7,99"),
    "memo of 2^31": (b"\x80\x02}r\xff\xff\xff\xff.", ""),
    "bytes of 2^62": (b"\x80\x05\x8e" + struct.pack("<Q", 2**62) + b".", "cut off or corrupt"),
    "buffer of 2^62": (b"\x80\x05\x96" + struct.pack("<Q", 2**62) + b".", "cut off or corrupt"),
    "storage without a class": (rebuilt(storage(mark=b"K\x01")), "cut off or corrupt"),
    "storage of a wrong size": (rebuilt(storage(number(-1))), "cut off or corrupt"),
    "storage too large": (rebuilt(storage(b"K\x09") + b"K\x00K\x02\x85K\x01\x85"), "8 bytes, 36 are needed"),
    "storage of 2^62": (rebuilt(storage(BIG) + b"K\x00K\x02\x85K\x01\x85"), "are needed"),
    "no storage": (rebuilt(b"K\x01K\x00K\x02\x85K\x01\x85"), "not described"),
    "shape too large": (rebuilt(storage() + b"K\x00K\x03\x85K\x01\x85"), "reaches element 2 of a storage that has 2"),
    "shape of 2^62": (rebuilt(storage() + b"K\x00" + BIG + b"\x85K\x01\x85"), "reaches element"),
    "offset too large": (rebuilt(storage() + b"K\x01K\x02\x85K\x01\x85"), "reaches element 2"),
    "offset negative": (rebuilt(storage() + number(-1) + b"K\x02\x85K\x01\x85"), "not described"),
    "stride negative": (rebuilt(storage() + b"K\x01K\x02\x85" + number(-1) + b"\x85"), "not described"),
    "stride of 2^62": (rebuilt(storage() + b"K\x00K\x02\x85" + BIG + b"\x85"), "reaches element"),
    "repeated 2^62 times": (rebuilt(storage() + b"K\x00" + BIG + b"\x85K\x00\x85"), "more than the file has"),
    "repeated often": (rebuilt(storage() + b"K\x00" + number(10**6) + b"\x85K\x00\x85"), "more than the file has"),
    "no strides": (rebuilt(storage() + b"K\x00K\x02\x85)"), "1 dimensions and 0 strides"),
    "9 dimensions": (rebuilt(storage() + b"K\x00(" + b"K\x01" * 9 + b"t(" + b"K\x01" * 9 + b"t"), "9 dimensions"),
    "too few arguments": (rebuilt(storage()), "cut off or corrupt"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused(name: str, tmp_path: Path) -> None:
    data, message = HOSTILE[name]
    path = zipped(tmp_path / "m.bin", data, {"data/0": bytes(8)})
    if not message:
        assert read_torch(path)[1] == {}
        return
    with pytest.raises(FormatError, match=message) as caught:
        read_torch(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_pickle_that_copies_a_list_for_ever(tmp_path: Path) -> None:
    items = b"](" + b"X\x01\x00\x00\x00aK\x01\x86" * 1000 + b"eq\x00"
    call = b"ccollections\nOrderedDict\nh\x00\x85R"
    with pytest.raises(FormatError, match="more than 64 dicts"):
        read_torch(zipped(tmp_path / "m.bin", b"\x80\x02" + items + call * 100 + b"."))


def test_a_pickle_that_hashes_for_ever(tmp_path: Path) -> None:
    nested = b")" + b"q\x00h\x00\x86" * 200  # (((), ()), ((), ())), 2^200 leaves
    with pytest.raises(FormatError, match="neither text nor an integer"):
        read_torch(zipped(tmp_path / "m.bin", b"\x80\x02}" + nested + b"K\x01s."))
    with pytest.raises(FormatError, match="a value of type tuple"):
        read_torch(zipped(tmp_path / "m.bin", b"\x80\x02" + nested + b"."))


def test_a_pickle_of_too_many_operations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "MAX_OPERATIONS", 1000)
    with pytest.raises(FormatError, match="more than 1,000 operations"):
        read_torch(zipped(tmp_path / "m.bin", b"\x80\x02" + b"]" * 2000 + b"."))


def test_zip_files_that_torch_does_not_write(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    bomb = zipped(path, b"\x80\x02}.", {"data/0": bytes(10_000_000)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(FormatError, match="is compressed; save the weights again"):
        read_torch(bomb)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FormatError, match=r"0 members NAME/data\.pkl"):
        read_torch(path)
    with pytest.raises(FormatError, match="big-endian"):
        read_torch(zipped(path, b"\x80\x02}.", {"byteorder": b"big"}))
    with pytest.warns(UserWarning, match="Duplicate"):
        zipped(path, b"\x80\x02}.", {"data.pkl": b"x"})
    with pytest.raises(FormatError, match="is there twice"):
        read_torch(path)


def test_a_64_bit_directory(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.bin", "w") as archive:
        with archive.open("archive/data/0", "w", force_zip64=True) as member:
            member.write(struct.pack("<2f", 1, 2))
        archive.writestr("archive/data.pkl", rebuilt(storage() + b"K\x00K\x02\x85K\x01\x85"))
    path = tmp_path / "m.bin"
    data = path.read_bytes()
    end = data.rfind(b"PK\5\6")
    entries, size, position = struct.unpack_from("<HLL", data, end + 10)
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, size, position)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    small = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(data[:end] + wide + locator + small)
    assert read_torch(path)[1]["w"].float32().tolist() == [1, 2]


@pytest.mark.parametrize("legacy", [False, True])
def test_a_file_cut_anywhere(tmp_path: Path, legacy: bool) -> None:
    whole = save(tmp_path / "m.bin", {"a": torch.randn(4, 4), "b": torch.randn(3)}, legacy).read_bytes()
    path = tmp_path / "cut.bin"
    for length in range(0, len(whole) - 1, 5):
        path.write_bytes(whole[:length])
        with pytest.raises(FormatError):
            read_torch(path)


def test_other_files(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    for data, message in (
        (b"<html>", "was not written by torch.save: it begins with b'<html>'"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer of 46 bytes"),
        (pickle.dumps(5), "its first pickle is 5"),
        (pickle.dumps(torch_zip.LEGACY_MAGIC, 2) + pickle.dumps(1, 2) + pickle.dumps({}, 2), "version 1 of torch.save"),
    ):
        path.write_bytes(data)
        with pytest.raises(FormatError, match=message):
            read_torch(path)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.lists(st.sampled_from(sorted({bytes([code]) for code in range(256)})), max_size=60).map(b"".join))
def test_any_pickle(tmp_path: Path, data: bytes) -> None:
    for path in (zipped(tmp_path / "m.bin", b"\x80\x02}q\x00" + data + b"."), tmp_path / "plain.bin"):
        if path.name == "plain.bin":
            path.write_bytes(b"\x80\x02" + data + b".")
        with contextlib.suppress(LongraError):
            read_torch(path)
