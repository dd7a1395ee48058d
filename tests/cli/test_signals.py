"""Signals, to this process and to real ones: a final name never holds a broken or an unredacted picture."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import Folders, UseDetectors, face, noise, save
from PIL import Image

from anonymizer.cli.main import run
from anonymizer.cli.signals import polite_stop
from anonymizer.types import Detection, Pixels8

PICTURES = 30


class Signalling:
    """Finds a face, and sends this process signals while it looks at the first picture."""

    kinds = frozenset(["face"])

    def __init__(self, *numbers: signal.Signals) -> None:
        self._numbers = list(numbers)

    def detect(self, picture: Pixels8) -> list[Detection]:
        while self._numbers:
            signal.raise_signal(self._numbers.pop())
        return [face(5, 5, 15, 15)]


@pytest.fixture
def command(folders: Folders) -> list[str]:
    """The command line of a run over three pictures."""
    for index in range(3):
        save(folders[0] / f"{index}.png", noise(30, 30, seed=index))
    return ["--input", str(folders[0]), "--image-output", str(folders[1])]


@pytest.fixture
def _heedful() -> Iterator[None]:
    """Shells start what they run in the background with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_heedful")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_lets_what_is_in_hand_be_finished(
    command: list[str],
    folders: Folders,
    use_detectors: UseDetectors,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
    code: int,
) -> None:
    use_detectors(Signalling(number))
    assert run(command) == code
    err = capsys.readouterr().err
    assert "finishing what is in hand; once more to stop at once" in err
    assert "anonymize: interrupted; the same command goes on from here" in err
    assert [path.name for path in folders[1].glob("*.png")] == ["0.png"]
    assert json.loads((folders[1] / "anonymize-report.json").read_text())["complete"] is False
    assert run(command) == 0
    assert "3 of 3 pictures anonymized (3 faces, 0 plates), 1 of them by an earlier run" in capsys.readouterr().out


@pytest.mark.usefixtures("_heedful")
def test_the_second_signal_ends_the_run_at_once(
    command: list[str], folders: Folders, use_detectors: UseDetectors, capsys: pytest.CaptureFixture[str]
) -> None:
    use_detectors(Signalling(signal.SIGINT, signal.SIGTERM))
    assert run(command) == 143  # the first that came
    assert "anonymize: interrupted" in capsys.readouterr().err
    assert sorted(path.name for path in folders[1].iterdir()) == ["anonymize-manifest.sqlite", "anonymize-report.json"]


@pytest.mark.usefixtures("_heedful")
def test_signals_ask_only_within_the_block(capsys: pytest.CaptureFixture[str]) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with polite_stop() as stop:
        assert not stop.is_wanted()
        signal.raise_signal(signal.SIGINT)
        assert stop.is_wanted()
        assert stop.exit_code == 130
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert capsys.readouterr().err.count("finishing what is in hand") == 1


def test_what_a_shell_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with polite_stop() as stop:
            signal.raise_signal(signal.SIGINT)
            assert not stop.is_wanted()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, originals: Path) -> Folders:
    """The input folder, and what a run that nothing disturbs makes of it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "in").mkdir()
    for index in range(PICTURES):
        shutil.copy(originals / "astronaut.png", folder / "in" / f"{index:03}.png")
    assert start(folder / "in", folder / "out").wait() == 0
    return folder / "in", folder / "out"


def start(source: Path, target: Path, workers: int | str = "auto", **options: Any) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "anonymizer", "--input", str(source), "--image-output", str(target)]
    command += ["--kinds", "face", "--workers", str(workers)]
    return subprocess.Popen(command, preexec_fn=_heed_interrupts, **options)


def _heed_interrupts() -> None:
    """Shells start what they run in the background with interrupts ignored, and so would be these tests."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def check_outputs(target: Path, expected: Path) -> int:
    """Everything under a final name is what the undisturbed run wrote. Returns the number of pictures."""
    pictures = list(target.glob("[0-9]*.png")) if target.exists() else []
    for path in pictures:
        assert path.read_bytes() == (expected / path.name).read_bytes()
        assert path.with_suffix(".json").read_bytes() == (expected / path.name).with_suffix(".json").read_bytes()
    return len(pictures)


def wait_for(target: Path, number: int, process: "subprocess.Popen[bytes]", seconds: float = float("inf")) -> None:
    """Waits until some pictures are done, at most some seconds."""
    end = time.monotonic() + seconds
    while process.poll() is None and len(list(target.glob("[0-9]*.png"))) < number and time.monotonic() < end:
        time.sleep(0.005)


@pytest.mark.slow
def test_outputs_are_redacted(undisturbed: Folders) -> None:
    _, target = undisturbed
    assert check_outputs(target, target) == PICTURES
    before, after = (np.asarray(Image.open(folder / "000.png")) for folder in undisturbed)
    assert (before[80:180, 190:260] != after[80:180, 190:260]).mean() > 0.9


@pytest.mark.slow
def test_kills_at_random_moments_each_resumed(undisturbed: Folders, tmp_path: Path) -> None:
    source, expected = undisturbed
    chance = random.Random(0)
    for _ in range(10):
        process = start(source, tmp_path / "out")
        wait_for(tmp_path / "out", chance.randrange(PICTURES), process, seconds=chance.random() * 5)
        time.sleep(chance.random() * 0.1)
        process.kill()
        process.wait()
        check_outputs(tmp_path / "out", expected)
    assert start(source, tmp_path / "out").wait() == 0
    assert check_outputs(tmp_path / "out", expected) == PICTURES
    assert len(list((tmp_path / "out").iterdir())) == 2 * PICTURES + 2  # report, manifest, and nothing left behind


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupt(undisturbed: Folders, tmp_path: Path, number: int, code: int) -> None:
    source, expected = undisturbed
    process = start(source, tmp_path / "out", stderr=subprocess.PIPE)
    wait_for(tmp_path / "out", 3, process)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"finishing what is in hand" in err
    assert b"anonymize: interrupted; the same command goes on from here" in err
    assert b"Traceback" not in err
    assert 3 <= check_outputs(tmp_path / "out", expected) < PICTURES
    assert not list((tmp_path / "out").glob(".*"))


@pytest.mark.slow
def test_second_interrupt(undisturbed: Folders, tmp_path: Path) -> None:
    source, expected = undisturbed
    process = start(source, tmp_path / "out", stderr=subprocess.PIPE)
    wait_for(tmp_path / "out", 1, process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    check_outputs(tmp_path / "out", expected)
    assert not list((tmp_path / "out").glob(".*"))


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(undisturbed: Folders, tmp_path: Path) -> None:
    source, expected = undisturbed
    process = start(source, tmp_path / "out", workers=2)
    wait_for(tmp_path / "out", 3, process)
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[:1]:
        os.kill(int(child), signal.SIGKILL)
    assert process.wait() == 0
    assert check_outputs(tmp_path / "out", expected) == PICTURES
