"""What the command says of the prefix cache, and how it empties it."""

import json
from pathlib import Path

from running import longra, process

from longra.engine.page_file import Head
from longra.engine.page_folder import PageFolder


def filled(home: Path) -> Path:
    PageFolder(home, b"i" * 16, 1000).write(Head(bytes(16), (1, 2), 1000), bytes(1000), 1)
    return home


def test_the_doctor_shows_where_it_is_and_how_large(tmp_path: Path) -> None:
    home = filled(tmp_path / "cache")
    shown = json.loads(longra("doctor", "--json", LONGRA_CACHE_DIR=str(home), LONGRA_CACHE_SIZE="3GB").out)["cache"]
    assert (shown["place"], shown["pages"], shown["limit"], shown["size"]) == (str(home), 1, "3 GB", "1.08 kB")
    assert json.loads(longra("doctor", "--json", LONGRA_CACHE_DIR="none").out)["cache"]["place"] is None


def test_remove_empties_it(tmp_path: Path) -> None:
    home = filled(tmp_path / "cache")
    ran = longra("remove", "--prefix-cache", LONGRA_CACHE_DIR=str(home))
    assert (ran.code, ran.out) == (0, "removed the prefix cache, 1.08 kB freed\n")
    assert not home.exists()
    again = longra("remove", "--prefix-cache", "--json", LONGRA_CACHE_DIR=str(home))
    assert json.loads(again.out) == {"name": None, "bytes_freed": 0}


def test_remove_wants_a_name_or_the_cache() -> None:
    for words in (["remove"], ["remove", "some-model", "--prefix-cache"]):
        ran = longra(*words)
        assert ran.code == 2
        assert "--prefix-cache" in ran.err


def test_keys_and_values_are_held_as_asked(smollm2: Path, tmp_path: Path) -> None:
    words = ("generate", "-m", str(smollm2), "Once upon a time", "--raw", "-n", "3", "-t", "0")
    assert process(*words, "--cache", "q8", "--cache-dir", str(tmp_path)).code == 0
    (page,) = tmp_path.rglob("*.page")  # all is written when a process has ended
    codes = 64 * 30 * 3 * 2 * 64  # tokens, layers, heads, key and value, channels
    assert codes < page.stat().st_size < 1.2 * codes  # with the scales; bf16 takes 2


def test_a_cache_that_cannot_be_written_is_one_warning(smollm2: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    words = ("generate", "-m", str(smollm2), "Once upon a time", "--raw", "-n", "3", "-t", "0")
    ran = process(*words, "--cache-dir", str(tmp_path / "file"))
    assert (ran.code, ran.out) == (0, longra(*words).out)
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("warning: the cache on disk cannot be written")
