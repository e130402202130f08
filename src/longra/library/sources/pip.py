"""Running pip, wherever it is, so that the index, mirror, proxy and certificates that the user set up are used."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from longra.errors import SourceError, StoreError
from longra.library.http import UnreachableError

_POLL_SECONDS = 0.1


def pip_command() -> list[str]:
    """The command that starts a pip: this environment's, else the one that Python carries for `venv`, else one on PATH.

    Environments made by uv, or with `venv --without-pip`, have none of their own. Raises SourceError if there is none
    at all."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    bundled = _bundled_pip()
    if bundled is not None:
        return [sys.executable, str(bundled / "pip")]  # a wheel is a zip file, which Python runs as it is
    on_path = shutil.which("pip3") or shutil.which("pip")
    if on_path is not None:
        return [on_path]
    raise SourceError(
        f"no pip was found to download with; type `uv pip install pip`, or `{sys.executable} -m ensurepip`"
    )


def _bundled_pip() -> Path | None:
    """The pip wheel of the standard library's ensurepip, or of the place where a Linux system keeps it instead."""
    import sysconfig

    folders: list[Path] = []
    spec = importlib.util.find_spec("ensurepip")
    if spec is not None and spec.origin is not None:
        folders.append(Path(spec.origin).parent / "_bundled")
    if system := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        folders.append(Path(system))
    folders.append(Path("/usr/share/python-wheels"))
    wheels = [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]
    return wheels[-1] if wheels else None


def download_wheel(requirement: str, folder: Path, watch: Callable[[int], None]) -> Path:
    """`pip download --no-deps` one requirement ("name==1.0") into an empty folder and return the wheel's path.

    Only wheels are taken: a source distribution would run its own code. watch is told the bytes so far. Raises
    SourceError with pip's reason in a sentence, StoreError if the disk is full."""
    scratch = folder / "tmp"  # pip's own temporary files go to the store's disk, too: /tmp may be small
    scratch.mkdir(parents=True)
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    command = [*pip_command(), "download", *options, "--dest", str(folder), requirement]
    environment = {**os.environ, "TMPDIR": str(scratch), "TEMP": str(scratch), "TMP": str(scratch)}
    with tempfile.TemporaryFile(dir=folder) as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        try:
            code = _wait(process, lambda: watch(_wheel_bytes(folder)))
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if code != 0:
        raise _reason(requirement, text)
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise SourceError(f"pip downloaded {len(wheels)} wheels for {requirement}, expected 1")
    return wheels[0]


def _wait(process: subprocess.Popen[bytes], every: Callable[[], None]) -> int:
    while True:
        try:
            return process.wait(timeout=_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            every()


def _wheel_bytes(folder: Path) -> int:
    """Bytes of the largest wheel under a folder: pip's temporary copy while it downloads, then the copied one."""
    largest = 0
    for path in folder.rglob("*.whl"):
        try:
            largest = max(largest, path.stat().st_size)
        except FileNotFoundError:  # pip is moving it
            continue
    return largest


def _reason(requirement: str, output: str) -> Exception:
    """What pip's output says went wrong, in one sentence."""
    package, _, version = requirement.partition("==")
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return StoreError(f"the disk became full while pip downloaded {requirement}; free some space and try again")
    versions = re.search(r"\(from versions: ([^)]*)\)", output)
    if versions and versions[1] not in ("none", ""):
        known = versions[1].split(", ")
        more = f" (the last {len(known[-8:])} of {len(known)})" if len(known) > 8 else ""
        return SourceError(f"the index has no wheel {package} {version}; it has {', '.join(known[-8:])}{more}")
    if re.search(r"Retrying \(Retry|Could not fetch URL|ConnectionError|NewConnectionError|timed out", output):
        return UnreachableError("the package index cannot be reached; check the network, or `pip config list`")
    if versions or "No matching distribution" in output:
        return SourceError(f"the index has no wheel named {package} that fits this Python; check the name")
    errors = [line.removeprefix("ERROR: ") for line in output.splitlines() if line.startswith("ERROR: ")]
    last = errors[-1] if errors else (output.strip().splitlines() or ["it said nothing"])[-1]
    return SourceError(f"pip could not download {requirement}: {last[:300]}")
