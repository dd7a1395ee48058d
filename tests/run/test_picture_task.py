"""What is done to each picture of a run, and what becomes of one that cannot be finished."""

import pickle
from pathlib import Path

import pytest
from fakes import FixedDetector, Folders, face, load_nothing, load_troublesome, noise, save

from anonymizer.detect.frames import ModelFinder
from anonymizer.errors import ModelError, OutputError
from anonymizer.run.picture_task import PictureTask
from anonymizer.settings import DetectSettings, Settings
from anonymizer.types import Job, Result

JOB = Job(Path("a.png"), Path("a.png"), Path("a.png.json"), (Path("a.json"),))


def load_one(settings: DetectSettings) -> ModelFinder:
    assert settings == DetectSettings(face_threshold=0.4)
    return ModelFinder([FixedDetector(face(5, 5, 15, 15))], settings)


@pytest.fixture
def task(folders: Folders) -> PictureTask:
    save(folders[0] / "a.png", noise(30, 30))
    folders[1].mkdir()
    return PictureTask(*folders, Settings(detect=DetectSettings(face_threshold=0.4)), load_one)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_models_are_loaded_once_and_pictures_are_anonymized(task: PictureTask, folders: Folders) -> None:
    work = task.begin()
    result = work(JOB)
    assert (result.file, result.status, result.counts) == ("a.png", "anonymized", {"face": 1})
    assert names_in(folders[1]) == ["a.png", "a.png.json"]


def test_models_that_cannot_be_loaded_are_told_at_the_beginning(folders: Folders) -> None:
    with pytest.raises(ModelError, match="model net is damaged"):
        PictureTask(*folders, Settings(), load_nothing).begin()


def test_a_picture_that_is_given_up_has_no_output_not_even_of_an_earlier_run(
    task: PictureTask, folders: Folders
) -> None:
    for name in ("a.png", "a.png.json", "a.json", "b.png"):
        (folders[1] / name).touch()
    assert task.give_up(JOB, "took too long") == Result("a.png", "failed", "took too long")
    assert names_in(folders[1]) == ["b.png"]


def test_an_output_that_cannot_be_removed_is_an_error(
    task: PictureTask, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folders[1] / "a.png").touch()

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OutputError, match="Permission denied"):
        task.give_up(JOB, "took too long")


def test_what_a_killed_process_has_begun_is_swept_and_nothing_else(
    task: PictureTask, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(old: Path, new: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", die)
        patch.setattr(Path, "unlink", lambda path, missing_ok=False: None)  # as if the process were gone
        with pytest.raises(KeyboardInterrupt):
            task.begin()(JOB)
    assert len([name for name in names_in(folders[1]) if name.endswith(".partial")]) == 2
    (folders[1] / "a.png").touch()
    (folders[1] / ".b.partial").touch()
    task.sweep(JOB)
    assert names_in(folders[1]) == [".b.partial", "a.png"]


def test_it_can_be_sent_to_another_process(folders: Folders) -> None:
    task = PictureTask(*folders, Settings(), load_troublesome)
    assert pickle.loads(pickle.dumps(task)) == task
