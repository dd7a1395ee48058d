"""Real worker processes that crash, hang and die: none takes down the run, and nothing is lost."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import fakes
import pytest
from fakes import ENDS_THE_WAIT, HANGS, KILLS, KILLS_ONCE, WAITS, Folders, marked, noise, save

from anonymizer.errors import AnonymizerError, ModelError
from anonymizer.pipeline import Finder
from anonymizer.record.report import Report
from anonymizer.run.plan import make_plan
from anonymizer.run.runner import run
from anonymizer.settings import DetectSettings, RunSettings, Settings
from anonymizer.types import Result

Work: TypeAlias = Callable[..., Report]


@pytest.fixture
def work(folders: Folders, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Work:
    """work(**settings) runs over the folders with the detector that makes trouble, in two processes."""
    monkeypatch.setenv("TROUBLE_MARK", str(tmp_path / "mark"))

    def work(
        load: Callable[[DetectSettings], Finder] = fakes.load_troublesome,
        is_stopping: Callable[[], bool] = lambda: False,
        on_result: Callable[[Result], None] = lambda result: None,
        **settings: Any,
    ) -> Report:
        what = RunSettings(input=folders[0], image_output=folders[1], **{"workers": 2, **settings})
        return run(make_plan(what, Settings(), load), on_result, is_stopping)

    return work


def outcomes(report: Report) -> dict[str, tuple[str, str | None]]:
    return {result.file: (result.status, result.reason) for result in report.results}


def fill(source: Path, number: int) -> None:
    for index in range(number):
        save(source / f"{index}.png", noise(30, 30, seed=index))


def test_results_come_in_the_order_of_the_listing(work: Work, folders: Folders) -> None:
    save(folders[0] / "0.png", marked(WAITS))
    for index in (1, 2):
        save(folders[0] / f"{index}.png", noise(30, 30, seed=index))
    save(folders[0] / "3.png", marked(ENDS_THE_WAIT))
    seen: list[str] = []
    report = work(on_result=lambda result: seen.append(result.file))
    assert seen[0] != "0.png"
    assert [result.file for result in report.results] == ["0.png", "1.png", "2.png", "3.png"]
    assert report.exit_code == 0
    assert report.workers == 2


def test_a_worker_that_dies_is_replaced_and_its_picture_has_failed_after_a_second_try(
    work: Work, folders: Folders, tmp_path: Path
) -> None:
    fill(folders[0], 6)
    save(folders[0] / "2.png", marked(KILLS))
    report = work()
    assert outcomes(report).pop("2.png") == ("failed", "ended the process that worked on it, twice (signal 9)")
    assert report.totals.statuses == {"anonymized": 5, "failed": 1}
    assert not (folders[1] / "2.png").exists()
    assert report.complete


def test_bad_luck_is_made_up_for(work: Work, folders: Folders) -> None:
    fill(folders[0], 3)
    save(folders[0] / "1.png", marked(KILLS_ONCE))
    report = work()
    assert report.exit_code == 0
    assert (folders[1] / "1.png").exists()


@pytest.mark.slow
def test_an_older_output_of_a_picture_that_kills_its_worker_does_not_stay(work: Work, folders: Folders) -> None:
    save(folders[0] / "0.png", marked(KILLS_ONCE))
    work()
    assert (folders[1] / "0.png").exists()
    save(folders[0] / "0.png", marked(KILLS, seed=1))
    assert work().exit_code == 1
    assert sorted(path.name for path in folders[1].iterdir()) == ["anonymize-manifest.sqlite", "anonymize-report.json"]


@pytest.mark.slow
def test_a_hang_is_ended_by_the_timeout(work: Work, folders: Folders) -> None:
    fill(folders[0], 4)
    save(folders[0] / "1.png", marked(HANGS))
    report = work(timeout=8)
    assert outcomes(report)["1.png"] == ("failed", "took longer than --timeout 8 seconds")
    assert report.totals.statuses == {"anonymized": 3, "failed": 1}


@pytest.mark.slow
def test_a_hang_is_ended_whatever_the_worker_did_before(work: Work, folders: Folders) -> None:
    fill(folders[0], 4)
    save(folders[0] / "2.png", marked(HANGS))
    assert work(timeout=8, workers=1).totals.statuses == {"anonymized": 3, "failed": 1}


def test_models_that_cannot_be_loaded_leave_no_trace(work: Work, folders: Folders) -> None:
    fill(folders[0], 1)
    with pytest.raises(ModelError, match="model net is damaged"):
        work(fakes.load_nothing)
    assert not folders[1].exists()


def test_workers_that_die_while_they_start_end_the_run(work: Work, folders: Folders) -> None:
    fill(folders[0], 1)
    with pytest.raises(AnonymizerError, match="worker processes end while they load the models \\(signal 9\\)"):
        work(fakes.load_to_death)


@pytest.mark.slow
def test_a_run_that_is_to_stop_finishes_what_is_in_hand(work: Work, folders: Folders) -> None:
    fill(folders[0], 20)
    seen: list[Result] = []
    report = work(is_stopping=lambda: len(seen) >= 3, on_result=seen.append)
    assert not report.complete
    assert 3 <= len(seen) <= 5
    assert len(list(folders[1].glob("*.png"))) == len(seen)
    assert json.loads((folders[1] / "anonymize-report.json").read_text())["complete"] is False
    assert work().totals.unchanged == len(seen)


@pytest.mark.slow
def test_a_run_that_is_to_stop_does_not_wait_for_ever(
    work: Work, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anonymizer.run.pool.GRACE_S", 0.5)
    fill(folders[0], 1)
    save(folders[0] / "1.png", marked(HANGS))
    seen: list[Result] = []
    begin = time.monotonic()
    report = work(is_stopping=lambda: len(seen) >= 1, on_result=seen.append)
    assert time.monotonic() - begin < 300  # the picture would take an hour
    assert not report.complete
    assert [result.file for result in report.results] == ["0.png"]


def test_no_process_stays_behind(work: Work, folders: Folders) -> None:
    fill(folders[0], 3)
    work()
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if children.exists():
        commands = [Path(f"/proc/{child}/cmdline").read_text() for child in children.read_text().split()]
        assert not [command for command in commands if "anonymizer.run.worker" in command]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_any_number_of_workers_writes_the_same(work: Work, folders: Folders, workers: int) -> None:
    fill(folders[0], 5)
    work(workers=workers)
    outputs = {path.name: path.read_bytes() for path in folders[1].iterdir() if path.stem.isdigit()}
    work(workers=2, overwrite=True)
    assert outputs == {path.name: path.read_bytes() for path in folders[1].iterdir() if path.stem.isdigit()}
    assert len(outputs) == 10
