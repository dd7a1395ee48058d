from pathlib import Path

import numpy as np
import pytest
from recognise.faces import astronaut, couple

from anonymizer.errors import ModelError
from anonymizer.geometry import Box
from anonymizer.recognise.landmarks import LandmarkFinder
from anonymizer.recognise.models import describe_recogniser

FACE = Box(y_min=53, x_min=175, y_max=181, x_max=275)


@pytest.fixture(scope="module")
def finder() -> LandmarkFinder:
    return LandmarkFinder(describe_recogniser().landmarks_path)


def test_landmarks_lie_in_the_box_left_before_right(finder: LandmarkFinder) -> None:
    face = finder.find(astronaut(), FACE)
    assert face is not None
    x, y = face.landmarks.T
    assert x.min() > FACE.x_min
    assert x.max() < FACE.x_max
    assert x[0] < x[1]
    assert x[3] < x[4]
    assert max(y[:2]) < y[2] < min(y[3:])


def test_landmarks_follow_the_size_of_the_picture(finder: LandmarkFinder) -> None:
    large = np.ascontiguousarray(astronaut().repeat(3, axis=0).repeat(3, axis=1))
    three_times = Box(y_min=159, x_min=525, y_max=543, x_max=825)
    one, other = finder.find(astronaut(), FACE), finder.find(large, three_times)
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(other.landmarks / 3, one.landmarks, atol=3)


def test_no_face_has_no_landmarks(finder: LandmarkFinder) -> None:
    assert finder.find(astronaut(), Box(y_min=350, x_min=20, y_max=450, x_max=120)) is None
    assert finder.find(np.zeros((40, 40, 3), np.uint8), Box(y_min=0, x_min=0, y_max=40, x_max=40)) is None


def test_the_landmarks_are_those_of_the_face_that_is_asked_for(finder: LandmarkFinder) -> None:
    boxes = [Box(y_min=266, x_min=444, y_max=393, x_max=539), Box(y_min=315, x_min=291, y_max=432, x_max=375)]
    found = [finder.find(couple(), box) for box in boxes]
    for box, face in zip(boxes, found, strict=True):
        assert face is not None
        assert face.box.iou(box) > 0.5


def test_all_faces_of_a_picture_are_found(finder: LandmarkFinder) -> None:
    assert len(finder.find_all(couple(), 0.6)) == 2


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx is missing or damaged"):
        LandmarkFinder(tmp_path / "gone.onnx")
