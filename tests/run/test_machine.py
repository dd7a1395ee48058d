import os
from pathlib import Path

import pytest

from anonymizer.run import machine


@pytest.mark.parametrize(
    ("files", "workers"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu.max": "250000 100000\n"}, 2),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"memory.max": "max\n"}, 8),
        ({"memory.max": "5000000000\n"}, 3),
        ({"memory.max": "100000000\n"}, 1),
    ],
)
def test_a_container_may_grant_less_than_the_machine_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], workers: int
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**23}[name])
    assert machine.auto_workers() == workers
    assert machine.auto_workers(are_waiting=True) == (workers if "memory.max" in files and workers < 8 else workers + 1)
