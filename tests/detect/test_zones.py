import cv2
import numpy as np
import pytest
from fakes import face
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.detect.zones import keep_in_zones, share_inside, to_pixels
from anonymizer.geometry import Box
from anonymizer.settings import DetectSettings

BOTTOM = "0,0.8 1,0.8 1,1 0,1"
L_SHAPE = np.array([(0, 0), (30, 0), (30, 10), (10, 10), (10, 30), (0, 30)], float)


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
def test_share_of_a_box_in_a_zone_that_is_not_convex(box, share):
    assert share_inside(box, L_SHAPE) == pytest.approx(share)
    assert share_inside(box, L_SHAPE[::-1]) == pytest.approx(share)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=3, max_size=3),
    st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 20)] * 2),
)
def test_share_agrees_with_painting(triangle, place):
    left, top, width, height = place
    scale = 16
    canvas = np.zeros((61 * scale, 61 * scale), np.uint8)
    cv2.fillPoly(canvas, [np.array(triangle, np.int32) * scale], 1)
    painted = canvas[top * scale : (top + height) * scale, left * scale : (left + width) * scale].mean()
    share = share_inside(Box(left, top, left + width, top + height), np.array(triangle, float))
    assert share == pytest.approx(painted, abs=4 / scale)  # the painter's outline is a pixel wide


def test_only_what_lies_wholly_in_an_excluded_zone_is_left_out():
    settings = DetectSettings(exclude_zone=BOTTOM)
    inside, across, above = face(10, 85, 20, 95), face(10, 75, 20, 95), face(10, 10, 20, 20)
    assert keep_in_zones([inside, across, above], (100, 200), settings) == [across, above]


def test_whatever_touches_an_included_zone_counts():
    settings = DetectSettings(include_zone=BOTTOM)
    inside, across, above = face(10, 85, 20, 95), face(10, 75, 20, 95), face(10, 10, 20, 20)
    assert keep_in_zones([inside, across, above], (100, 200), settings) == [inside, across]


def test_without_zones_everything_counts():
    assert keep_in_zones([face(0, 0, 1, 1)], (10, 10), DetectSettings()) == [face(0, 0, 1, 1)]


def test_fractions_and_pixels():
    fractions, pixels = DetectSettings(exclude_zone=f"{BOTTOM}; 0,0 200,0 0,100").exclude_zone
    assert to_pixels(fractions, (100, 200)).tolist() == [[0, 80], [200, 80], [200, 100], [0, 100]]
    assert to_pixels(pixels, (100, 200)).tolist() == [[0, 0], [200, 0], [0, 100]]
