"""Marked and enlarged copies of pictures."""

import numpy as np
import pytest
from fakes import noise, noise16

from anonymizer.check.annotate import CLOSE_UP_PX, COLOURS, close_up, mark
from anonymizer.check.finding import LEVELS, Finding, Level
from anonymizer.geometry import Box

BLACK = np.zeros((60, 80, 3), np.uint8)


def finding(box: Box | None, level: Level = "finding", frame: int = 0) -> Finding:
    return Finding("a.png", "face", "not redacted", level, box, 0.5, frame)


@pytest.mark.parametrize("level", LEVELS)
def test_boxes_are_drawn_in_the_colour_of_their_level(level: Level) -> None:
    shown = mark(BLACK, [finding(Box(10, 20, 30, 50), level)], 1000, labels=False)
    assert tuple(shown[20, 20]) == tuple(shown[35, 10]) == COLOURS[level]
    assert not shown[30:40, 15:25].any()
    assert not BLACK.any()  # a copy


def test_labels_are_written_above_the_boxes() -> None:
    box = [finding(Box(10, 30, 30, 50))]
    assert mark(BLACK, box, 1000, labels=True)[:28].any()
    assert not mark(BLACK, box, 1000, labels=False)[:28].any()


def test_findings_without_a_place_or_in_other_frames_are_not_drawn() -> None:
    assert not mark(BLACK, [finding(None), finding(Box(1, 1, 9, 9), frame=1)], 1000, labels=True).any()


def test_large_pictures_are_shrunk_and_small_ones_stay() -> None:
    assert mark(noise(300, 400), [], 100, labels=False).shape == (75, 100, 3)
    pixels = noise(30, 40)
    assert (mark(pixels, [], 100, labels=False) == pixels).all()


def test_gray_and_16_bits_are_shown_as_a_screen_can() -> None:
    assert mark(noise(30, 40, 1), [], 100, labels=False).shape == (30, 40, 3)
    assert mark(noise16(30, 40), [], 100, labels=False).dtype == np.uint8


def test_a_close_up_shows_the_box_and_its_surroundings() -> None:
    pixels = BLACK.copy()
    pixels[20:40, 30:50] = 255
    shown = close_up(pixels, finding(Box(30, 20, 50, 40)))
    assert shown is not None
    assert shown.shape == (CLOSE_UP_PX, CLOSE_UP_PX, 3)
    assert (shown[CLOSE_UP_PX // 2, CLOSE_UP_PX // 2] == 255).all()
    assert not shown[0, 0].any()


def test_there_is_not_always_something_to_enlarge() -> None:
    assert close_up(BLACK, finding(None)) is None
    assert close_up(BLACK, finding(Box(500, 500, 520, 520))) is None
    assert close_up(BLACK, finding(Box(79, 59, 80, 60))) is not None
