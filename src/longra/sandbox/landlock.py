"""Landlock: what the process may read and write, by folder; no root needed (https://docs.kernel.org/userspace-api/landlock.html).

Everything that Landlock knows is denied, but for what is named. What it does not know (the mode, owner and times of files)
is the business of `longra.sandbox.policy`.
"""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from longra.sandbox.libc import failure, syscall

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on all machines
_VERSION_FLAG = 1
_PATH_BENEATH = 1

_READ_FILE, _READ_DIR, _WRITE_FILE, _TRUNCATE = 1 << 2, 1 << 3, 1 << 1, 1 << 14
_EXECUTE, _MAKE_CHAR, _MAKE_SOCK, _MAKE_BLOCK, _IOCTL_DEV = 1 << 0, 1 << 6, 1 << 9, 1 << 11, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READ = _READ_FILE | _READ_DIR
_NEVER = _EXECUTE | _MAKE_CHAR | _MAKE_SOCK | _MAKE_BLOCK | _IOCTL_DEV

# How many file rights a version of the interface knows; all of them are denied unless granted.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_LATEST_FILE_RIGHTS = 16
_NET_VERSION, _NET_RIGHTS = 4, 0b11  # bind and connect TCP
_SCOPE_VERSION, _SCOPES = 6, 0b11  # no signals and no abstract sockets out of the sandbox


class _RulesetAttr(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneathAttr(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def version() -> int:
    """Version of the kernel's Landlock interface, from 1 (Linux 5.13); 0 if it is missing or off."""
    return max(syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG), 0)


def restrict(readable: Iterable[Path], writable: Iterable[Path]) -> None:
    """Deny this thread, and all that it starts, every file but these; folders stand for all that is in them.

    Nothing can be executed, no device or socket be made. Paths that do not exist are passed over.

    Raises:
        OSError: the kernel refused.
    """
    abi = version()
    handled = (1 << _FILE_RIGHTS.get(abi, _LATEST_FILE_RIGHTS)) - 1
    attr = _RulesetAttr(handled, _NET_RIGHTS if abi >= _NET_VERSION else 0, _SCOPES if abi >= _SCOPE_VERSION else 0)
    ruleset = syscall(_CREATE_RULESET, ctypes.byref(attr), ctypes.sizeof(attr), 0)
    if ruleset < 0:
        raise failure("landlock_create_ruleset")
    for path in readable:
        _allow(ruleset, path, _READ)
    for path in writable:
        _allow(ruleset, path, handled & ~_NEVER)
    if syscall(_RESTRICT_SELF, ruleset, 0) < 0:
        raise failure("landlock_restrict_self")
    os.close(ruleset)


def _allow(ruleset: int, path: Path, access: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    rights = access if path.is_dir() else access & _OF_FILES
    rule = _PathBeneathAttr(rights, fd)
    if syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0) < 0:
        raise failure(f"landlock_add_rule for {path}")
    os.close(fd)
