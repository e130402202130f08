"""Calls that Python has no function for, through the C library of the process."""

import ctypes
import os
from typing import Any

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def syscall(number: int, *args: Any) -> int:
    """A system call by its number; -1 on failure, with `failure` to say why."""
    return int(_libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) if isinstance(a, int) else a for a in args)))


def call(name: str, *args: Any) -> None:
    """A function of the C library that returns 0 when it worked.

    Raises:
        OSError: it did not.
    """
    if getattr(_libc, name)(*(ctypes.c_ulong(a) if isinstance(a, int) else a for a in args)) != 0:
        raise failure(name)


def failure(what: str) -> OSError:
    """The error that the last call left."""
    code = ctypes.get_errno()
    return OSError(code, f"{what}: {os.strerror(code)}")
