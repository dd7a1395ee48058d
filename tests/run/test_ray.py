"""Ray as it is started for a run, and what is said where there is none. `test_executor.py` runs over all executors."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from run.tasks import Doubling

from anonymizer.errors import SettingsError
from anonymizer.run.ray import RayPlace, connection_to, make_ray_executor, require_ray

LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
"""127.0.0.1, ::1 and ::ffff:127.0.0.1 in /proc/net."""


def test_without_ray_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonymizer.run.ray.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"--executor ray needs Ray: pip install 'anonymizer\[ray\]'"):
        require_ray()


@pytest.mark.slow
def test_a_ray_of_our_own_listens_on_loopback_asks_for_a_token_and_leaves_nothing(
    needs_ray: None, tmp_path: Path
) -> None:
    """The temporary files of Ray are gone with it, and so are its processes; no token lies on the disk."""
    importlib.import_module("ray._private.ray_constants")  # which reads the environment once
    before = dict(os.environ), signal.getsignal(signal.SIGTERM)
    executor = make_ray_executor(Doubling(tmp_path), RayPlace(), 1, 60.0)
    with closing(executor):
        executor.start()
        ours = _descendants()
        assert len(ours) > 3
        addresses = _listening(ours)
        assert addresses
        assert addresses <= LOOPBACK
        address = _address()
        assert _can_connect(address, os.environ["RAY_AUTH_TOKEN"])
        assert not _can_connect(address, "0" * 64)
        assert signal.getsignal(signal.SIGTERM) is before[1]
        assert list(executor.run([21])) == [(21, 42)]
    assert (dict(os.environ), signal.getsignal(signal.SIGTERM)) == before
    assert not _descendants() & ours
    assert not list(Path(os.environ["HOME"]).rglob("auth_token"))


@pytest.mark.slow
def test_a_machine_without_what_workers_take_is_named_at_once(a_ray: None, tmp_path: Path) -> None:
    executor = make_ray_executor(Doubling(tmp_path), RayPlace(cpus=64), 1, 60.0)
    with closing(executor), pytest.raises(SettingsError, match="no room for a worker that takes 64 processors"):
        executor.start()


def test_a_cluster_that_cannot_be_reached_is_named(needs_ray: None) -> None:
    with (
        pytest.raises(SettingsError, match=r"--ray-address 127\.0\.0\.1:9: Connection refused"),
        connection_to(RayPlace("127.0.0.1:9"), 1),
    ):
        pass


def _descendants() -> set[int]:
    """The processes that this one has started, and those that they have."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended by now
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found, waiting = set[int](), {os.getpid()}
    while waiting := {pid for pid, parent in parents.items() if parent in waiting}:
        found |= waiting
    return found


def _listening(processes: set[int]) -> set[str]:
    """Addresses on which these processes, and this one, listen, as the kernel writes them."""
    ours = set()
    for link in (link for pid in {*processes, os.getpid()} for link in Path(f"/proc/{pid}/fd").glob("*")):
        with suppress(OSError):  # it is closed by now
            ours.add(os.readlink(link))
    lines = [
        line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]
    ]
    return {line[1].partition(":")[0] for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in ours}


def _address() -> str:
    import ray

    return str(ray.get_runtime_context().gcs_address)


def _can_connect(address: str, token: str) -> bool:
    """Whether another process can connect to the cluster by this token."""
    code = f"import ray; ray.init({address!r}, logging_level='CRITICAL', log_to_driver=False)"
    environment = {**os.environ, "RAY_AUTH_TOKEN": token}
    try:
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, timeout=40)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
