"""The cache's folder: a limit kept by use, other people's files left alone, kills and full disks survived."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from longra.engine.page_file import Head
from longra.engine.page_folder import PageFolder, clear, page_files

IDENTITY, ROOT, SIZE = b"i" * 16, b"r" * 16, 1000
HERE = Path(__file__).parent


def folder_at(home: Path, limit: int | None = None, identity: bytes = IDENTITY) -> PageFolder:
    return PageFolder(home, identity, SIZE, limit)


def head_of(number: int, parent: bytes = ROOT) -> Head:
    return Head(parent, (number, 7), SIZE)


def page_of(number: int) -> bytes:
    return random.Random(number).randbytes(SIZE)


def stored(home: Path, count: int = 40) -> set[int]:
    """Which of the first pages a new process would find, each looked at."""
    folder = folder_at(home)
    listed = {head.entries[0] for head in folder.after(ROOT)}
    for number in range(count):
        assert folder.read(head_of(number)) == (page_of(number) if number in listed else None)
    return listed


def test_pages_are_found_by_the_one_before_and_read_by_another_process(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    second = head_of(1, head_of(0).key)
    for number, head in enumerate((head_of(0), second)):
        assert folder.write(head, page_of(number), time.time_ns())
    for reader in (folder, folder_at(tmp_path)):
        assert reader.after(ROOT) == [head_of(0)]
        assert reader.after(head_of(0).key) == [second]
        assert reader.after(second.key) == []
        assert reader.read(second) == page_of(1)


def test_another_identity_sees_nothing(tmp_path: Path) -> None:
    folder_at(tmp_path).write(head_of(0), page_of(0), time.time_ns())
    other = folder_at(tmp_path, identity=b"j" * 16)
    assert other.after(ROOT) == []
    assert other.read(head_of(0)) is None
    assert stored(tmp_path) == {0}


def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    folder_at(tmp_path / "cache").write(head_of(0), page_of(0), time.time_ns())
    (file,) = page_files(tmp_path / "cache")
    assert file.path.stat().st_mode & 0o77 == 0
    assert file.path.parent.stat().st_mode & 0o77 == 0


def test_the_files_used_longest_ago_go_first(tmp_path: Path) -> None:
    limit = 20 * (SIZE + 100)
    folder = folder_at(tmp_path, limit)
    now = time.time_ns()
    for number in range(40):
        folder.write(head_of(number), page_of(number), now + number)
        assert sum(file.size for file in page_files(tmp_path)) <= limit
    kept = stored(tmp_path)
    assert kept == set(range(min(kept), 40))
    assert len(kept) >= 15


def test_a_page_in_use_outlives_younger_ones(tmp_path: Path) -> None:
    folder = folder_at(tmp_path, 10 * (SIZE + 100))
    for number in range(30):
        folder.write(head_of(number), page_of(number), number)
        assert folder.touch(head_of(0), 1000 + number)
    assert not folder.touch(head_of(1), 2000)
    assert 0 in stored(tmp_path)
    assert 1 not in stored(tmp_path)


def test_a_limit_too_small_for_a_page_stores_none_and_deletes_none(tmp_path: Path) -> None:
    folder_at(tmp_path).write(head_of(0), page_of(0), 1)
    assert not folder_at(tmp_path, SIZE // 2).write(head_of(1), page_of(1), 2)
    assert stored(tmp_path) == {0}


def test_two_processes_share_a_limit(tmp_path: Path) -> None:
    limit = 32 * (SIZE + 100)
    writers = [folder_at(tmp_path, limit), folder_at(tmp_path, limit, b"j" * 16)]
    for number in range(200):
        writers[number % 2].write(head_of(number), page_of(number), number)
    assert sum(file.size for file in page_files(tmp_path)) <= limit * 1.1


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1], lambda d: d[:30], lambda d: d[:150] + b"x" + d[151:], lambda _: b""]
)
def test_a_damaged_file_is_not_used_and_deleted(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    folder_at(tmp_path).write(head_of(0), page_of(0), 1)
    (file,) = page_files(tmp_path)
    file.path.write_bytes(damage(file.path.read_bytes()))
    folder = folder_at(tmp_path)
    folder.after(ROOT)
    assert folder.read(head_of(0)) is None
    assert page_files(tmp_path) == []
    assert folder.after(ROOT) == []


def test_a_file_that_was_renamed_is_not_used(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    folder.write(head_of(0), page_of(0), 1)
    (file,) = page_files(tmp_path)
    file.path.rename(file.path.with_name(f"{ROOT.hex()}-{head_of(1).key.hex()}.page"))
    assert folder_at(tmp_path).after(ROOT) == []
    assert folder_at(tmp_path).read(head_of(1)) is None


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    folder = folder_at(tmp_path, 3 * (SIZE + 100))
    folder.write(head_of(0), page_of(0), 1)
    own = [tmp_path / "notes.txt", folder.folder / "notes.page", tmp_path / ("f" * 31) / f"{'0' * 32}-{'0' * 32}.page"]
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    elsewhere.mkdir()
    target = elsewhere / f"{'0' * 32}-{'0' * 32}.page"
    for path in (*own, target):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(5000))
        os.utime(path, ns=(0, 0))
    (tmp_path / ("e" * 32)).symlink_to(elsewhere)
    (folder.folder / f"{'1' * 32}-{'1' * 32}.page").symlink_to(target)
    for number in range(1, 10):
        folder.write(head_of(number), page_of(number), number)
    assert clear(tmp_path) > 0
    assert all(path.stat().st_size == 5000 for path in (*own, target))
    assert page_files(tmp_path) == []


def test_clearing_leaves_no_folder_of_ours(tmp_path: Path) -> None:
    home = tmp_path / "cache"
    folder_at(home).write(head_of(0), page_of(0), 1)
    size = sum(file.size for file in page_files(home))
    assert clear(home) == size > SIZE
    assert not home.exists()
    assert clear(home) == 0


def test_a_full_disk_is_an_error_that_leaves_nothing_half(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands for the disk: the kernel refuses what goes beyond it in the middle of a file."""
    code = (
        "import resource, signal, sys, test_page_folder as t\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "folder = t.folder_at(t.Path(sys.argv[1]))\n"
        "folder.write(t.head_of(0), t.page_of(0), 1)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))\n"
        "try:\n    folder.write(t.head_of(1), t.page_of(1), 2)\nexcept OSError as error:\n    print(error.errno)\n"
    )
    done = run_here(code, tmp_path)
    assert int(done.stdout) == errno.EFBIG
    assert stored(tmp_path) == {0}
    assert [file.path.suffix for file in page_files(tmp_path)] == [".page"]


def test_kills_leave_whole_pages_and_nothing_half_for_ever(tmp_path: Path) -> None:
    code = (
        "import itertools, sys, test_page_folder as t\n"
        "folder = t.folder_at(t.Path(sys.argv[1]))\n"
        "print('ready', flush=True)\n"
        "for n in itertools.count():\n    folder.write(t.head_of(n % 40), t.page_of(n % 40), n)\n"
    )
    dice = random.Random(3)
    for _ in range(6):
        with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=HERE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(dice.random() * 0.02)
            process.send_signal(signal.SIGKILL)
        stored(tmp_path)  # each that is there is right
    half = tmp_path / IDENTITY.hex() / "tmpabcdefgh.part"
    half.write_bytes(b"LONG")
    left = [file.path for file in page_files(tmp_path) if file.path.suffix == ".part"]
    for path in left:
        os.utime(path, (time.time() - 100, time.time() - 100))
    folder_at(tmp_path).write(head_of(0), page_of(0), 1)
    assert not any(path.exists() for path in left)


def test_what_another_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    folder_at(tmp_path).write(head_of(0), page_of(0), 1)
    half = tmp_path / IDENTITY.hex() / "tmpabcdefgh.part"
    half.write_bytes(b"LONG")
    folder_at(tmp_path).write(head_of(1), page_of(1), 1)
    assert half.exists()


def run_here(code: str, home: Path) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, "-c", code, str(home)], cwd=HERE, capture_output=True, check=True)
