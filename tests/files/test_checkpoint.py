"""Opening models: folders and files of every format, shards, and what is said when weights are not there."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from making import write_model_gguf
from safetensors.numpy import save_file

from longra.errors import FormatError, LongraError, ModelNotFoundError
from longra.files.checkpoint import open_checkpoint

CONFIG = {"model_type": "llama", "hidden_size": 8}
STORED = {f"layer.{index}.weight": np.full((2, 3), index, np.float32) for index in range(4)}


def configured(folder: Path) -> Path:
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return folder


def save_part(path: Path, names: list[str]) -> None:
    part = {name: STORED[name] for name in names}
    if path.suffix == ".safetensors":
        save_file(part, path)
    else:
        torch.save({name: torch.from_numpy(values) for name, values in part.items()}, path)


def sharded(folder: Path, stem: str = "model", suffix: str = ".safetensors") -> Path:
    """A model in two shards with an index."""
    shards = {f"{stem}-{number:05}-of-00002{suffix}": list(STORED)[2 * number - 2 : 2 * number] for number in (1, 2)}
    for name, tensors in shards.items():
        save_part(folder / name, tensors)
    write_index(folder, {tensor: name for name, tensors in shards.items() for tensor in tensors}, stem, suffix)
    return configured(folder)


def write_index(folder: Path, places: Any, stem: str = "model", suffix: str = ".safetensors") -> None:
    (folder / f"{stem}{suffix}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))


def check(path: Path, format_: str, files: int = 1) -> None:
    with open_checkpoint(path) as opened:
        assert opened.format == format_
        assert opened.path == path
        assert opened.folder == (path if path.is_dir() else path.parent)
        assert opened.config == CONFIG
        assert len(opened.files) == files
        assert opened.tensors.keys() == STORED.keys()
        for name, values in STORED.items():
            np.testing.assert_array_equal(opened.tensors[name].float32(), values)


@pytest.mark.parametrize("name", ["model.safetensors", "other.safetensors", "pytorch_model.bin"])
def test_one_file(tmp_path: Path, name: str) -> None:
    save_part(configured(tmp_path) / name, list(STORED))
    (tmp_path / "training_args.bin").write_bytes(b"a pickle of something else")
    kind = "torch" if name.endswith(".bin") else "safetensors"
    check(tmp_path, kind)
    check(tmp_path / name, kind)


@pytest.mark.parametrize(("stem", "suffix"), [("model", ".safetensors"), ("pytorch_model", ".bin")])
def test_shards(tmp_path: Path, stem: str, suffix: str) -> None:
    sharded(tmp_path, stem, suffix)
    for name in ("", f"{stem}-00002-of-00002{suffix}", f"{stem}{suffix}.index.json"):
        check(tmp_path / name, "torch" if suffix == ".bin" else "safetensors", 2)


def test_files_that_are_links(tmp_path: Path) -> None:
    """The Hub's cache is a folder of links into a folder of blobs."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir(), snapshot.mkdir()
    sharded(blobs)
    for number, path in enumerate(sorted(blobs.iterdir())):
        blob = path.rename(blobs / f"{number:064}")
        (snapshot / path.name).symlink_to(os.path.relpath(blob, snapshot))
    check(snapshot, "safetensors", 2)


def test_gguf(tmp_path: Path) -> None:
    write_model_gguf(tmp_path / "m.gguf")
    shutil.copy(tmp_path / "m.gguf", tmp_path / "blob")  # ollama's blobs have no suffix
    for path in (tmp_path / "m.gguf", tmp_path, tmp_path / "blob"):
        with open_checkpoint(path) as opened:
            assert (opened.format, opened.path, opened.folder) == ("gguf", path, tmp_path)
            assert opened.config["general.architecture"] == "llama"
            assert "token_embd.weight" in opened.tensors


def test_safetensors_are_preferred(tmp_path: Path) -> None:
    write_model_gguf(tmp_path / "m.gguf")
    save_part(tmp_path / "pytorch_model.bin", list(STORED))
    save_part(tmp_path / "model.safetensors", list(STORED))
    check(configured(tmp_path), "safetensors")
    (tmp_path / "model.safetensors").unlink()
    check(tmp_path, "torch")


def test_several_gguf_files_are_listed(tmp_path: Path) -> None:
    for name in ("a.gguf", "b.gguf", "c-00001-of-00002.gguf", "c-00002-of-00002.gguf"):
        (tmp_path / name).touch()
    with pytest.raises(FormatError, match=r"holds 3 files of weights: a\.gguf, b\.gguf, c-00001-of-00002\.gguf; give"):
        open_checkpoint(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no file or folder"):
        open_checkpoint(tmp_path / "none")
    with pytest.raises(LongraError):
        open_checkpoint(tmp_path / ("x" * 5000))
    with pytest.raises(LongraError):
        open_checkpoint(tmp_path / "nul\0character")
    with pytest.raises(FormatError, match=r"holds no weights among its 0 files .*; give"):
        open_checkpoint(tmp_path)


def test_things_that_are_no_model(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(FormatError, match="unknown kind; give"):
        open_checkpoint(tmp_path / "notes.txt")
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(FormatError, match="not a regular file"):
        open_checkpoint(tmp_path / "pipe.gguf")


def test_no_config(tmp_path: Path) -> None:
    save_part(tmp_path / "model.safetensors", list(STORED))
    with pytest.raises(FormatError, match=r"no config\.json beside it"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize("config", ["", "[]", '{"a": NaN}', '{"a":' * 100_000, "\x00", '{"a": 1}}', '"text"', "null"])
def test_a_hostile_config(tmp_path: Path, config: str) -> None:
    save_part(tmp_path / "model.safetensors", list(STORED))
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(FormatError, match=r"config\.json"):
        open_checkpoint(tmp_path)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    sharded(tmp_path)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(FormatError, match=r"1 of the 2 .* missing: model-00002-of-00002\.safetensors; fetch"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.safetensors",
        "/etc/passwd",
        "..",
        ".",
        "",
        "a/b",
        "a\\b",
        "C:x",
        "x" * 300,
        "a\0b",
        "\x1b[2J",
        5,
        None,
        [],
    ],
)
def test_an_index_that_leaves_its_folder(tmp_path: Path, name: Any) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    save_part(tmp_path / "secret.safetensors", list(STORED))
    write_index(configured(folder), dict.fromkeys(STORED, name))
    with pytest.raises(FormatError, match="which is not a file beside it; do not trust"):
        open_checkpoint(folder)


@pytest.mark.parametrize("places", [None, [], {}, "x", 5])
def test_an_index_without_files(tmp_path: Path, places: Any) -> None:
    write_index(configured(tmp_path), places)
    with pytest.raises(FormatError, match="weight_map is"):
        open_checkpoint(tmp_path)


def test_shards_that_do_not_fit_their_index(tmp_path: Path) -> None:
    sharded(tmp_path)
    first, second = (f"model-0000{number}-of-00002.safetensors" for number in (1, 2))
    write_index(tmp_path, {"layer.0.weight": first, "layer.2.weight": first, "layer.3.weight": second})
    with pytest.raises(FormatError, match=r"'layer\.2\.weight' in model-00001-of-00002\.safetensors, and it is not"):
        open_checkpoint(tmp_path)
    save_part(tmp_path / second, ["layer.1.weight", "layer.2.weight"])
    with pytest.raises(FormatError, match=r"'layer\.1\.weight' is in model-00001.* and in model-00002"):
        open_checkpoint(tmp_path)


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_drop_gives_memory_back_and_keeps_tensors(tmp_path: Path) -> None:
    values = np.arange(16 << 20, dtype=np.float32)  # 64 MB
    save_file({"w": values}, configured(tmp_path) / "model.safetensors")
    opened = open_checkpoint(tmp_path)
    before = resident()
    assert int(opened.tensors["w"].data.max()) == 255
    touched = resident()
    opened.drop()
    assert touched - before > 48 << 20
    assert resident() - before < 16 << 20
    assert opened.tensors["w"].rows(5, 7).float32().tolist() == [5, 6]
    kept = opened.tensors["w"]
    opened.close()
    opened.close()
    assert opened.tensors == {}
    assert kept.rows(5, 7).float32().tolist() == [5, 6]


def test_the_map_ends_with_its_last_tensor(tmp_path: Path) -> None:
    save_part(configured(tmp_path) / "model.safetensors", list(STORED))
    path = str((tmp_path / "model.safetensors").resolve())
    opened = open_checkpoint(tmp_path)
    assert path in Path("/proc/self/maps").read_text()
    opened.close()
    assert path not in Path("/proc/self/maps").read_text()
