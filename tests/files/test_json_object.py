"""JSON that may be hostile."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longra.errors import FormatError, ModelNotFoundError
from longra.files import json_object
from longra.files.json_object import parse_object, read_json

HOSTILE = {
    "cut": (b'{"a": 1', "not valid JSON"),
    "empty": (b"", "not valid JSON"),
    "list": (b"[1, 2]", "holds list, a JSON object is needed"),
    "NaN": (b'{"a": NaN}', "NaN is not a number"),
    "-Infinity": (b'{"a": -Infinity}', "-Infinity is not a number"),
    "1e999": (b'{"a": 1e999}', "too large"),
    "long number": (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
    "not UTF-8": (b'{"a": "\xff"}', "not valid JSON"),
    "lone surrogate": (b'{"a": ["\\ud800"]}', r"not Unicode: '\\ud800'"),
    "lone surrogate in a key": (b'{"\\udfff": 1}', "not Unicode"),
    "65 deep": (b'{"a": ' + b"[" * 64 + b"]" * 64 + b"}", "more than 64 deep"),
    "a million deep": (b'{"a": ' + b"[" * 1_000_000, "more than 64 deep|not valid JSON"),
    "a million objects deep": (b'{"a": ' * 1_000_000, "more than 64 deep|not valid JSON"),
    "deep and closed": (b'{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "more than 64 deep"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused(name: str) -> None:
    data, message = HOSTILE[name]
    with pytest.raises(FormatError, match=message) as caught:
        parse_object(data, "config.json")
    assert str(caught.value).startswith("config.json ")
    assert len(str(caught.value)) < 500


def test_a_normal_object() -> None:
    assert parse_object('{"名": [1, 2.5, null, true, "\\ud83d\\ude00"]}'.encode(), "x") == {
        "名": [1, 2.5, None, True, "😀"]
    }


def test_a_byte_order_mark() -> None:
    assert parse_object(b'\xef\xbb\xbf{"a": 1}', "x") == {"a": 1}


def test_keys_that_are_there_twice() -> None:
    assert parse_object(b'{"a": 1, "a": 2}', "x") == {"a": 2}
    with pytest.raises(FormatError, match="'a' is there twice"):
        parse_object(b'{"b": 0, "a": 1, "a": 2}', "x", unique=True)


@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    for text in (data, b'{"a":' + data + b"}"):
        with contextlib.suppress(FormatError):
            assert isinstance(parse_object(text, "x"), dict)


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelNotFoundError, match="no file"):
        read_json(tmp_path / "none.json")
    with pytest.raises(FormatError, match="not a regular file"):
        read_json(tmp_path)
    path = tmp_path / "config.json"
    path.write_text('{"a": "' + "x" * 100 + '"}')
    assert read_json(path) == {"a": "x" * 100}
    monkeypatch.setattr(json_object, "MAX_FILE_BYTES", 50)
    with pytest.raises(FormatError, match="more than 50 bytes"):
        read_json(path)
