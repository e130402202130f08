"""Which files of a repository are its model."""

import pytest

from longra.errors import SourceError
from longra.library.sources.choose import Candidate, choose_files


def chosen(*paths: str, wanted: str | None = None) -> set[str]:
    return {c.path for c in choose_files([Candidate(path) for path in paths], wanted, "hf:org/repo")}


def test_pieces_come_with_their_index() -> None:
    pieces = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = "model.safetensors.index.json"
    assert chosen("config.json", *pieces, index, "pytorch_model.bin") == {"config.json", *pieces, index}


def test_one_file_is_taken_before_its_pieces() -> None:
    pieces = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    both = chosen("config.json", "model.safetensors", *pieces, "model.safetensors.index.json")
    assert both == {"config.json", "model.safetensors"}


def test_bin_pieces() -> None:
    pieces = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
    index = "pytorch_model.bin.index.json"
    assert chosen("config.json", *pieces, index, "training_args.bin", "optimizer.bin") == {
        "config.json",
        *pieces,
        index,
    }


def test_files_of_subfolders_and_other_frameworks_are_left() -> None:
    others = ["onnx/model.onnx", "tf_model.h5", "flax_model.msgpack", "rust_model.ot", "original/model.safetensors"]
    assert chosen("config.json", "model.safetensors", "merges.txt", "vocab.json", *others) == {
        "config.json",
        "model.safetensors",
        "merges.txt",
        "vocab.json",
    }


def test_only_gguf_file() -> None:
    assert chosen("README.md", "x.Q4_0.gguf") == {"x.Q4_0.gguf"}


def test_wanted_by_its_end_or_pattern() -> None:
    paths = ("a.Q4_0.gguf", "a.Q8_0.gguf", "sub/a.F16.gguf")
    assert chosen(*paths, wanted="Q8_0.gguf") == {"a.Q8_0.gguf"}
    assert chosen(*paths, wanted="*F16*") == {"sub/a.F16.gguf"}
    with pytest.raises(SourceError, match="fits 2 files"):
        chosen("a.Q4_0.gguf", "b.Q4_0.gguf", wanted="Q4_0.gguf")


def test_exact_path_wins_over_ends() -> None:
    assert chosen("a.gguf", "x-a.gguf", wanted="a.gguf") == {"a.gguf"}


@pytest.mark.parametrize("paths", [(), ("README.md",), ("config.json",), ("model.safetensors",)])
def test_no_model(paths: tuple[str, ...]) -> None:
    with pytest.raises(SourceError, match=r"no model that can be read: it needs config\.json"):
        chosen(*paths)


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "C:/x", "a\\..\\x", "x\0y", "a//b", ""])
def test_hostile_paths(path: str) -> None:
    with pytest.raises(SourceError, match="hostile name"):
        chosen("config.json", "model.safetensors", path)
