"""What this machine, or the container in it, grants the program."""

from __future__ import annotations

import os
from pathlib import Path

MEMORY_PER_WORKER = 1_500_000_000
"""Bytes that a worker needs for pictures of some 20 megapixels."""
_CGROUP = Path("/sys/fs/cgroup")


def auto_workers(are_waiting: bool = False) -> int:
    """One process for each core, as far as memory goes.

    Args:
        are_waiting: whether they wait for a store now and then; one more of them then has work for the cores.
    """
    return max(1, min(_cores() + are_waiting, _memory_bytes() // MEMORY_PER_WORKER))


def _cores() -> int:
    """Those that this process may use, and not more than the quota of its container."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _cgroup_value("cpu.max").partition(" ")
    return min(cores, max(1, round(int(quota) / int(period)))) if quota.isdecimal() and period.isdecimal() else cores


def _memory_bytes() -> int:
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _cgroup_value("memory.max")
    return min(installed, int(limit)) if limit.isdecimal() else installed


def _cgroup_value(name: str) -> str:
    try:
        return (_CGROUP / name).read_text().strip()
    except OSError:
        return ""
