"""What a process that reads strangers' documents may use. Where the system has no such limits, the
reader's own bounds and the clock outside still hold."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from dataclasses import dataclass
from pathlib import Path

_NEW_USERS, _NEW_NETWORK = 0x10000000, 0x40000000  # flags of Linux' unshare


@dataclass(frozen=True)
class Limits:
    """`seconds` of real time for one document, or `converting` where LibreOffice has to be asked, whose
    own limit is lower. `memory` and the `size` of a document in bytes."""

    seconds: float = 20.0
    converting: float = 60.0
    memory: int = 1_500_000_000
    size: int = 50_000_000


def confine(limits: Limits) -> None:
    """Bind this process, for good."""
    if sys.platform == "win32":
        return
    import resource  # not on every system

    with contextlib.suppress(OSError, ValueError):  # some systems know the limit but cannot set it
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, hard))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            _leave_network()


def renew(seconds: float) -> None:
    """Processor time for the next document: the limit counts over a process's whole life."""
    if sys.platform == "win32":
        return
    import resource  # not on every system

    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 2, hard))


def _leave_network() -> None:
    """Into a network of its own in which there is nothing; as nobody special, where that is needed."""
    system = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if system.unshare(_NEW_NETWORK) == 0:
        return
    if system.unshare(_NEW_USERS | _NEW_NETWORK) == 0:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
