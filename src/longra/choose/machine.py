"""What this machine has: memory, and the rate at which it reads it."""

import math
import platform
from dataclasses import dataclass

from longra.choose.measured import MeasuredSpeed, keep_bandwidth, known_bandwidth, known_speeds
from longra.choose.needs import Needs
from longra.memory import total_memory

RESERVED = 0.15
"""Of the memory is left to the system and to other programs, and at least RESERVED_BYTES."""
RESERVED_BYTES = 1e9
_READ = 256 << 20  # more than a cache holds; takes a fifth of a second


@dataclass(frozen=True)
class Machine:
    """A machine that models are chosen for.

    Attributes:
        memory: bytes that a model may take.
        bandwidth: bytes a second at which all threads together read memory.
        speeds: what was measured of models on it.
        cache: bytes that keys and values may take: the engine sets aside half of a machine's memory for them.
    """

    memory: float
    bandwidth: float
    speeds: tuple[MeasuredSpeed, ...] = ()
    cache: float = math.inf

    def holds(self, needs: Needs) -> bool:
        """Whether a model fits."""
        return needs.total <= self.memory and needs.cache <= self.cache


def this_machine(memory: float | None = None) -> Machine:
    """The machine that runs this. Its bandwidth is measured anew each time, and the best so far is kept in the store: what
    else runs can only make it look slower.

    Args:
        memory: bytes that a model may take; None for what the system does not need.
    """
    name = identity()
    known, bandwidth = known_bandwidth(name), measure_bandwidth()
    if known is None or bandwidth > known:
        keep_bandwidth(name, bandwidth)
    bandwidth = max(bandwidth, known or 0.0)
    wanted = usable_memory() if memory is None else memory
    return Machine(wanted, bandwidth, tuple(known_speeds(name)), cache=total_memory() / 2)


def usable_memory() -> float:
    """Bytes of this machine, or of its container, less what is left to the system."""
    total = total_memory()
    return total - max(RESERVED_BYTES, RESERVED * total)


def measure_bandwidth() -> float:
    """Bytes a second at which all threads together read memory: the rate that `longra bench` measures."""
    from longra import _native
    from longra.backends.native import choose_isa, cores

    return _native.Plan(cores(), choose_isa()).read_rate(_READ)


def identity() -> str:
    """What tells this machine from another whose speeds would differ."""
    from longra.backends.native import choose_isa, cores

    return f"{processor_name()}, {cores()} cores, {total_memory() / 1e9:.0f} GB, {choose_isa()}"


def processor_name() -> str:
    """The processor as the system calls it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
