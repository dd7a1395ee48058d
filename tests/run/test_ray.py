"""Ray as it is started for a run, and what is said where there is none. `test_executor.py` runs over all executors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from run.tasks import Doubling

from anonymizer.errors import SettingsError
from anonymizer.run.ray import RayPlace, connection_to, make_ray_executor, require_ray


def test_without_ray_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonymizer.run.ray.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"--executor ray needs Ray: pip install 'anonymizer\[ray\]'"):
        require_ray()


@pytest.mark.slow
def test_a_ray_of_our_own_listens_on_loopback_asks_for_a_token_and_leaves_nothing(
    needs_ray: None, tmp_path: Path
) -> None:
    """The temporary files of Ray are gone with it, and so are its processes; no token lies on the disk."""
    before = dict(os.environ), signal.getsignal(signal.SIGTERM), _processes()
    executor = make_ray_executor(Doubling(tmp_path), RayPlace(), 1, 60.0)
    with closing(executor):
        executor.start()
        ours = _processes() - before[2]
        assert len(ours) > 3
        ports = _listening(ours)
        assert ports
        assert {address for address, _ in ports} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
        address = _address()
        assert _can_connect(address, os.environ["RAY_AUTH_TOKEN"])
        assert not _can_connect(address, "0" * 64)
        assert signal.getsignal(signal.SIGTERM) is before[1]
        assert list(executor.run([21])) == [(21, 42)]
    assert (dict(os.environ), signal.getsignal(signal.SIGTERM)) == before[:2]
    assert not _processes() & ours
    assert not list(Path(os.environ["HOME"]).rglob("auth_token"))


def test_a_cluster_that_cannot_be_reached_is_named(needs_ray: None) -> None:
    with (
        pytest.raises(SettingsError, match=r"--ray-address 127\.0\.0\.1:9: Connection refused"),
        connection_to(RayPlace("127.0.0.1:9"), 1),
    ):
        pass


def _processes() -> set[int]:
    return {int(path.name) for path in Path("/proc").glob("[0-9]*")} - {os.getpid()}


def _listening(processes: set[int]) -> set[tuple[str, str]]:
    """Addresses and ports on which these processes, and this one, listen."""
    text = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in text.splitlines() if any(f"pid={p}," in line for p in {*processes, os.getpid()})]
    places = [line[3].rpartition(":") for line in lines]
    return {(address.strip("[]"), port) for address, _, port in places}


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
