"""The limits of a worker, and how a process puts them on itself."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass

_MAX_OPEN_FILES = 256
_MAX_FILE_BYTES = 64 << 20  # a worker writes no files; byte-code caches of late imports fit
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker may use. `address_space` in bytes of virtual memory, of which the libraries take about
    1 GB.
    """

    address_space: int = 6 << 30
    cpu_seconds: int = 120  # per job, over all threads
    wall: float = 300.0  # seconds per job, an upper bound on what callers of `run` ask for


def limit_process(address_space: int) -> None:
    """Bound memory, files and core dumps of this process, for good."""
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_NOFILE, _MAX_OPEN_FILES)
    _set_limit(resource.RLIMIT_FSIZE, _MAX_FILE_BYTES)
    _set_limit(resource.RLIMIT_AS, address_space)


def allow_cpu(seconds: int) -> None:
    """Let this process use `seconds` of CPU from now on; past them the system ends it with SIGXCPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    # Only the soft limit moves: an unprivileged process could never raise the hard one for its next job.
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however it ends. Linux; elsewhere end of input
    does it.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def return_free_memory() -> None:
    """Give memory that the last job freed back to the system, so that an idle worker is small. glibc only."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _set_limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # some systems know the name but not the limit
        resource.setrlimit(kind, (bounded, bounded))
