import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from audit import drawn
from recognise.faces import astronaut

from anonymizer.audit.faces import FaceSet, read_faces, scaled
from anonymizer.errors import SettingsError
from anonymizer.files.picture import Picture
from anonymizer.geometry import Box
from anonymizer.recognise.landmarks import LandmarkFinder
from anonymizer.recognise.models import describe_recogniser
from anonymizer.types import Detection, FrameDetections, Job

FACE = Box(y_min=70, x_min=180, y_max=190, x_max=270)
"""Of the astronaut."""


class Whole:
    """Finds a face where the astronaut has hers, and a smaller one; in dark pictures nothing."""

    kinds = frozenset({"face"})

    def find(self, picture: Picture, job: Job | None = None) -> list[FrameDetections]:
        if picture.frames[0].pixels.mean() < 10:
            return [FrameDetections([])]
        small = Detection(Box(y_min=2, x_min=2, y_max=9, x_max=9), 0.9, "face")
        return [FrameDetections([small, Detection(FACE, 0.8, "face")])]


def read(folder: Path) -> FaceSet:
    return read_faces(folder, Whole(), LandmarkFinder(describe_recogniser().landmarks_path))


def write(path: Path, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels[:, :, ::-1])


def test_the_largest_face_of_each_picture_is_read(tmp_path: Path) -> None:
    write(tmp_path / "eileen" / "1.png", astronaut())
    write(tmp_path / "nobody" / "1.png", np.zeros_like(astronaut()))
    write(tmp_path / "wall" / "1.png", np.full_like(astronaut(), 128))
    told = read(tmp_path)
    (face,) = told.faces
    assert (face.name, face.person, face.box) == ("eileen/1.png", "eileen", FACE)
    assert len(face.found) == 2
    assert told.missed == ["nobody/1.png"]
    assert told.unmarked == ["wall/1.png"]
    assert told.people == ["eileen"]
    for x, y in face.landmarks:
        assert FACE.x_min < x < FACE.x_max
        assert FACE.y_min < y < FACE.y_max
    assert np.abs(face.guessed_landmarks - face.landmarks).max() < 0.3 * FACE.height


def test_a_list_may_say_who_is_where(tmp_path: Path) -> None:
    write(tmp_path / "a.png", astronaut())
    (tmp_path / "identity.json").write_text(json.dumps([{"file": "a.png", "person": "eileen"}]))
    assert read(tmp_path).people == ["eileen"]
    (tmp_path / "identity.json").write_text(json.dumps([{"file": "a.png"}]))
    with pytest.raises(SettingsError, match=r"identity\.json is damaged"):
        read(tmp_path)


def test_a_folder_without_faces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not a folder"):
        read(tmp_path / "none")
    with pytest.raises(SettingsError, match="no picture in which a face is found"):
        read(tmp_path)
    (tmp_path / "torn.png").write_bytes(b"\x89PNG")
    with pytest.raises(SettingsError, match=r"torn\.png"):
        read(tmp_path)


def test_everything_is_scaled_with_the_picture() -> None:
    half = scaled(drawn.face(1), 0.5)
    assert half.pixels.shape == (80, 80, 3)
    assert half.box == Box(y_min=17, x_min=22, y_max=65, x_max=58)
    assert half.found[0].box == half.box
    np.testing.assert_allclose(half.landmarks * 2, drawn.face(1).landmarks)
