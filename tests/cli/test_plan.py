"""`anonymize plan` says what a run would take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes import Folders, noise, save

from anonymizer.cli.main import run
from anonymizer.run import estimate as module
from anonymizer.run.estimate import Estimate, Range
from anonymizer.types import Result


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[Result]:
    """The sample is not measured; the results that failed in it."""
    failed: list[Result] = []

    def estimate(*arguments: object) -> Estimate:
        return Estimate(1_200_000, 2, 30, failed, Range(2e6, 1.9e6, 2.2e6), Range(0.4, 0.3, 0.5), 930_000_000)

    monkeypatch.setattr(module, "estimate", estimate)
    return failed


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (["--cores", "64"], ["time      2.08 (1.56 to 2.6) hours on 64 cores"]),
        (["--cores", "1024", "--price", "0.03"], ["time      7.81 (5.86 to 9.77) minutes on 1024 cores"]),
        (["--price", "0.03"], ["cost      4 (3 to 5) at 0.03 for a core and hour"]),
        ([], ["size      2.4 (2.28 to 2.64) TB", "each      0.4 (0.3 to 0.5) seconds on a core of this machine"]),
        ([], ["memory    0.9 GB for each worker, one to a core", "films     2, which none of this counts"]),
        ([], ["pictures  1200000, 0 of 30 in the sample failed"]),
    ],
)
def test_it_prints_what_a_run_takes(
    known: list[Result], capsys: pytest.CaptureFixture[str], options: Sequence[str], lines: Sequence[str]
) -> None:
    assert run(["plan", "pictures", *options]) == 0
    assert set(lines) <= set(capsys.readouterr().out.splitlines())


def test_failures_in_the_sample_are_named(known: list[Result], capsys: pytest.CaptureFixture[str]) -> None:
    known.append(Result("a.png", "failed", "is no picture"))
    assert run(["plan", "pictures"]) == 1
    assert capsys.readouterr().err == "anonymize: failed: a.png: is no picture\n"


@pytest.mark.parametrize("address", ["ftp://host/a", "s3://key:secret@bucket"])
def test_addresses_that_cannot_be_used_are_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", address]) == 2
    assert "secret" not in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", str(tmp_path / "gone")]) == 2
    assert "No such file or directory" in capsys.readouterr().err


@pytest.mark.slow
def test_a_real_folder(folders: Folders, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(3):
        save(folders[0] / f"{index}.png", noise(64, 64, seed=index))
    assert run(["plan", str(folders[0]), "--sample", "2", "--cores", "1", "--kinds", "face"]) == 0
    assert re.search(r"^pictures  3, 0 of 2 in the sample failed\nsize ", capsys.readouterr().out)
