"""Which system calls a program in the sandbox may make. Whatever is not named here fails with EPERM.

The kernel grows new calls every year, so this is a list of what is allowed, not of what is not. Above all there is no
call that makes a second process or becomes another program: no fork, no exec. So nothing outlives the program, and
what one process may take is what all may take.
"""

import errno
import os
import socket
from dataclasses import dataclass

ALLOWED = """
    read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close close_range fstat newfstatat
    statx stat lstat fsync fdatasync ftruncate getdents64 getdents getcwd chdir fchdir mkdir mkdirat rmdir unlink unlinkat
    rename renameat renameat2 link linkat symlink symlinkat readlink readlinkat access faccessat faccessat2 umask dup dup2
    dup3 pipe pipe2 flock fadvise64 sendfile copy_file_range statfs fstatfs

    munmap mprotect mremap brk madvise msync membarrier

    futex set_robust_list get_robust_list rseq set_tid_address gettid arch_prctl exit exit_group wait4 waitid sched_yield
    sched_getaffinity getcpu sched_getparam sched_getscheduler

    poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2
    timerfd_create timerfd_settime timerfd_gettime nanosleep clock_nanosleep pause alarm getitimer setitimer timer_create
    timer_settime timer_gettime timer_getoverrun timer_delete

    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack signalfd signalfd4
    restart_syscall

    getpid getppid getuid geteuid getgid getegid getgroups getresuid getresgid getpgid getpgrp getsid uname sysinfo times
    time getrusage getpriority getrlimit setrlimit gettimeofday clock_gettime clock_getres getrandom capget

    sendto recvfrom sendmsg recvmsg shutdown getsockopt setsockopt getsockname getpeername
""".split()  # noqa: SIM905 (read as a text)

ANSWERED = {
    "clone3": errno.ENOSYS,  # its flags are in memory, where a filter cannot look; the C library then calls clone
    # Landlock cannot tell whose mode and times may change, so nobody's do; 0 says that they did, for shutil.copy's sake.
    **dict.fromkeys(("chmod", "fchmod", "fchmodat", "fchmodat2", "utime", "utimes", "utimensat", "futimesat"), 0),
}
"""Calls that are not made, with the error number that the program sees."""


@dataclass(frozen=True)
class Check:
    """A condition on an argument's low 32 bits: `argument & mask` must be one of `values`."""

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFF_FFFF


_THREAD = 0x0001_0000
_NEW_NAMESPACES = 0x7E02_0000
_SHARED, _PRIVATE, _ANONYMOUS, _MAP_TYPE = 0x01, 0x02, 0x20, 0x0F
_READS_AND_TRUNCATES = os.O_TRUNC | os.O_ACCMODE
_OPENINGS = (os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_RDWR | os.O_TRUNC)
_SOCKET_TYPE = 0xF
_FILE_COMMANDS = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032)
"""F_DUPFD, flags, locks, F_DUPFD_CLOEXEC, F_GETPIPE_SZ. Not F_SETOWN: it has the kernel send signals to any process."""
_DEVICE_COMMANDS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS (isatty), TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""


def checked(pid: int) -> dict[str, tuple[Check, ...]]:
    """Calls that are allowed with some arguments only, by the process of this id."""
    myself = Check(0, (pid,))
    myself_or_zero = Check(0, (0, pid))
    return {
        "clone": (Check(0, (_THREAD,), _THREAD | _NEW_NAMESPACES),),
        "kill": (myself,),
        "tgkill": (myself,),
        "prlimit64": (myself_or_zero,),
        "sched_setaffinity": (myself_or_zero,),
        # To shorten a file that one may only read is a hole in Landlock before its version 3.
        "open": (Check(1, _OPENINGS, _READS_AND_TRUNCATES),),
        "openat": (Check(2, _OPENINGS, _READS_AND_TRUNCATES),),
        # No shared maps of files: what is written through them, nobody counts.
        "mmap": (Check(3, (_PRIVATE, _PRIVATE | _ANONYMOUS, _SHARED | _ANONYMOUS), _MAP_TYPE | _ANONYMOUS),),
        "fcntl": (Check(1, _FILE_COMMANDS),),
        "ioctl": (Check(1, _DEVICE_COMMANDS),),
        # Pairs are for asyncio. Of streams alone: a datagram can be addressed to sockets outside.
        "socketpair": (Check(0, (socket.AF_UNIX,)), Check(1, (socket.SOCK_STREAM,), _SOCKET_TYPE)),
    }
