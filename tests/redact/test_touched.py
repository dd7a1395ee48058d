"""The pixels that outlines touch, against a search point by point."""

from itertools import pairwise
from math import hypot

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redact.strategies import SIZE, shapes_of_people

from anonymizer.geometry import Box, PixelBox, Point
from anonymizer.outlines import Drawn, EllipseOutline, Outline, PolygonOutline, RestOutline, StrokeOutline
from anonymizer.redact.touched import touched_pixels

WHOLE = PixelBox(0, 0, *SIZE)


def pixels_of(outline: Outline, area: PixelBox = WHOLE) -> npt.NDArray[np.bool_]:
    return touched_pixels(outline, area)


def holds(outline: Drawn, point: Point) -> bool:
    """Whether a point lies inside, by another way than the code that is tested."""
    x, y = point
    if isinstance(outline, StrokeOutline):
        ends = [*pairwise(outline.points), (outline.points[0], outline.points[0])]
        return any(distance(point, one, other) < outline.width_px / 2 for one, other in ends)
    if isinstance(outline, EllipseOutline):
        angle = np.radians(outline.degrees)
        dx, dy = x - outline.center[0], y - outline.center[1]
        along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
        return bool((along / outline.semi_axes[0]) ** 2 + (across / outline.semi_axes[1]) ** 2 < 1)
    angles = [np.arctan2(cy - y, cx - x) for cx, cy in outline.corners]
    turns = np.diff([*angles, angles[0]])
    return bool(abs(((turns + np.pi) % (2 * np.pi) - np.pi).sum()) > np.pi)


def distance(point: Point, start: Point, end: Point) -> float:
    (x, y), (x0, y0), (x1, y1) = point, start, end
    length = (x1 - x0) ** 2 + (y1 - y0) ** 2
    share = min(1.0, max(0.0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length)) if length else 0.0
    return hypot(x - x0 - share * (x1 - x0), y - y0 - share * (y1 - y0))


PLACES = st.tuples(*(st.floats(0, length, exclude_max=True) for length in SIZE[::-1]))


@given(shapes_of_people(), st.lists(PLACES, max_size=20))
@settings(max_examples=100)
def test_no_point_of_an_outline_lies_in_a_pixel_that_is_not_touched(outline: Drawn, places: list[Point]) -> None:
    touched = pixels_of(outline)
    for x, y in places:
        if holds(outline, (x, y)):
            assert touched[int(y), int(x)]


@given(shapes_of_people())
@settings(max_examples=50)
def test_every_touched_pixel_has_the_outline_in_or_at_it(outline: Drawn) -> None:
    """Half a diagonal lies between the centre of a pixel and its corner; the rest allows for rounding."""
    for row, column in np.argwhere(pixels_of(outline))[::7]:
        centre = column + 0.5, row + 0.5
        assert holds(outline, centre) or distance_to_border(outline, centre) < 0.71 + 0.02


def distance_to_border(outline: Drawn, point: Point) -> float:
    if isinstance(outline, PolygonOutline):
        corners = outline.corners
        return min(distance(point, *ends) for ends in zip(corners, (*corners[1:], corners[0]), strict=True))
    if isinstance(outline, StrokeOutline):
        ends = [*pairwise(outline.points), (outline.points[0], outline.points[0])]
        return abs(min(distance(point, one, other) for one, other in ends) - outline.width_px / 2)
    around, turn = np.linspace(0, 2 * np.pi, 4001), np.radians(outline.degrees)
    along, across = outline.semi_axes[0] * np.cos(around), outline.semi_axes[1] * np.sin(around)
    x = outline.center[0] + along * np.cos(turn) - across * np.sin(turn)
    y = outline.center[1] + along * np.sin(turn) + across * np.cos(turn)
    return float(np.hypot(x - point[0], y - point[1]).min())


@given(shapes_of_people())
def test_nothing_outside_the_box_is_touched(outline: Outline) -> None:
    rows, columns = PixelBox.around(outline.box, SIZE).inside(SIZE).slices
    touched = pixels_of(outline)
    touched[rows, columns] = False
    assert not touched.any()


@given(shapes_of_people(), st.integers(-9, 20), st.integers(-9, 20))
def test_any_area_shows_the_same_pixels(outline: Outline, top: int, left: int) -> None:
    area = PixelBox(top, left, top + 40, left + 60)
    part = area.inside(SIZE)
    whole = pixels_of(outline)[part.slices]
    other = pixels_of(outline, area)[part.top - top : part.bottom - top, part.left - left : part.right - left]
    assert np.array_equal(whole, other)


@given(st.lists(st.integers(0, 40), min_size=4, max_size=4))
def test_a_rectangle_on_the_borders_of_pixels_touches_no_pixel_more(sides: list[int]) -> None:
    left, right = sorted(sides[:2])
    top, bottom = sorted(sides[2:])
    if left == right or top == bottom:
        return
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    for way in (corners, corners[::-1]):
        touched = pixels_of(PolygonOutline(way), PixelBox(0, 0, 50, 50))
        assert touched.sum() == (right - left) * (bottom - top)
        assert touched[top:bottom, left:right].all()


def test_a_circle_on_the_borders_of_pixels_touches_no_row_more() -> None:
    touched = pixels_of(EllipseOutline((20, 20), (5, 5)))
    rows, columns = np.nonzero(touched)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (15, 24, 15, 24)
    assert np.array_equal(touched, pixels_of(StrokeOutline(((20, 20),), 10)))


def test_the_smallest_outlines_hide_a_pixel() -> None:
    assert pixels_of(PolygonOutline(((5.1, 5.1), (5.2, 5.1), (5.1, 5.2)))).sum() == 1
    assert pixels_of(EllipseOutline((5.5, 5.5), (1e-9, 1e-9))).sum() == 1
    assert pixels_of(StrokeOutline(((5.5, 5.5), (5.5, 5.5)), 1e-9)).sum() == 1
    assert pixels_of(PolygonOutline(((2, 2.5), (12, 12.5), (7, 7.5)))).sum() == 20


def test_what_a_polygon_goes_around_belongs_to_it_even_where_it_crosses_itself() -> None:
    star = [(20 + 15 * np.sin(4 * np.pi * k / 5), 18 - 15 * np.cos(4 * np.pi * k / 5)) for k in range(5)]
    touched = pixels_of(PolygonOutline(tuple(star)))
    assert touched[18, 20]
    bow = pixels_of(PolygonOutline(((2, 2), (30, 30), (30, 2), (2, 30))))
    assert bow[16, 4]
    assert bow[16, 28]
    assert not bow[4, 16]


@pytest.mark.parametrize(
    "outline",
    [
        PolygonOutline(((100.5, 40), (300, 90), (250, 350), (200, 120), (20, 300))),
        EllipseOutline((200, 200), (150, 60), 25),
        StrokeOutline(((50, 50), (300, 80), (120, 340)), 31),
    ],
)
def test_it_is_where_opencv_draws_it(outline: Drawn) -> None:
    """The whole outline, and around it what OpenCV's rounding leaves out: a pixel or two."""
    drawn = np.zeros((400, 400), np.uint8)
    if isinstance(outline, PolygonOutline):
        cv2.fillPoly(drawn, [np.array(outline.corners, np.int32)], 1)
    elif isinstance(outline, EllipseOutline):
        x, y = map(int, outline.center)
        cv2.ellipse(drawn, (x, y), (150, 60), outline.degrees, 0, 360, 1, -1)
    else:
        cv2.polylines(drawn, [np.array(outline.points, np.int32)], False, 1, 31)
    touched = pixels_of(outline, PixelBox(0, 0, 400, 400)).astype(np.uint8)
    kernel = np.ones((5, 5), np.uint8)
    assert (cv2.erode(drawn, kernel) <= touched).all()
    assert (touched <= cv2.dilate(drawn, kernel)).all()


@given(st.lists(shapes_of_people(), max_size=3), st.lists(PLACES, max_size=30))
def test_of_the_rest_no_pixel_is_missing(kept: list[Drawn], places: list[Point]) -> None:
    """A pixel that is not touched lies wholly in one of the places."""
    rest = RestOutline(SIZE, tuple(kept))
    touched = pixels_of(rest)
    if not kept:
        assert touched.all()
    for x, y in places:
        if not touched[int(y), int(x)]:
            assert any(holds(place, (x, y)) or distance_to_border(place, (x, y)) < 1e-3 for place in kept)
    around = pixels_of(rest, WHOLE.grown(3, 5))
    assert np.array_equal(around[3:-3, 5:-5], touched)
    around[3:-3, 5:-5] = False
    assert not around.any()


def test_places_that_are_kept_shrink_to_whole_pixels() -> None:
    frame = PixelBox(0, 0, 20, 30)
    box = RestOutline((20, 30), (Box(2.5, 3.0, 10.2, 9.9), Box(15, 3, 17, 5)))
    expected = np.zeros((20, 30), bool)
    expected[3:9, 3:10] = expected[3:5, 15:17] = True
    assert np.array_equal(~pixels_of(box, frame), expected)
    for place, least in (
        (PolygonOutline(((2, 2), (28, 2), (28, 18), (2, 18))), 416),
        (EllipseOutline((15, 10), (12, 8)), 240),
        (StrokeOutline(((6, 10), (24, 10)), 10), 150),
    ):
        visible, touched = ~pixels_of(RestOutline((20, 30), (place,)), frame), pixels_of(place, frame)
        assert (touched | ~visible).all()
        assert visible.sum() >= least
    assert pixels_of(RestOutline((20, 30), (StrokeOutline(((6, 10), (24, 10)), 2),)), frame).all()
