"""Marked copies show where the findings are, at the size that was asked for, and leave the picture alone."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import noise, noise16
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.check.annotate import CLOSE_UP_PX, COLOURS, close_up, mark
from anonymizer.check.finding import LEVELS, Finding, Level
from anonymizer.geometry import Box
from anonymizer.types import Pixels

BOX = Box(20, 30, 60, 80)
FACE = Finding("a.png", "face", "not redacted", box=BOX, score=0.5)
GRAY = np.full((100, 120, 3), 128, np.uint8)


def is_colour(pixel: Pixels, level: Level) -> bool:
    return tuple(pixel.tolist()) == COLOURS[level]


@given(height=st.integers(1, 200), width=st.integers(1, 200), longest_px=st.integers(1, 200), labels=st.booleans())
def test_the_longer_side_is_at_most_what_was_asked_for(height: int, width: int, longest_px: int, labels: bool) -> None:
    shown = mark(noise(height, width), [FACE], longest_px, labels)
    assert shown.dtype == np.uint8
    assert max(shown.shape[:2]) == min(longest_px, max(height, width))
    assert min(shown.shape[:2]) >= 1
    assert shown.shape[2] == 3


@pytest.mark.parametrize("level", LEVELS)
def test_the_colour_of_a_box_is_that_of_its_level(level: Level) -> None:
    marked = mark(GRAY, [Finding("a.png", "face", "", level, BOX)], 1000, labels=False)
    assert is_colour(marked[30, 40], level)
    assert is_colour(marked[50, 20], level)
    assert is_colour(marked[80, 60], level)
    assert (marked[40:70, 30:50] == 128).all()


def test_boxes_shrink_with_the_picture() -> None:
    marked = mark(
        np.full((1000, 1200, 3), 128, np.uint8), [Finding("a", "face", "", box=Box(200, 300, 600, 800))], 120, False
    )
    assert marked.shape == (100, 120, 3)
    assert is_colour(marked[50, 20], "finding")


def test_what_has_no_place_in_the_first_frame_is_not_drawn() -> None:
    elsewhere = [Finding("a.png", "gps", "GPS data"), Finding("a.png", "face", "", box=BOX, frame=1)]
    assert (mark(GRAY, elsewhere, 1000, labels=True) == GRAY).all()


def test_labels_add_to_the_box() -> None:
    with_label, without = (mark(GRAY, [FACE], 1000, labels) for labels in (True, False))
    differs = (with_label != without).any(axis=2)
    assert differs.any()
    assert not differs[32:].any()  # above the box


@pytest.mark.parametrize("pixels", [noise(100, 120), noise(100, 120, 1), noise16(100, 120), noise16(100, 120, 1)])
def test_the_picture_itself_stays_as_it_is(pixels: Pixels) -> None:
    before = pixels.copy()
    assert mark(pixels, [FACE], 1000, labels=True).shape == (100, 120, 3)
    assert close_up(pixels, FACE) is not None
    assert (pixels == before).all()


@given(x=st.floats(-500, 500), y=st.floats(-500, 500), width=st.floats(0, 500), height=st.floats(0, 500))
def test_a_close_up_has_one_size_wherever_it_is(x: float, y: float, width: float, height: float) -> None:
    shown = close_up(noise(100, 120), Finding("a.png", "face", "", box=Box(x, y, x + width, y + height)))
    if shown is None:
        x_center, y_center = x + width / 2, y + height / 2
        assert not (0 <= x_center < 120 and 0 <= y_center < 100)
    else:
        assert max(shown.shape[:2]) == CLOSE_UP_PX
        assert shown.shape[2] == 3


def test_a_close_up_shows_the_surroundings_too() -> None:
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels[80:120, 80:120] = 255
    shown = close_up(pixels, Finding("a.png", "face", "", box=Box(80, 80, 120, 120)))
    assert shown is not None
    assert (shown == 255).mean() == pytest.approx(1 / 1.5**2, abs=0.03)
    assert (shown[64, 64] == 255).all()
    assert not shown[0, 0].any()


def test_without_a_place_there_is_nothing_to_come_close_to() -> None:
    assert close_up(GRAY, Finding("a.png", "gps", "GPS data")) is None
    assert close_up(GRAY, Finding("a.png", "face", "", box=Box(5000, 5000, 5040, 5040))) is None


def test_large_pictures_are_shrunk_and_small_ones_stay() -> None:
    assert mark(noise(300, 400), [], 100, labels=False).shape == (75, 100, 3)
    pixels = noise(30, 40)
    assert (mark(pixels, [], 100, labels=False) == pixels).all()
