"""Seccomp: the kernel asks a small program before each system call (https://docs.kernel.org/userspace-api/seccomp_filter.html).

The program is classic BPF. It looks at `struct seccomp_data`: the call's number, the machine, and six arguments.
"""

import ctypes
import errno
import platform
import struct
from collections.abc import Sequence

from longra.sandbox.libc import call
from longra.sandbox.policy import ALLOWED, ANSWERED, Check, checked
from longra.sandbox.syscalls import NUMBERS

_SET_SECCOMP, _MODE_FILTER = 22, 2
_ALLOW, _KILL, _ERROR = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06  # of 32 bits; jumps compare with a constant
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16
_X32 = 0x4000_0000  # numbers from here on are a second way to the calls of x86-64

_MACHINES = {"x86_64": (0, 0xC000_003E), "aarch64": (1, 0xC000_00B7)}
"""Machine -> its column in `NUMBERS`, its AUDIT_ARCH."""


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def knows_machine() -> bool:
    """Whether system calls of this machine have known numbers."""
    return platform.machine() in _MACHINES


def restrict(pid: int) -> None:
    """Hold this thread, whose process id is given, and all threads that it starts to the policy, for good.

    Raises:
        OSError: the kernel refused.
    """
    code = b"".join(program(pid))
    prog = _FilterProgram(len(code) // 8, code)
    call("prctl", _SET_SECCOMP, _MODE_FILTER, ctypes.byref(prog), 0, 0)


def program(pid: int) -> list[bytes]:
    """The instructions, of 8 bytes each."""
    column, machine = _MACHINES[platform.machine()]
    number = {name: numbers[column] for name, numbers in NUMBERS.items()}
    code = [
        _op(_LOAD, _MACHINE_AT),
        _op(_EQUAL, machine, if_true=1),
        _op(_RETURN, _KILL),
        _op(_LOAD, _NUMBER_AT),
        _op(_AT_LEAST, _X32, if_false=1),
        _op(_RETURN, _KILL),
    ]
    blocks = [
        *((name, [_op(_RETURN, _ALLOW)]) for name in ALLOWED),
        *((name, [_op(_RETURN, _ERROR | answer)]) for name, answer in ANSWERED.items()),
        *((name, _checks(checks)) for name, checks in checked(pid).items()),
    ]
    for name, block in blocks:
        if (wanted := number[name]) is not None:
            code += [_op(_EQUAL, wanted, if_false=len(block)), *block]
    return [*code, _op(_RETURN, _ERROR | errno.EPERM)]


def _checks(checks: Sequence[Check]) -> list[bytes]:
    """Allow if all conditions hold, else EPERM."""
    code = []
    for check in checks:
        code += [_op(_LOAD, _ARGUMENTS_AT + 8 * check.argument), _op(_AND, check.mask)]
        code += [_op(_EQUAL, value, if_true=len(check.values) - i) for i, value in enumerate(check.values)]
        code += [_op(_RETURN, _ERROR | errno.EPERM)]
    return [*code, _op(_RETURN, _ALLOW)]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """`struct sock_filter`: the operation, how many to jump over in either case, a constant."""
    return struct.pack("=HBBI", code, if_true, if_false, value)
