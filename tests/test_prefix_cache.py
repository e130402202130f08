"""The prefix cache on a real model: a second run reads what is new, and writes the same text."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import longra
from longra import _native
from longra.engine.page_folder import page_files
from longra.engine.page_identity import cache_identity, code_identity, file_identity
from longra.errors import UsageError
from longra.files.checkpoint import open_checkpoint
from longra.library import cache

PROMPT = "The history of printing begins with seals pressed into wet clay. " * 12
SETTINGS = {"min_tokens": 30, "max_tokens": 30, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "seed": 7, "chat": False}


@pytest.fixture(scope="module")
def expected(smollm2: Path) -> tuple[int, ...]:
    """The text without a cache."""
    return longra.load(smollm2, cache_dir="none").generate(PROMPT, **SETTINGS).token_ids


def test_another_process_reads_one_token(smollm2: Path, tmp_path: Path) -> None:
    results = []
    for _ in range(2):
        model = longra.load(smollm2, cache_dir=tmp_path)
        results.append(model.generate(PROMPT, **SETTINGS))
        model.engine.prefix.flush()
    first, second = results
    assert (first.cached_tokens, second.cached_tokens) == (0, first.prompt_tokens - 1)
    assert second.token_ids == first.token_ids


def test_pages_carry_all_bits(smollm2: Path, tmp_path: Path, expected: tuple[int, ...]) -> None:
    """Logits after a prefix from disk are those of a fresh run, and so is the text after a part of a page."""
    for cut in (len(PROMPT), 2 * len(PROMPT) // 3):
        model = longra.load(smollm2, cache_dir=tmp_path, strict_cache=True)
        model.generate(PROMPT[:cut] + "And then", **SETTINGS)
        result = model.generate(PROMPT, **SETTINGS)
        assert result.token_ids == expected
        assert result.cached_tokens > cut // 6
        model.engine.prefix.flush()
    backend = model.engine.backend
    backend.write_page(0, backend.read_page(1))
    assert np.array_equal(backend.read_page(0), backend.read_page(1))
    for wrong in (-1, model.engine.pool.limit):
        with pytest.raises(ValueError, match="no such page"):
            backend.read_page(wrong)


def test_strict_or_not_is_a_question_of_what_the_model_wrote(smollm2: Path) -> None:
    for strict in (False, True):
        model = longra.load(smollm2, strict_cache=strict)
        first = model.generate(PROMPT, **SETTINGS)
        turn = [*model.encode(PROMPT, chat=False), *first.token_ids, *model.encode(" And then", chat=False)]
        known = model.generate(turn, max_tokens=1).cached_tokens
        assert known == first.prompt_tokens + (0 if strict else 29)


def test_the_command_twice(smollm2: Path, tmp_path: Path) -> None:
    file = tmp_path / "prompt.txt"
    file.write_text(PROMPT)
    words = ["generate", "-m", str(smollm2), "-f", str(file), "--raw", "-n", "5", "--seed", "3", "--json", "--verbose"]
    environment = os.environ | {"LONGRA_CACHE_DIR": str(tmp_path / "cache")}
    shown = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "longra", *words], capture_output=True, check=True, env=environment, text=True
        )
        shown.append(json.loads(done.stdout))
    first, second = shown
    assert second["cached_tokens"] == first["prompt_tokens"] - 1
    assert second["token_ids"] == first["token_ids"]
    assert f"prompt {first['prompt_tokens']} tokens, {first['prompt_tokens'] - 1} from the cache" in done.stderr
    off = subprocess.run(
        [sys.executable, "-m", "longra", *words, "--cache-dir", "none"],
        capture_output=True,
        check=True,
        env=environment,
    )
    assert json.loads(off.stdout)["cached_tokens"] == 0
    assert all(file.path.suffix == ".page" for file in page_files(tmp_path / "cache"))


def test_a_command_killed_at_any_moment_leaves_a_cache_that_works(
    smollm2: Path, tmp_path: Path, expected: tuple[int, ...]
) -> None:
    code = (
        "import sys, longra, test_prefix_cache as t\n"
        "model = longra.load(sys.argv[1], cache_dir=sys.argv[2])\n"
        "print('ready', flush=True)\n"
        "model.generate(t.PROMPT, **t.SETTINGS)\n"
    )
    for wait in (0.3, 0.8):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(smollm2), str(tmp_path)], cwd=Path(__file__).parent, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(wait)
            process.kill()
        assert longra.load(smollm2, cache_dir=tmp_path).generate(PROMPT, **SETTINGS).token_ids == expected


def test_two_commands_at_once(smollm2: Path, tmp_path: Path, expected: tuple[int, ...]) -> None:
    code = (
        "import sys, longra, test_prefix_cache as t\n"
        "model = longra.load(sys.argv[1], cache_dir=sys.argv[2], threads=1)\n"
        "print(model.generate(t.PROMPT, **t.SETTINGS).token_ids)\n"
    )
    command = [sys.executable, "-c", code, str(smollm2), str(tmp_path)]
    both = [subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE) for _ in range(2)]
    for process in both:
        assert process.communicate()[0].decode().strip() == str(expected)


def test_identity_tells_models_forms_and_code_apart(smollm2: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.gguf"
    shutil.copyfile(smollm2, copy)
    identities = {}
    for name, path, weights in (("one", smollm2, None), ("q8", smollm2, "q8"), ("copy", copy, None)):
        model = longra.load(path, weights=weights)
        with open_checkpoint(path) as checkpoint:
            start = time.thread_time()
            identities[name] = cache_identity(checkpoint, model.spec, model.engine.backend)
            assert time.thread_time() - start < 0.05
            assert identities[name] == cache_identity(checkpoint, model.spec, model.engine.backend)
    assert len(set(identities.values())) == 3


@pytest.mark.parametrize("part", ["backends/lowering.py", "files/dequantise.py", "graph/nodes.py", "models/llama.py"])
def test_pages_of_changed_code_are_not_taken(part: str, tmp_path: Path) -> None:
    root = Path(longra.__file__).parent
    assert code_identity() == code_identity(root)
    for folder in {"backends", "files", "graph", "models"}:
        shutil.copytree(root / folder, tmp_path / folder)
    before = code_identity(tmp_path)
    with (tmp_path / part).open("a") as file:
        file.write("# changed\n")
    code_identity.cache_clear()
    assert code_identity(tmp_path) != before


def test_pages_of_other_kernels_are_not_taken(tmp_path: Path) -> None:
    kernels = tmp_path / Path(_native.__file__).name
    kernels.write_bytes(Path(_native.__file__).read_bytes())
    assert code_identity(kernels=kernels) == code_identity()
    kernels.write_bytes(b"another build")
    code_identity.cache_clear()
    assert code_identity(kernels=kernels) != code_identity()


def test_a_changed_file_is_another_one(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(bytes(300_000))
    stat = file.stat()
    seen = {file_identity(file)}
    with file.open("r+b") as open_file:  # in the middle, and with its date put back
        open_file.seek(150_000)
        open_file.write(b"x")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    seen.add(file_identity(file))
    file.unlink()
    file.write_bytes(bytes(300_000))
    seen.add(file_identity(file))
    assert len(seen) == 3


def test_an_installed_file_is_known_by_its_recorded_hash_until_it_is_touched() -> None:
    from longra.library import store
    from longra.library.manifest import Manifest, StoredFile

    folder = store.folder_of("made-up-for-identity")
    folder.mkdir(parents=True)
    file = folder / "model.gguf"
    file.write_bytes(b"GGUF")
    digest = "ab" * 32
    Manifest("made-up", "path:x", "2026", (StoredFile("model.gguf", 4, digest),), "model.gguf").write(folder)
    try:
        assert file_identity(file) == digest
        time.sleep(0.02)
        file.write_bytes(b"FUGG")
        assert file_identity(file) != digest
    finally:
        shutil.rmtree(folder)


def test_where_the_cache_is_and_how_large_it_may_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LONGRA_CACHE_DIR")
    monkeypatch.setenv("LONGRA_HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / "cache"
    assert cache.cache_folder("none") is None
    monkeypatch.setenv("LONGRA_CACHE_DIR", "none")
    assert cache.cache_folder() is None
    assert cache.cache_folder(tmp_path / "mine") == tmp_path / "mine"
    assert cache.cache_limit() is None
    for text, size in (("500MB", 500_000_000), ("1.5 gb", 1_500_000_000), ("0", 0), ("123B", 123)):
        monkeypatch.setenv("LONGRA_CACHE_SIZE", text)
        assert cache.cache_limit() == size
    monkeypatch.setenv("LONGRA_CACHE_SIZE", "much")
    with pytest.raises(UsageError, match="500MB"):
        cache.cache_limit()


def test_a_limit_below_one_page_is_said(
    smollm2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for size, said in (("1MB", 1), ("0", 0), ("2MB", 0)):
        caplog.clear()
        monkeypatch.setenv("LONGRA_CACHE_SIZE", size)
        longra.load(smollm2, cache_dir=tmp_path)
        assert sum("no text is kept there" in record.message for record in caplog.records) == said
