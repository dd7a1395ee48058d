"""People who may stay visible, from the command line."""

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes import Folders

from anonymizer.cli.main import run

ORIGINALS = Path(__file__).parents[2] / "images" / "originals"


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    folder = tmp_path / "gallery" / "Eileen"
    folder.mkdir(parents=True)
    shutil.copy(ORIGINALS / "astronaut.png", folder)
    return folder.parent


@pytest.fixture
def pictures(folders: Folders) -> Folders:
    """One of the person of the gallery, darker, and one of others."""
    original = cv2.imread(str(ORIGINALS / "astronaut.png"))
    assert original is not None
    cv2.imwrite(str(folders[0] / "eileen.png"), original // 4 * 3)
    shutil.copy(ORIGINALS / "happy_couple.jpg", folders[0] / "couple.jpg")
    return folders


def call(folders: Folders, *options: object) -> int:
    paths = ["--input", str(folders[0]), "--image-output", str(folders[1])]
    return run([*paths, "--preset", "fast", "--kinds", "face", "--workers", "0", *map(str, options)])


def report_of(folder: Path) -> tuple[dict[str, object], dict[str, dict[str, Any]]]:
    report = json.loads((folder / "anonymize-report.json").read_text())
    return report["settings"], {entry["file"]: entry for entry in report["files"]}


def is_changed(folders: Folders, name: str) -> bool:
    before, after = (cv2.imread(str(folder / name)) for folder in folders)
    return not np.array_equal(before, after)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_person_of_the_gallery_stays_visible(pictures: Folders, gallery: Path, tmp_path: Path) -> None:
    assert call(pictures, "--keep-visible", gallery) == 0
    settings, files = report_of(pictures[1])
    assert not is_changed(pictures, "eileen.png")
    assert is_changed(pictures, "couple.jpg")
    (edit,) = files["eileen.png"]["edits"]
    assert edit["reason"].startswith("resembles Eileen of the gallery")
    assert files["eileen.png"]["detections"] == {"face": 0}
    assert files["couple.jpg"]["detections"] == {"face": 2}
    assert str(gallery) not in str(settings)
    assert len(str(settings["keep-visible"])) == 64
    check = ["check", "--against", str(pictures[0]), "--workers", "0", "--json", str(tmp_path / "found.json")]
    assert run([*check, str(pictures[1])]) == 0
    findings = json.loads((tmp_path / "found.json").read_text())["findings"]
    noted = [one["text"] for one in findings if one["file"] == "eileen.png" and one["level"] == "noted"]
    assert any("by choice: resembles Eileen of the gallery" in text for text in noted)


@pytest.mark.slow
def test_records_of_a_run_with_a_gallery_replay_to_the_same_bytes(
    pictures: Folders, gallery: Path, tmp_path: Path
) -> None:
    assert call(pictures, "--keep-visible", gallery) == 0
    again = pictures[0], tmp_path / "again"
    paths = ["--input", str(again[0]), "--image-output", str(again[1])]
    assert run([*paths, "--workers", "0", "--detections", str(pictures[1])]) == 0
    for name in ("eileen.png", "couple.jpg"):
        assert (again[1] / name).read_bytes() == (pictures[1] / name).read_bytes()


@pytest.mark.slow
def test_only_the_people_of_the_gallery_are_hidden(
    pictures: Folders, gallery: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(pictures, "--hide-only", gallery) == 0
    assert "warning: --hide-only leaves every face visible" in capsys.readouterr().err
    assert is_changed(pictures, "eileen.png")
    _, files = report_of(pictures[1])
    shown = files["couple.jpg"]["edits"]
    assert shown
    assert all("resembles nobody of the gallery" in edit["reason"] for edit in shown)


def test_a_gallery_without_a_clear_face_ends_the_run_before_it_begins(
    pictures: Folders, gallery: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(ORIGINALS / "coffee.png", gallery / "Eileen" / "coffee.png")
    assert call(pictures, "--keep-visible", gallery) == 2
    assert "Eileen/coffee.png shows no face" in capsys.readouterr().err
    assert not (pictures[1] / "eileen.png").exists()
    assert call(pictures, "--keep-visible", gallery, "--workers", "1") == 2
    assert "Eileen/coffee.png shows no face" in capsys.readouterr().err
    assert call(pictures, "--keep-visible", gallery / "gone") == 2
    assert call(pictures, "--keep-visible", gallery, "--hide-only", gallery) == 2
    assert "exclude each other" in capsys.readouterr().err


@pytest.mark.slow
def test_the_whole_picture_is_hidden_but_for_the_person_of_the_gallery(pictures: Folders, gallery: Path) -> None:
    assert call(pictures, "--keep-visible", gallery, "--hide-all-but", "--method", "solid") == 0
    _, files = report_of(pictures[1])
    (edit,) = files["eileen.png"]["edits"]
    x_min, y_min, x_max, y_max = edit["keep"]["box"]
    hidden = cv2.imread(str(pictures[1] / "eileen.png"))
    original = cv2.imread(str(pictures[0] / "eileen.png"))
    assert hidden is not None
    assert original is not None
    x, y = int((x_min + x_max) / 2), int((y_min + y_max) / 2)
    assert (hidden[y - 15 : y + 15, x - 15 : x + 15] == original[y - 15 : y + 15, x - 15 : x + 15]).all()
    assert not hidden[:, : int(x_min) - 1].any()
    couple = cv2.imread(str(pictures[1] / "couple.jpg"))
    assert couple is not None
    assert couple.max() < 16
    assert run(["check", "--against", str(pictures[0]), "--workers", "0", str(pictures[1])]) == 0
