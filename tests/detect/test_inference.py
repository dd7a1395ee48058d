"""One contract for the loaders of all formats, on tiny real models."""

import dataclasses
import shutil
from pathlib import Path

import pytest
from tiny_models import SAVERS, describe, detector_in, find_not_a_number, picture_with, without_scores

from anonymizer.detect.catalogue import find_models
from anonymizer.detect.load import load_detectors
from anonymizer.errors import ModelError, PictureError
from anonymizer.settings import DetectSettings

DESCRIPTION = """
file: {file}
labels: {{1: left, 2: right}}
kinds: {{face: [left], plate: [right, other]}}
thresholds: {{face: 0.4, plate: 0.6}}
"""


@pytest.fixture(scope="session", params=SAVERS)
def model_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a described model in one of the formats."""
    folder = tmp_path_factory.mktemp("weights")
    SAVERS[request.param](folder / request.param)
    (folder / "model.yaml").write_text(DESCRIPTION.format(file=request.param))
    return folder


def test_boxes_scores_and_kinds(model_folder: Path) -> None:
    detector = detector_in(model_folder)
    assert detector.kinds == {"face", "plate"}
    found = detector.detect(picture_with((3, 5, 20, 30), (40, 7, 60, 17)))
    assert [(detection.kind, detection.score) for detection in found] == [("face", 1.0), ("plate", 1.0)]
    for detection, box in zip(found, [(3, 5, 20, 30), (40, 7, 60, 17)], strict=True):
        assert dataclasses.astuple(detection.box) == pytest.approx(box, abs=1e-4)


def test_pictures_of_different_sizes_one_after_the_other(model_folder: Path) -> None:
    pictures = [
        picture_with((1, 1, 9, 9)),
        picture_with(height=7, width=5),
        picture_with((0, 0, 30, 100), height=100, width=77),
    ]
    detector = detector_in(model_folder, kinds="face")
    found = [detector.detect(picture) for picture in pictures]
    assert [len(of_one) for of_one in found] == [1, 0, 1]
    assert dataclasses.astuple(found[2][0].box) == pytest.approx((0, 0, 30, 100), abs=1e-4)


def test_only_wanted_kinds_are_reported(model_folder: Path) -> None:
    detector = detector_in(model_folder, kinds="plate")
    assert detector.kinds == {"plate"}
    found = detector.detect(picture_with((3, 5, 20, 30), (40, 7, 60, 17)))
    assert [detection.kind for detection in found] == ["plate"]


def test_thresholds_of_the_model_and_of_the_user(model_folder: Path) -> None:
    half_bright = picture_with((2, 2, 12, 7), (2, 7, 7, 12), (40, 2, 50, 7), (40, 7, 45, 12))  # 75 of 100 pixels
    half_bright[7:9, 2:7] = half_bright[7:9, 40:45] = 0  # 65
    half_bright[2:4, 4:9] = half_bright[2:4, 42:47] = 0  # 55

    def kinds(**thresholds: float) -> list[str]:
        return [found.kind for found in detector_in(model_folder, **thresholds).detect(half_bright)]

    assert kinds() == ["face"]
    assert kinds(plate_threshold=0.55, face_threshold=0.56) == ["plate"]
    assert kinds(plate_threshold=0.1) == ["face", "plate"]


def test_without_a_description_the_name_says_the_kind(model_folder: Path, tmp_path: Path) -> None:
    (model,) = find_models(model_folder)
    renamed = tmp_path / f"weights_plate_v1.0.0{model.path.suffix}"
    (shutil.copytree if model.path.is_dir() else shutil.copy)(model.path, renamed)
    found = detector_in(tmp_path).detect(picture_with((3, 5, 20, 30), (40, 7, 60, 17)))
    assert [detection.kind for detection in found] == ["plate", "plate"]


def test_wrong_checksum(model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "model.yaml").open("a") as file:
        file.write(f"sha256: '{'0' * 64}'\n")
    with pytest.raises(ModelError, match=r"has SHA-256 [0-9a-f]{64}, its model.yaml says 0{64}") as caught:
        load_detectors(DetectSettings(weights=tmp_path))
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("file", SAVERS)
@pytest.mark.parametrize("content", [b"", b"this is a text file", b"\x08\x01" * 500])
def test_files_that_are_not_models(tmp_path: Path, file: str, content: bytes) -> None:
    path = tmp_path / file
    if not path.suffix:
        path.mkdir()
        path = path / "saved_model.pb"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"is damaged, or no|not a detection model"):
        load_detectors(DetectSettings(weights=describe(tmp_path, file)))


@pytest.mark.parametrize("file", SAVERS)
def test_truncated_models(tmp_path: Path, file: str) -> None:
    path = SAVERS[file](tmp_path / file)
    path = path / "saved_model.pb" if path.is_dir() else path
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(ModelError, match="is damaged, or no"):
        load_detectors(DetectSettings(weights=describe(tmp_path, file)))


@pytest.mark.parametrize("file", SAVERS)
def test_models_without_the_outputs(tmp_path: Path, file: str) -> None:
    SAVERS[file](tmp_path / file, without_scores)
    with pytest.raises(ModelError, match=r"not a detection model: of the outputs .* it lacks detection_scores"):
        load_detectors(DetectSettings(weights=describe(tmp_path, file)))


@pytest.mark.parametrize("file", SAVERS)
def test_answers_that_are_not_numbers_are_errors(tmp_path: Path, file: str) -> None:
    SAVERS[file](tmp_path / file, find_not_a_number)
    detector = detector_in(describe(tmp_path, file))
    with pytest.raises(PictureError, match="no numbers"):
        detector.detect(picture_with((3, 5, 20, 30), (40, 7, 60, 17)))
