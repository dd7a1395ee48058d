from pathlib import Path

import cv2
import numpy as np
import pytest

from anonymizer.audit.pictures import found_in, read_pixels
from anonymizer.errors import SettingsError
from anonymizer.files.picture import Picture
from anonymizer.geometry import Box
from anonymizer.types import Detection, FrameDetections, Job

FACE = Detection(Box(y_min=1, x_min=2, y_max=6, x_max=7), 0.9, "face")


class One:
    kinds = frozenset({"face"})

    def find(self, picture: Picture, job: Job | None = None) -> list[FrameDetections]:
        assert picture.frames[0].pixels.shape == (8, 9, 3)
        return [FrameDetections([FACE])]


def test_a_picture_is_read_as_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((8, 9, 3), (1, 2, 3), np.uint8))
    pixels = read_pixels(tmp_path, "a.png")
    assert pixels.shape == (8, 9, 3)
    assert pixels[0, 0].tolist() == [3, 2, 1]


@pytest.mark.parametrize(("depth", "level"), [(np.uint8, 77), (np.uint16, 77 * 256 + 3)])
def test_faint_gray_pictures_keep_their_tones(depth: type[np.unsignedinteger], level: int, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((8, 9), level, depth))
    assert (read_pixels(tmp_path, "a.png") == 77).all()


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"a\.png"):
        read_pixels(tmp_path, "a.png")


def test_a_finder_is_shown_the_picture() -> None:
    assert list(found_in(np.zeros((8, 9, 3), np.uint8), One())) == [FACE]
