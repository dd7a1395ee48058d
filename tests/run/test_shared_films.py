"""One film, worked on by several processes: the same outputs as by one, whatever becomes of these."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import Folders
from video.film_samples import load_killing, load_square, write_film

from anonymizer.pipeline import Finder
from anonymizer.record.report import Report
from anonymizer.run.plan import make_plan
from anonymizer.run.runner import run
from anonymizer.settings import DetectSettings, RunSettings, Settings
from anonymizer.types import Job

SIZE = (96, 64)


def work(folders: Folders, workers: int, load: Callable[[DetectSettings], Finder] = load_square, **more: Any) -> Report:
    settings = RunSettings(input=folders[0], image_output=folders[1] / str(workers), workers=workers)
    return run(make_plan(settings, Settings(detect=DetectSettings(preset="balanced")), load), **more)


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.stem.isdigit()}


@pytest.fixture
def films(folders: Folders) -> Folders:
    write_film(folders[0] / "1.mp4", frames=250, size=SIZE, options={"g": "40", "bf": "2"}, sounds=["aac"])
    return folders


def test_any_number_of_workers_writes_the_same(films: Folders) -> None:
    write_film(films[0] / "2.mkv", "libx265", 160, size=SIZE, options={"x265-params": "keyint=50:log-level=none"})
    write_film(films[0] / "3.mp4", frames=10, size=SIZE)
    told: list[str] = []
    for workers in (0, 1, 3):
        report = work(films, workers, on_beat=lambda job, text: told.append(f"{job.name} {text}"))
        assert report.exit_code == 0
    serial, *others = (outputs(films[1] / str(workers)) for workers in (0, 1, 3))
    assert set(serial) == {"1.mp4", "1.json", "2.mkv", "2.json", "3.mp4", "3.json"}
    assert all(other == serial for other in others)
    assert {text for text in told if "parts" in text} == {
        *(f"1.mp4 {number} of 3 parts" for number in (1, 2, 3)),
        *(f"2.mkv {number} of 2 parts" for number in (1, 2)),
    }


def test_a_process_that_dies_in_a_part_is_made_up_for(
    films: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TROUBLE_MARK", str(tmp_path / "mark"))
    assert work(films, 2, load_killing).exit_code == 0
    assert (tmp_path / "mark").exists()
    assert work(films, 1).exit_code == 0
    assert outputs(films[1] / "2") == outputs(films[1] / "1")


def test_a_film_that_kills_again_and_again_has_failed_by_name(
    films: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TROUBLE_MARK", str(tmp_path / "mark"))
    (tmp_path / "mark").write_text("always")
    report = work(films, 2, load_killing)
    (result,) = report.results
    assert (result.file, result.status) == ("1.mp4", "failed")
    assert result.reason == "ended the process that worked on it, twice (signal 9)"
    assert not outputs(films[1] / "2")
    assert not [path for path in (films[1] / "2").iterdir() if "partial" in path.name]


def test_a_damaged_film_fails_for_the_same_reason(films: Folders) -> None:
    content = bytearray((films[0] / "1.mp4").read_bytes())
    content[len(content) // 3 : len(content) // 3 + 2000] = bytes(2000)
    (films[0] / "1.mp4").write_bytes(content)
    reasons = [next(iter(work(films, workers).results)).reason for workers in (0, 2)]
    assert reasons[0] == reasons[1]
    assert "damaged" in (reasons[0] or "")


def test_a_run_that_was_stopped_among_the_parts_does_the_film_again(films: Folders) -> None:
    told: list[str] = []

    def note(job: Job, text: str) -> None:
        told.append(text)

    report = work(films, 2, is_stopping=lambda: bool(told), on_beat=note)
    assert not report.complete
    assert not outputs(films[1] / "2")
    assert work(films, 2).exit_code == 0
    assert outputs(films[1] / "2").keys() == {"1.mp4", "1.json"}
    assert json.loads((films[1] / "2" / "anonymize-report.json").read_text())["complete"]
