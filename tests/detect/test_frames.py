from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import FixedDetector, face, noise, plate, save

from anonymizer.detect.frames import ModelFinder, detect, find_in_frame, spread_to_neighbours
from anonymizer.files.picture import Frame
from anonymizer.files.read import read_picture
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, FrameDetections, Pixels8


class NotingDetector:
    """Finds a face and notes what it was shown."""

    kinds = frozenset(["face"])

    def __init__(self) -> None:
        self.shown: list[Pixels8] = []

    def detect(self, picture: Pixels8) -> list[Detection]:
        self.shown.append(picture)
        return [face(2, 2, 8, 8)]


def test_detections_of_several_detectors_are_merged() -> None:
    detectors = [FixedDetector(face(0, 0, 10, 10, 0.9)), FixedDetector(face(1, 0, 11, 10, 0.8), plate(20, 0, 30, 9))]
    assert [found.score for found in detect(noise(20, 40), detectors)] == [0.9, 0.9]


@pytest.mark.parametrize("channels", [1, 3])
def test_detectors_see_three_channels_of_8_bits(channels: int) -> None:
    detector = NotingDetector()
    detect(noise(20, 40, channels).astype(np.uint16) * 257, [detector])
    (shown,) = detector.shown
    assert shown.shape == (20, 40, 3)
    assert shown.dtype == np.uint8


def test_detectors_see_panoramas_with_a_strip_on_either_side() -> None:
    detector = NotingDetector()
    detect(noise(20, 40), [detector], "equirectangular")
    assert detector.shown[0].shape == (20, 50, 3)


@pytest.mark.parametrize(
    ("alpha", "times"), [(None, 1), (np.full((20, 40), 9, np.uint8), 1), (noise(20, 40, 1)[:, :, 0], 3)]
)
def test_alpha_channels_are_seen_in_front_of_dark_and_bright(alpha: Pixels8 | None, times: int) -> None:
    detector = NotingDetector()
    found = find_in_frame(Frame(noise(20, 40), alpha), [detector], DetectSettings())
    assert len(detector.shown) == times
    assert len(found.detections) == 1
    assert (None if found.in_alpha is None else len(found.in_alpha)) == (None if alpha is None else int(times == 3))


def test_detections_where_nothing_counts_are_only_counted() -> None:
    settings = DetectSettings(exclude_zone="0,0 0.5,0 0.5,1 0,1")
    left, right = face(2, 2, 8, 8), face(30, 2, 38, 8)
    found = find_in_frame(Frame(noise(20, 40), None), [FixedDetector(left, right)], settings)
    assert (list(found.detections), found.not_counted) == ([right], 1)


def test_a_finder_looks_at_each_frame(tmp_path: Path) -> None:
    picture = read_picture(save(tmp_path / "a.png", noise(20, 40)))
    finder = ModelFinder([FixedDetector(face(2, 2, 8, 8)), FixedDetector(kinds=["plate"])], DetectSettings())
    assert finder.kinds == {"face", "plate"}
    assert [list(found.detections) for found in finder.find(picture)] == [[face(2, 2, 8, 8)]]


@pytest.mark.parametrize(("is_animation", "expected"), [(True, [[1], [1, 3], [3], [3]]), (False, [[1], [], [3], []])])
def test_frames_of_animations_get_the_detections_of_their_neighbours(
    is_animation: bool, expected: Sequence[Sequence[int]]
) -> None:
    found = [FrameDetections([face(x, 0, 9, 9)] if x else [], []) for x in (1, 0, 3, 0)]
    spread = spread_to_neighbours(found, is_animation)
    assert [[one.box.x_min for one in frame.detections] for frame in spread] == expected
