"""How much memory this process may take, and has taken."""

import os
import re
import sys
from pathlib import Path

_CONTAINER = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def physical_memory() -> int:
    """Bytes that this machine has; 8 GB where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 8_000_000_000


def total_memory() -> int:
    """Bytes that this process may take: of the machine, or of its container or `ulimit -v` if one sets less."""
    limits = [_container_limit(Path(path)) for path in _CONTAINER]
    return min(limit for limit in (physical_memory(), _address_limit(), *limits) if limit is not None)


def room_for_caches() -> int:
    """Bytes that a model's keys and values may take: half of the memory, or of the addresses that `ulimit -v` leaves."""
    limit, half = _address_limit(), total_memory() // 2
    return half if limit is None else min(half, max(0, limit - _addresses_taken()) // 2)


def _addresses_taken() -> int:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _container_limit(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # none, or "max"
        return None


def _address_limit() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def peak_memory() -> int:
    """The most that was resident at once, in bytes; 0 where the system does not say.

    Linux counts it for a program (VmHWM of /proc/self/status). getrusage, which is asked elsewhere, has there what the
    process was before it became this program too: a large parent's memory.
    """
    if sys.platform == "linux":
        found = re.search(r"^VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
