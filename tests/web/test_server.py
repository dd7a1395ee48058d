"""The server as a process of its own: how it begins and ends, and what it says."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fakes import KILLS, marked
from web.served import png

from anonymizer.errors import SettingsError
from anonymizer.settings import ServeSettings
from anonymizer.web.server import listen

SCRIPT = """
import fakes
from web import served
from anonymizer.settings import ServeSettings, Settings
from anonymizer.web.server import run_server
serve = ServeSettings(port=0, workers=1, film_workers=0)
run_server(serve, Settings(), lambda address: print(address, flush=True), {load})
"""


def start(load: str = "fakes.load_troublesome") -> subprocess.Popen[str]:
    path = os.pathsep.join(sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(load=load)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_on_a_signal_without_a_trace(number: int) -> None:
    with start() as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert httpx.get(f"{address}health").json() == {"status": "ok"}
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        children = workers.read_text().split() if workers.exists() else []
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        assert not [child for child in children if Path(f"/proc/{child}").exists()]


def test_models_that_cannot_be_loaded_end_it() -> None:
    with start("fakes.load_nothing") as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "ModelError: model net is damaged" in errors


def test_workers_that_cannot_go_on_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROUBLE_MARK", str(tmp_path / "mark"))
    with start("served.load_once") as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        response = httpx.post(f"{address}v1/redact", content=png(marked(KILLS)), timeout=60)
        assert response.status_code == 503
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "worker processes end while they load the models (signal 9)" in errors


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"--port {port}: Address already in use"):
            listen(ServeSettings(port=port))
    with pytest.raises(SettingsError, match=r"--host nowhere\.invalid"):
        listen(ServeSettings(host="nowhere.invalid", token="a-token-for-tests-only"))
