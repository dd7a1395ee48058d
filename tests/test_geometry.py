import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.geometry import Box, PixelBox, Polygon, crosses_itself, hull, polygon_area, share_inside, slices_around

L_SHAPE = ((0, 0), (30, 0), (30, 10), (10, 10), (10, 30), (0, 30))
SIDES = st.floats(-1e4, 1e4)


def test_box_measures() -> None:
    box = Box(1, 2, 4, 10)
    assert (box.width, box.height, box.longer_side) == (3, 8, 8)


@pytest.mark.parametrize("sides", [(float("nan"), 0, 1, 1), (0, 0, float("inf"), 1), (2, 0, 1, 1), (0, 2, 1, 1)])
def test_impossible_boxes_are_refused(sides: tuple[float, float, float, float]) -> None:
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
def test_iou(other: Box, iou: float) -> None:
    assert Box(0, 0, 4, 4).iou(other) == other.iou(Box(0, 0, 4, 4)) == pytest.approx(iou)


def test_boxes_without_an_area_overlap_nothing() -> None:
    assert Box(2, 2, 2, 2).iou(Box(2, 2, 2, 2)) == 0


def test_hull() -> None:
    assert hull([Box(1, 2, 3, 4), Box(0, 3, 2, 9)]) == Box(0, 2, 3, 9)


def test_rounds_outward() -> None:
    assert slices_around(Box(1.2, 3.9, 4.1, 5), (10, 10, 3)) == (slice(3, 5), slice(1, 5))
    assert slices_around(Box(1.2, 3.9, 4.1, 5), (10, 10), around_px=2) == (slice(1, 7), slice(0, 7))


def test_pixels_may_lie_outside_until_they_are_clipped() -> None:
    around = PixelBox.around(Box(-3, 2, 4, 6), (10, 10), margin=0.5)
    assert around == PixelBox(0, -7, 8, 8)
    assert around.inside((10, 10)) == PixelBox(0, 0, 8, 8)


@given(x=st.tuples(SIDES, SIDES), y=st.tuples(SIDES, SIDES), height=st.integers(1, 50), width=st.integers(1, 50))
def test_always_some_pixels(x: tuple[float, float], y: tuple[float, float], height: int, width: int) -> None:
    picture = np.zeros((height, width))
    assert picture[slices_around(Box(min(x), min(y), max(x), max(y)), picture.shape)].size


@pytest.mark.parametrize(
    ("box", "share"),
    [
        (Box(1, 1, 9, 9), 1.0),
        (Box(5, 5, 15, 15), 0.75),
        (Box(10, 10, 30, 30), 0.0),
        (Box(40, 40, 50, 50), 0.0),
        (Box(-10, 0, 10, 10), 0.5),
        (Box(5, 5, 5, 5), 1.0),
        (Box(20, 20, 20, 25), 0.0),
    ],
)
def test_share_of_a_box_in_a_zone_that_is_not_convex(box: Box, share: float) -> None:
    assert share_inside(box, L_SHAPE) == pytest.approx(share)
    assert share_inside(box, L_SHAPE[::-1]) == pytest.approx(share)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=3, max_size=3),
    st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 20)] * 2),
)
def test_share_agrees_with_painting(triangle: Polygon, place: tuple[int, int, int, int]) -> None:
    left, top, width, height = place
    scale = 16
    canvas = np.zeros((61 * scale, 61 * scale), np.uint8)
    cv2.fillPoly(canvas, [np.array(triangle, np.int32) * scale], 1)
    painted = canvas[top * scale : (top + height) * scale, left * scale : (left + width) * scale].mean()
    share = share_inside(Box(left, top, left + width, top + height), triangle)
    assert share == pytest.approx(painted, abs=4 / scale)  # the painter's outline is a pixel wide


def test_polygon_area() -> None:
    assert polygon_area(L_SHAPE) == polygon_area(L_SHAPE[::-1]) == 500
    assert polygon_area([]) == 0


@pytest.mark.parametrize(
    ("polygon", "crosses"),
    [
        (L_SHAPE, False),
        (((0, 0), (4, 4), (4, 0), (0, 4)), True),
        (((0, 0), (4, 0), (4, 4), (2, 0)), True),
        (((0, 0), (4, 0), (0, 4)), False),
    ],
)
def test_sides_that_cross_or_touch(polygon: Polygon, crosses: bool) -> None:
    assert crosses_itself(polygon) is crosses
