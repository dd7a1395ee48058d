import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.geometry import Box, PixelBox, hull, slices_around

SIDES = st.floats(-1e4, 1e4)


def test_box_measures():
    box = Box(1, 2, 4, 10)
    assert (box.width, box.height, box.longer_side) == (3, 8, 8)


@pytest.mark.parametrize("sides", [(float("nan"), 0, 1, 1), (0, 0, float("inf"), 1), (2, 0, 1, 1), (0, 2, 1, 1)])
def test_impossible_boxes_are_refused(sides):
    with pytest.raises(ValueError, match="Box"):
        Box(*sides)


@pytest.mark.parametrize(
    ("other", "iou"),
    [
        (Box(0, 0, 4, 4), 1),
        (Box(2, 0, 6, 4), 1 / 3),
        (Box(1, 1, 3, 3), 1 / 4),
        (Box(4, 0, 8, 4), 0),
        (Box(9, 9, 10, 10), 0),
        (Box(2, 2, 2, 2), 0),
    ],
)
def test_iou(other, iou):
    assert Box(0, 0, 4, 4).iou(other) == other.iou(Box(0, 0, 4, 4)) == pytest.approx(iou)


def test_boxes_without_an_area_overlap_nothing():
    assert Box(2, 2, 2, 2).iou(Box(2, 2, 2, 2)) == 0


def test_hull():
    assert hull([Box(1, 2, 3, 4), Box(0, 3, 2, 9)]) == Box(0, 2, 3, 9)


def test_rounds_outward():
    assert slices_around(Box(1.2, 3.9, 4.1, 5), (10, 10, 3)) == (slice(3, 5), slice(1, 5))
    assert slices_around(Box(1.2, 3.9, 4.1, 5), (10, 10), around_px=2) == (slice(1, 7), slice(0, 7))


def test_pixels_may_lie_outside_until_they_are_clipped():
    around = PixelBox.around(Box(-3, 2, 4, 6), (10, 10), margin=0.5)
    assert around == PixelBox(0, -7, 8, 8)
    assert around.inside((10, 10)) == PixelBox(0, 0, 8, 8)


@given(x=st.tuples(SIDES, SIDES), y=st.tuples(SIDES, SIDES), height=st.integers(1, 50), width=st.integers(1, 50))
def test_always_some_pixels(x, y, height, width):
    picture = np.zeros((height, width))
    assert picture[slices_around(Box(min(x), min(y), max(x), max(y)), picture.shape)].size
