import json
from math import cos, inf, nan, pi, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redact.strategies import shapes_of_people

from anonymizer.geometry import Box
from anonymizer.outlines import (
    Drawn,
    EllipseOutline,
    Outline,
    PolygonOutline,
    RestOutline,
    StrokeOutline,
    from_plain,
    moved,
    numbers_of,
    to_plain,
)

TRIANGLE = PolygonOutline(((1, 2), (9, 4), (3, 10)))


def test_boxes_and_sizes() -> None:
    assert (TRIANGLE.box, TRIANGLE.size_px) == (Box(1, 2, 9, 10), 8)
    assert EllipseOutline((10, 20), (4, 6)).box == Box(6, 14, 14, 26)
    assert EllipseOutline((10, 20), (4, 6)).size_px == 8
    assert StrokeOutline(((3, 4), (10, 4)), 3).box == Box(1.5, 2.5, 11.5, 5.5)
    assert StrokeOutline(((3, 4),), 3).size_px == 3


def test_an_ellipse_is_turned_clockwise() -> None:
    """Its first axis lies along the rows, and turns downward on the right side."""
    quarter = EllipseOutline((10, 20), (6, 4), 90)
    assert quarter.box.xyxy == pytest.approx((6, 14, 14, 26))
    turned = EllipseOutline((0, 0), (10, 1), 30)
    assert turned.shear > 0  # its right end lies further down, where rows have larger numbers
    assert turned.box.x_max == pytest.approx(((10 * cos(pi / 6)) ** 2 + sin(pi / 6) ** 2) ** 0.5)


@given(shapes_of_people())
def test_the_plain_form_is_read_back(outline: Outline) -> None:
    assert from_plain(json.loads(json.dumps(to_plain(outline)))) == outline
    assert hash(outline) == hash(from_plain(to_plain(outline)))


def test_numbers() -> None:
    assert numbers_of(TRIANGLE) == [1, 2, 9, 4, 3, 10]
    assert numbers_of(EllipseOutline((1, 2), (3, 4), 5)) == [1, 2, 3, 4, 5]
    assert numbers_of(StrokeOutline(((1, 2), (4, 5)), 3)) == [3, 1, 2, 4, 5]


@given(st.lists(shapes_of_people(), max_size=3))
def test_the_rest_of_a_picture(kept: list[Drawn]) -> None:
    rest = RestOutline((36, 48), (*kept, Box(1, 2, 3.5, 4)))
    assert from_plain(json.loads(json.dumps(to_plain(rest)))) == rest
    assert (rest.box, rest.size_px) == (Box(0, 0, 48, 36), 36)
    assert rest.rim_px <= 2
    assert RestOutline((36, 48)).rim_px == 0
    assert to_plain(RestOutline((36, 48))) == {"rest": {"height": 36, "width": 48, "kept": []}}
    assert len(numbers_of(rest)) >= 6


def test_plain_forms() -> None:
    assert to_plain(TRIANGLE) == {"polygon": [[1, 2], [9, 4], [3, 10]]}
    assert to_plain(EllipseOutline((1, 2), (3, 4))) == {"ellipse": {"center": [1, 2], "semi_axes": [3, 4]}}
    assert to_plain(EllipseOutline((1, 2), (3, 4), 5)) == {
        "ellipse": {"center": [1, 2], "semi_axes": [3, 4], "degrees": 5}
    }
    assert to_plain(StrokeOutline(((1, 2),), 3)) == {"stroke": {"points": [[1, 2]], "width": 3}}


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        (None, "an outline is one of polygon, ellipse, stroke"),
        ([], "an outline is one of"),
        ({}, "an outline is one of"),
        ({"polygon": [], "ellipse": {}}, "an outline is one of"),
        ({"circle": {}}, "an outline is one of"),
        ({"polygon": [[0, 0], [1, 1]]}, "three or more corners"),
        ({"polygon": [[0, 0], [5, 0], [9, 0]]}, "and an area"),
        ({"polygon": [[0, 0], [nan, 0], [9, 9]]}, "are finite"),
        ({"polygon": [[0, 0], [inf, 0], [9, 9]]}, "are finite"),
        ({"polygon": [[0, 0], [1e12, 0], [9, 9]]}, "below 1e"),
        ({"polygon": [[0, 0, 0], [1, 0], [9, 9]]}, "'polygon' lacks a number"),
        ({"polygon": [[0, "1"], [1, 0], [9, 9]]}, "'polygon' lacks a number"),
        ({"polygon": 5}, "'polygon' lacks a number"),
        ({"ellipse": {"center": [0, 0]}}, "'ellipse' lacks a number"),
        ({"ellipse": [0, 0]}, "'ellipse' lacks a number"),
        ({"ellipse": {"center": [0, 0], "semi_axes": [1, 0]}}, "above 0"),
        ({"ellipse": {"center": [0, 0], "semi_axes": [1, 1], "angle": 3}}, "a key 'angle'"),
        ({"ellipse": {"center": [0, 0], "semi_axes": [1, 1], "degrees": None}}, "'ellipse' lacks a number"),
        ({"stroke": {"points": [], "width": 3}}, "a point or more"),
        ({"stroke": {"points": [[1, 1]], "width": -3}}, "a width above 0"),
        ({"rest": {"height": 0, "width": 5, "kept": []}}, "two whole numbers above 0"),
        ({"rest": {"height": 2.5, "width": 5, "kept": []}}, "two whole numbers above 0"),
        ({"rest": {"height": 2, "width": 5, "kept": [{"box": [0, 0, 1]}]}}, "a box is"),
        ({"rest": {"height": 2, "width": 5, "kept": [{"box": [3, 0, 1, 1]}]}}, "has a negative size"),
        (
            {"rest": {"height": 2, "width": 5, "kept": [{"rest": {"height": 1, "width": 1, "kept": []}}]}},
            "'rest' lacks",
        ),
        ({"rest": {"height": 2, "width": 5}}, "'rest' lacks a number"),
        ({"stroke": {"points": [[1, 1]]}}, "'stroke' lacks a number"),
        ({"stroke": {"points": [[1, 10**400]], "width": 1}}, "'stroke' lacks a number"),
    ],
)
def test_what_is_no_outline_is_refused_with_the_reason(plain: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        from_plain(plain)


@given(shapes_of_people())
def test_the_box_holds_every_defining_point(outline: Outline) -> None:
    box = outline.box
    places = outline.corners if isinstance(outline, PolygonOutline) else ()
    places = outline.points if isinstance(outline, StrokeOutline) else places
    assert all(box.x_min <= x <= box.x_max and box.y_min <= y <= box.y_max for x, y in places)


@pytest.mark.parametrize(
    "outline",
    [
        PolygonOutline(((10.0, 20.0), (30.0, 20.0), (10.0, 40.0))),
        StrokeOutline(((12.0, 22.0), (28.0, 38.0)), 4.0),
        EllipseOutline((20.0, 30.0), (10.0, 10.0)),
    ],
)
def test_outlines_go_along_with_their_box(outline: Drawn) -> None:
    was = Box(10.0, 20.0, 30.0, 40.0)
    assert moved(outline, was, was) == outline
    there = moved(outline, was, Box(110.0, 20.0, 150.0, 60.0))
    assert there.box.xyxy == pytest.approx((110, 20, 150, 60))
    assert moved(outline, was, Box(10.0, 20.0, 20.0, 40.0)).box.height == pytest.approx(20)
