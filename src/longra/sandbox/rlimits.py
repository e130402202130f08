"""Resource limits that the kernel keeps for the process."""

import os
import resource

from longra.sandbox.limits import Limits

_OPEN_FILES = 64  # also bounds what pipes and sockets can hold: 64 KB each
_NICENESS = 10  # a busy program takes no time from the thread that watches it, nor from the model


def apply(limits: Limits) -> None:
    """Set the limits of this process, so that it cannot raise them again.

    The kernel has none for one process's threads, its files, or the sum of what it writes: `longra.sandbox.watch` has. That
    one is also the first to see that processor time is used up, since the kernel counts it roughly; twice as much is for the
    case that the watching process itself is stopped.
    """
    _set(resource.RLIMIT_AS, limits.memory)
    _set(resource.RLIMIT_CPU, 2 * limits.cpu)
    _set(resource.RLIMIT_FSIZE, limits.written)
    _set(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _set(resource.RLIMIT_CORE, 0)
    os.nice(_NICENESS)


def _set(which: int, value: int) -> None:
    """Both limits; a lower one that holds already stays."""
    _, hard = resource.getrlimit(which)
    lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (lowest, lowest))
