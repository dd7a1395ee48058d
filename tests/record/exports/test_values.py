from math import isnan, nan

import pytest

from anonymizer.geometry import Box
from anonymizer.record.exports.values import ExportedPicture, around, around_points, ellipse, number, polygon, turned


def test_inside() -> None:
    picture = ExportedPicture("a.jpg", (40, 30), [])
    assert picture.inside(Box(-5, 2, 50, 33)) == Box(0, 2, 40, 30)
    assert picture.inside(Box(1.5, 2.5, 3.5, 4.5)) == Box(1.5, 2.5, 3.5, 4.5)
    assert picture.inside(Box(-9, -9, 0, 0)) == Box(0, 0, 0, 0)


@pytest.mark.parametrize(("value", "expected"), [(1, 1.0), (2.5, 2.5), ("3", 3.0), (" -4e1 ", -40.0)])
def test_number(value: object, expected: float) -> None:
    assert number(value) == expected


@pytest.mark.parametrize("value", [None, True, "", "x", [], {}, "nan", 10**400])
def test_what_is_not_a_number(value: object) -> None:
    assert isnan(number(value))


def test_turned() -> None:
    assert turned((1, 2, 3, 4), 0, (9, 9)) == (1, 2, 3, 4)
    assert turned((0, 0, 4, 2), 90, (0, 0)) == pytest.approx((-2, 0, 0, 4))  # clockwise as the picture is seen
    assert turned((0, 0, 4, 2), 180, (2, 1)) == pytest.approx((0, 0, 4, 2))
    assert turned((0, 0, 2, 2), 45, (1, 1)) == pytest.approx((1 - 2**0.5, 1 - 2**0.5, 1 + 2**0.5, 1 + 2**0.5))
    assert all(map(isnan, turned((0, 0, 2, 2), nan, (1, 1))))


def test_around_points() -> None:
    assert around_points([(1, 5), (3, 2), (2, 9)]) == (1, 2, 3, 9)
    assert all(map(isnan, around_points([])))
    assert all(map(isnan, around_points([(1, 2), (nan, 3)])))


def test_outlines() -> None:
    assert around(polygon([(1, 2), (3, 2), (2, 9)])) == (1, 2, 3, 9)
    assert around(ellipse((5, 5), (2, 3), 0)) == (3, 2, 7, 8)
    for outline in (polygon([(1, 2), (3, 4)]), polygon([(1, 2), (nan, 2), (2, 9)]), ellipse((5, 5), (0, 3), 0)):
        assert outline is None
        assert all(map(isnan, around(outline)))
