"""What the process gives up: capabilities, the way back to them, and outliving who started it."""

import ctypes
import os
import signal

from longra.sandbox.libc import call

_SET_PDEATHSIG, _SET_NO_NEW_PRIVS = 1, 38
_CAPABILITY_VERSION_3 = 0x20080522


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def give_up_privileges() -> None:
    """Drop every capability for good; root is then a user like any other, who owns root's files.

    Raises:
        OSError: the kernel refused.
    """
    call("prctl", _SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    call("capset", ctypes.byref(header), (_CapabilityData * 2)())


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends, however it ends.

    Raises:
        ProcessLookupError: the parent, given by its process id, has ended already.
    """
    call("prctl", _SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        raise ProcessLookupError(f"the process {parent} that asked for the sandbox is gone")
