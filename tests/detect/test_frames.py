from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FixedDetector, face, noise, plate, save

from anonymizer.detect.frames import ModelFinder, detect, find_in_frame, spread_to_neighbours
from anonymizer.files.orientation import turn_back
from anonymizer.files.picture import Frame
from anonymizer.files.read import read_picture
from anonymizer.geometry import Box
from anonymizer.outlines import PolygonOutline
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, FrameDetections, Pixels8

SETTINGS = DetectSettings()


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


class UprightDetector:
    """Finds two bars only where the red one is above the green one, and wider to the right of it."""

    kinds = frozenset(["face"])

    def detect(self, picture: Pixels8) -> list[Detection]:
        red, green = (np.argwhere(picture[:, :, channel] > 200) for channel in (0, 1))
        if red[:, 0].max() >= green[:, 0].min() or red[:, 1].max() <= green[:, 1].max():
            return []
        (top, left), (bottom, right) = np.minimum(red.min(0), green.min(0)), np.maximum(red.max(0), green.max(0)) + 1
        return [face(left, top, right, bottom)]


def bars() -> Pixels8:
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[3:6, 12:18, 0] = 255
    picture[6:11, 12:15, 1] = 255
    return picture


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("with_alpha", [False, True])
def test_pictures_in_doubt_are_seen_in_each_way(orientation: int, with_alpha: bool) -> None:
    """What is found in another way lies at its place in the upright picture."""
    shown = turn_back(bars(), orientation)  # the carrier that does not count is right
    alpha = np.full(shown.shape[:2], 255, np.uint8) if with_alpha else None
    found = find_in_frame(Frame(shown, alpha, other_turns=(orientation,)), [UprightDetector()], DetectSettings())
    coloured = np.argwhere(shown.any(axis=2))
    (top, left), (bottom, right) = coloured.min(0), coloured.max(0) + 1
    assert [one.box.xyxy for one in found.detections] == [(left, top, right, bottom)]
    if orientation != 1:
        assert not find_in_frame(Frame(shown), [UprightDetector()], DetectSettings()).detections


def test_pictures_in_doubt_keep_what_is_found_in_the_usual_way() -> None:
    frame = Frame(noise(20, 40), other_turns=(3, 6))
    found = find_in_frame(frame, [FixedDetector(face(2, 2, 8, 8))], DetectSettings())
    assert sorted(one.box.xyxy for one in found.detections) == [(2, 2, 8, 8), (2, 12, 8, 18), (32, 12, 38, 18)]


def test_extents_are_turned_too() -> None:
    detection = replace(face(2, 3, 5, 5), extent=Box(1, 3, 6, 5))
    found = find_in_frame(Frame(np.zeros((20, 40, 3), np.uint8), other_turns=(6,)), [OnceTurned(detection)], SETTINGS)
    (one,) = found.detections
    assert one.box.xyxy == (3, 15, 5, 18)
    assert one.extent == Box(3, 14, 5, 19)


def test_outlines_are_turned_too() -> None:
    detection = Detection.of(PolygonOutline(((2, 3), (5, 3), (5, 8))), "face")
    found = find_in_frame(Frame(np.zeros((20, 40, 3), np.uint8), other_turns=(6,)), [OnceTurned(detection)], SETTINGS)
    assert found.detections == [Detection.of(PolygonOutline(((3, 18), (3, 15), (8, 15))), "face")]


class OnceTurned:
    """Finds this in pictures that are higher than wide."""

    kinds = frozenset(["face"])

    def __init__(self, detection: Detection) -> None:
        self.detection = detection

    def detect(self, picture: Pixels8) -> list[Detection]:
        return [self.detection] if picture.shape[0] > picture.shape[1] else []


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
