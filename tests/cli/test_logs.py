"""-vv and --log show what the program does, and the tracebacks of failed pictures."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import CrashingDetector, marked, noise, save

from anonymizer.cli.main import run


@pytest.fixture
def failing(folders: tuple[Path, Path], use_detectors: Callable[..., None]) -> list[str]:
    """The command line of a run in which one of two pictures fails."""
    save(folders[0] / "a.png", marked((255, 0, 0)))
    save(folders[0] / "b.png", noise(30, 30))
    use_detectors(CrashingDetector(RuntimeError("out of paint")))
    return ["--input", str(folders[0]), "--image-output", str(folders[1])]


def test_without_them_a_failure_is_a_sentence(failing: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*failing, "-v"]) == 1
    output = "".join(capsys.readouterr())
    assert "failed: a.png: unexpected RuntimeError: out of paint" in output
    assert "Traceback" not in output


def test_twice_verbose_shows_the_traceback(failing: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*failing, "-vv"]) == 1
    error = capsys.readouterr().err
    assert "a.png failed" in error
    assert "raise self._error" in error
    assert "RuntimeError: out of paint" in error


def test_a_log_file_holds_the_traceback_and_the_report_does_not(
    failing: list[str], folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*failing, "--log", str(tmp_path / "run.log")]) == 1
    log = (tmp_path / "run.log").read_text()
    assert "Traceback (most recent call last)" in log
    assert "RuntimeError: out of paint" in log
    assert "Traceback" not in "".join(capsys.readouterr())
    report = (folders[1] / "anonymize-report.json").read_text()
    assert str(folders[0]) not in report
    assert "Traceback" not in report
    assert json.loads(report)["files"][0]["reason"] == "unexpected RuntimeError: out of paint"


@pytest.mark.slow
def test_tracebacks_come_from_worker_processes_too(failing: list[str], tmp_path: Path) -> None:
    (Path(failing[1]) / "c.jpg").write_bytes(b"\xff\xd8\xff")  # its decoding fails in a worker, with real models
    assert run([*failing, "--workers", "1", "--log", str(tmp_path / "run.log")]) == 1
    log = (tmp_path / "run.log").read_text()
    assert "c.jpg failed" in log
    assert "PictureError" in log.partition("c.jpg failed")[2]


def test_an_error_that_ends_the_command_is_logged(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    log = tmp_path / "run.log"
    assert run(["--input", str(folders[0]), "--image-output", str(folders[1]), "--log", str(log)]) == 2
    assert "SettingsError" in log.read_text()


def test_logs_grow_and_nothing_else_is_overwritten(failing: list[str], tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    run([*failing, "--log", str(log)])
    first = log.read_text()
    run([*failing, "--log", str(log)])
    assert log.read_text().startswith(first)
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    assert run([*failing, "--log", str(other)]) == 4
    assert other.read_text() == "mine"
    assert run([*failing, "--log", str(tmp_path / "new.jpg")]) == 4
    assert run([*failing, "--log", str(tmp_path / "missing" / "run.log")]) == 4


def test_the_loggers_are_as_they_were_before(failing: list[str], tmp_path: Path) -> None:
    package = logging.getLogger("anonymizer")
    before = package.level, list(package.handlers)
    run([*failing, "-vv", "--log", str(tmp_path / "run.log")])
    assert (package.level, package.handlers) == before
