"""Keeps what processes hold in memory out of files."""

from __future__ import annotations

import ctypes
import resource
from contextlib import suppress

_PR_SET_DUMPABLE = 4  # <sys/prctl.h>


def forbid_core_dumps() -> None:
    """This process and those that it starts write no core dump when they crash.

    A system may pipe dumps into a program whatever the limit of their size is; on Linux this process is not dumped
    at all, which it cannot hand on.
    """
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
