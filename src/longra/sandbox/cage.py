"""The side of the sandbox that is inside: this process locks itself in, then becomes the program.

It is started anew by `longra.sandbox.run`, never forked from a process that has a model loaded.
"""

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from longra.sandbox import landlock, privileges, rlimits, seccomp
from longra.sandbox.limits import Limits
from longra.sandbox.orders import PROGRAM, Orders

_SYSTEM = [
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo"),
    *("/etc/ld.so.cache", "/etc/localtime", "/dev/zero", "/dev/urandom", "/dev/random"),
]


def main() -> None:
    """Read the orders, lock, say that it is done, and run."""
    orders = Orders.from_text(sys.argv[-1])
    del sys.argv[1:], sys.orig_argv[:]
    lock(Path.cwd(), orders.limits, orders.parent)
    os.write(orders.ready, b"ready")
    os.close(orders.ready)
    become_program()


def lock(folder: Path, limits: Limits, parent: int) -> None:
    """Give up all that the program is not to have. What Python can import stays readable.

    Raises:
        OSError: a part of it failed; nothing may be run then.
    """
    libraries = [*sys.path, *_SYSTEM, f"{sys.base_prefix}/lib"]
    rlimits.apply(limits)
    privileges.give_up_privileges()
    privileges.die_with(parent)
    landlock.restrict([Path(path) for path in libraries if path], [folder, Path(os.devnull)])
    seccomp.restrict(os.getpid())


def become_program() -> None:
    """Run the program as `python program.py` would; its traceback does not show how it came to run."""
    sys.argv[:] = [PROGRAM]
    sys.path.insert(0, str(Path.cwd()))
    for name in [name for name in sys.modules if name.partition(".")[0] == "longra"]:
        del sys.modules[name]
    module = ModuleType("__main__")
    module.__file__ = PROGRAM
    sys.modules["__main__"] = module
    sys.excepthook = _told_without_cage
    source = Path(PROGRAM).read_text(encoding="utf-8")
    exec(compile(source, PROGRAM, "exec"), module.__dict__)


def _told_without_cage(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    while trace is not None and trace.tb_frame.f_code.co_filename != PROGRAM:
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)
