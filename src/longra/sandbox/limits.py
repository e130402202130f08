"""How much a program in the sandbox may take."""

from dataclasses import dataclass, fields
from typing import Literal

from longra.errors import UsageError

Limit = Literal["cpu", "wall", "memory", "written", "output", "files", "threads"]
"""What a program can have too much of: see the field of `Limits`."""


@dataclass(frozen=True)
class Limits:
    """Upper bounds for one program. It is one process, so a bound for the process is a bound for all.

    Args:
        cpu: seconds of processor time, of all threads together.
        wall: seconds from its start to its end.
        memory: bytes of address space; what Python itself takes (about 30 MB) counts.
        written: bytes that it may write in all, to files and as output; also the size of its largest file.
        output: bytes on stdout, and bytes on stderr.
        files: files and folders in its folder at one time.
        threads: threads at one time, the first among them.

    Raises:
        UsageError: a limit is not above 0.
    """

    cpu: int = 10
    wall: float = 20.0
    memory: int = 512_000_000
    written: int = 64_000_000
    output: int = 1_000_000
    files: int = 1000
    threads: int = 32

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value <= 0:
                raise UsageError(f"the sandbox's limit {field.name} is {value:g}; give a number above 0")
