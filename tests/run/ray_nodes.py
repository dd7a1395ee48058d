"""A cluster of Ray on this machine, whose nodes can be killed. All of it listens on loopback alone."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

FOR_ALL = {
    "RAY_AUTH_MODE": "token",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "RAY_health_check_period_ms": "1000",  # to find out sooner that a node is dead
    "RAY_health_check_failure_threshold": "4",
}
_STORE_BYTES = 80_000_000
NODES = 3


class RayNodes:
    """A head and others, with one processor each. They are processes of this one."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._others: list[Any] = []

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def add(self) -> None:
        for tries_left in (2, 1, 0):
            try:
                self._others.append(self._cluster.add_node(num_cpus=1, object_store_memory=_STORE_BYTES))
                return
            except Exception as error:
                if "timed out" not in str(error) or not tries_left:
                    raise

    def kill(self, number: int, with_workers: bool) -> None:
        """Kills a node that is not the head, and the processes that it has started unless these are to notice it."""
        node = self._others.pop(number)
        raylet = node.all_processes["raylet"][0].process.pid
        workers = _children(raylet) if with_workers else []
        for pid in (raylet, *workers):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def ray_nodes(home: Path) -> Iterator[RayNodes]:
    """The cluster; this process and those that it starts can connect to it."""
    with pytest.MonkeyPatch.context() as patch:
        places = {"HOME": str(home), "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
        for name, value in {**FOR_ALL, **places, "RAY_AUTH_TOKEN": secrets.token_hex(32)}.items():
            patch.setenv(name, value)
        patch.delenv("RAY_ADDRESS", raising=False)
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 1, "object_store_memory": _STORE_BYTES, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            nodes = RayNodes(cluster)
            for _ in range(NODES - 1):
                nodes.add()
            yield nodes
        finally:
            cluster.shutdown()


def _children(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for children in lists for child in children.read_text().split()]
