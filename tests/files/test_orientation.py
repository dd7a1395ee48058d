import cv2
import numpy as np
import pytest
from fakes import noise
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from redact.strategies import shapes_of_people

from anonymizer.files.orientation import (
    orientation_of,
    turn_back,
    turn_between,
    turn_box_back,
    turn_outline_back,
    turn_upright,
)
from anonymizer.geometry import Box, PixelBox
from anonymizer.outlines import Drawn
from anonymizer.redact.touched import touched_pixels


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [1, 3])
def test_turning_back_undoes_turning_upright(orientation: int, channels: int) -> None:
    stored = noise(5, 7, channels)
    upright = turn_upright(stored, orientation)
    assert (turn_back(upright, orientation) == stored).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_is_what_viewers_show(orientation: int) -> None:
    image = Image.fromarray(noise(5, 7))
    exif = image.getexif()
    exif[0x0112] = orientation
    shown = np.asarray(ImageOps.exif_transpose(image))
    assert (turn_upright(np.asarray(image), orientation) == shown).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_orientation_is_told_by_what_it_does(orientation: int) -> None:
    assert orientation_of(lambda picture: turn_upright(picture, orientation)) == orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("other", range(1, 9))
def test_turning_from_one_orientation_to_another(orientation: int, other: int) -> None:
    stored = noise(5, 7)
    turned = turn_upright(turn_upright(stored, orientation), turn_between(orientation, other))
    assert (turned == turn_upright(stored, other)).all()


@given(st.integers(1, 8), st.integers(0, 5), st.integers(0, 8), st.integers(1, 4), st.integers(1, 4))
def test_boxes_are_turned_like_pixels(orientation: int, top: int, left: int, height: int, width: int) -> None:
    picture = np.zeros((9, 12), bool)
    picture[top : top + height, left : left + width] = True
    turned = turn_upright(picture, orientation)
    rows, columns = np.nonzero(turned)
    box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert turn_box_back(box, orientation, (turned.shape[0], turned.shape[1])).xyxy == (
        left,
        top,
        min(12, left + width),
        min(9, top + height),
    )


@given(st.integers(1, 8), shapes_of_people((36, 48)))
def test_outlines_are_turned_like_pixels(orientation: int, outline: Drawn) -> None:
    """What a turned outline touches is what the outline touched, up to the roundings of numbers at its border."""
    upright = touched_pixels(outline, PixelBox(0, 0, 36, 48))
    stored = turn_back(upright, orientation)
    turned = turn_outline_back(outline, orientation, (36, 48))
    touched = touched_pixels(turned, PixelBox(0, 0, stored.shape[0], stored.shape[1]))
    rounded = cv2.dilate(stored.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert (stored & ~touched).sum() <= 2
    assert not (touched & ~rounded).any()
