from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes import FixedDetector, Folders, UseDetectors, face, noise, save

from anonymizer import anonymize_folder
from anonymizer.cli.main import run
from anonymizer.settings import RedactSettings, ServeSettings, Settings

pytest.importorskip("uvicorn")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, folders: Folders, use_detectors: UseDetectors) -> list[Any]:
    """What servers were started with, on the output of a run."""
    source, target = folders
    use_detectors(FixedDetector(face(5, 5, 15, 15, 0.9)))
    save(source / "a.png", noise(40, 50))
    anonymize_folder(source, target, Settings(redact=RedactSettings("mosaic")))
    servers: list[Any] = []

    def start(serve: ServeSettings, settings: Settings, on_ready: Any, review: Any) -> None:
        servers.append((serve, settings, review))
        on_ready("http://127.0.0.1:8000/")

    monkeypatch.setattr("anonymizer.web.server.run_server", start)
    return servers


def test_it_is_for_this_machine_and_whoever_sees_the_address(
    started: list[Any], folders: Folders, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = folders
    assert run(["review", str(target), "--against", str(source), "--reason", "seen"]) == 0
    ((serve, settings, review),) = started
    assert (serve.host, serve.port, settings.redact.method) == ("127.0.0.1", 0, "mosaic")
    assert len(serve.token) >= 32
    assert capsys.readouterr().out == f"review on http://127.0.0.1:8000/#{serve.token}; Ctrl-C ends it\n"
    assert (review.reason, review.again) == ("seen", target.with_name("out-reviewed"))


def test_what_is_wrong_is_named(
    started: list[Any], folders: Folders, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    source, target = folders
    for arguments, reason in (
        ([str(target)], "--against"),
        ([str(source), "--against", str(source)], "no report"),
        ([str(target), "--against", str(tmp_path / "none")], "not a folder"),
        ([str(target), "--against", str(source), "--port", "x"], "--port"),
        ([str(target), "--against", str(source), "--reason", ""], "--reason"),
    ):
        assert run(["review", *arguments]) == 2
        assert reason in capsys.readouterr().err
    assert not started
