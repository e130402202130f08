"""How much memory this process has taken."""

import re
import sys
from pathlib import Path


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
