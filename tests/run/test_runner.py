"""A run does what is missing, and nothing else."""

import os
import shutil
from pathlib import Path

import pytest
from fakes import CrashingDetector, FixedDetector, Folders, UseDetectors, noise, save
from run.reruns import redone

from anonymizer import anonymize_folder
from anonymizer.detect.description import ModelDescription
from anonymizer.errors import SettingsError
from anonymizer.pipeline import PictureProcess
from anonymizer.run.plan import make_plan
from anonymizer.run.runner import run
from anonymizer.settings import DetectSettings, RunSettings, Settings, Shard
from anonymizer.types import Job, Result


def test_nothing_is_left_to_do(done: Folders) -> None:
    before = {path: path.stat().st_mtime_ns for path in done[1].glob("*.png")}
    report = anonymize_folder(*done)
    assert report.totals.unchanged == 3
    assert report.detections() == {"face": 3, "plate": 0}
    assert [result.file for result in report.results] == ["0.png", "1.png", "2.png"]
    assert before == {path: path.stat().st_mtime_ns for path in done[1].glob("*.png")}


def test_new_and_changed_pictures(done: Folders) -> None:
    save(done[0] / "1.png", noise(30, 30, seed=7))
    save(done[0] / "sub" / "a.png", noise(30, 30, seed=8))
    assert redone(done) == ["1.png", "sub/a.png"]
    assert redone(done) == []


def test_pictures_that_changed_but_for_their_size(done: Folders) -> None:
    path = done[0] / "1.png"
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert redone(done) == ["1.png"]


@pytest.mark.parametrize("name", ["1.png", "1.json"])
def test_outputs_that_are_gone(done: Folders, name: str) -> None:
    target = done[1] / name
    target.unlink()
    assert redone(done) == ["1.png"]
    assert target.stat().st_size > 20


def test_other_settings(done: Folders) -> None:
    settings = Settings(detect=DetectSettings(face_threshold=0.5))
    assert len(redone(done, settings)) == 3
    assert redone(done, settings) == []


def test_overwrite_does_everything_again(done: Folders) -> None:
    assert len(redone(done, overwrite=True)) == 3


def test_failed_pictures_are_tried_again(done: Folders, use_detectors: UseDetectors) -> None:
    red = noise(30, 30)
    red[0, 0] = (255, 0, 0)
    save(done[0] / "bad.png", red)
    use_detectors(CrashingDetector(RuntimeError("boom")))
    assert redone(done) == ["bad.png"]
    use_detectors(FixedDetector())
    assert redone(done) == ["bad.png"]
    assert redone(done) == []


def test_a_limit_forgets_nothing(done: Folders) -> None:
    report = anonymize_folder(*done, limit=1)
    assert report.totals.statuses == {"anonymized": 1, "skipped": 2}
    assert redone(done) == []


def test_a_twin_changes_the_name_of_the_record(done: Folders) -> None:
    save(done[0] / "1.jpg", noise(30, 30, seed=9))
    assert redone(done) == ["1.jpg", "1.png"]
    assert sorted(path.name for path in done[1].glob("1.*")) == ["1.jpg", "1.jpg.json", "1.png", "1.png.json"]


def test_outputs_without_input_are_listed_and_not_deleted(done: Folders) -> None:
    (done[0] / "1.png").unlink()
    report = anonymize_folder(*done)
    assert report.orphaned == ["1.png"]
    assert (done[1] / "1.png").exists()
    assert anonymize_folder(*done).orphaned == ["1.png"]


def test_a_vanished_input_folder_is_an_error_and_not_an_empty_one(done: Folders) -> None:
    shutil.rmtree(done[0])
    with pytest.raises(SettingsError, match="input folder"):
        anonymize_folder(*done)


def test_an_output_that_was_gone_before_it_was_noted_is_made_again(
    done: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = PictureProcess.__call__

    def lose(self: PictureProcess, job: Job) -> Result:
        result = process(self, job)
        assert isinstance(self.output_root, Path)
        (self.output_root / job.target).unlink()
        return result

    monkeypatch.setattr(PictureProcess, "__call__", lose)
    assert len(redone(done, overwrite=True)) == 3
    monkeypatch.undo()


def test_other_descriptions_of_models_make_other_outputs(done: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    without_paths = ModelDescription.without_paths
    monkeypatch.setattr(ModelDescription, "without_paths", lambda self: {**without_paths(self), "mean": 1.0})
    assert len(redone(done)) == 3


def test_outputs_stay_when_the_input_is_lost_on_the_way(done: Folders) -> None:
    def lose(result: Result) -> None:
        shutil.rmtree(done[0], ignore_errors=True)

    report = anonymize_folder(*done, overwrite=True, on_result=lose)
    assert report.totals.statuses == {"anonymized": 1, "failed": 2}
    assert len(list(done[1].glob("*.png"))) == 3


@pytest.mark.parametrize("name", ["a" * 250 + ".png", "é" * 125 + ".png"])
def test_the_longest_names(done: Folders, name: str) -> None:
    save(done[0] / name, noise(30, 30, seed=9))
    assert redone(done) == [name]
    assert (done[1] / name).exists()


def test_a_folder_under_the_name_of_an_output(done: Folders) -> None:
    (done[1] / "1.png").unlink()
    (done[1] / "1.png" / "below").mkdir(parents=True)
    report = anonymize_folder(*done)
    assert report.totals.statuses == {"anonymized": 2, "failed": 1}


def test_shards_are_disjoint_and_together_everything(folders: Folders, use_detectors: UseDetectors) -> None:
    for index in range(20):
        save(folders[0] / f"{index}.png", noise(30, 30, seed=index))
    use_detectors(FixedDetector())
    seen: list[str] = []
    for number in (1, 2, 3):
        what = RunSettings(input=folders[0], image_output=folders[1], shard=Shard(number, 3))
        report = run(make_plan(what, Settings()))
        seen += [result.file for result in report.results]
        assert (folders[1] / f"anonymize-report-{number}-of-3.json").exists()
    assert sorted(seen) == sorted(f"{index}.png" for index in range(20))
    assert len(list(folders[1].glob("*.png"))) == 20
