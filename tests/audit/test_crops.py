import math

import cv2
import numpy as np
from audit import drawn
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.audit.crops import SHARE_OF_SIDE, cut, surroundings
from anonymizer.recognise.align import SIDE, TEMPLATE, align


def test_a_face_lies_where_recognisers_want_it() -> None:
    one = drawn.face(1)
    np.testing.assert_array_equal(cut(one.pixels, one.landmarks), align(one.pixels, one.landmarks))


@settings(deadline=None)
@given(scale=st.floats(0.3, 12), side=st.sampled_from([32, 64, 112]))
def test_the_eyes_lie_at_the_same_place_whatever_the_size(scale: float, side: int) -> None:
    marks = (TEMPLATE - SIDE / 2) * scale + 700
    pixels = np.zeros((1400, 1400, 3), np.uint8)
    for x, y in marks[:2]:
        around = max(1, math.ceil(6 * scale))
        pixels[round(y) - around : round(y) + around, round(x) - around : round(x) + around] = 255
    crop = cut(pixels, marks, side)
    for x, y in TEMPLATE[:2] * side / SIDE:
        assert crop[round(y), round(x)].mean() > 128
    assert crop[-4:].max() == 0


def test_hair_and_neck_are_shown_with_a_head() -> None:
    one = drawn.face(1)
    small, large = (cut(one.pixels, one.landmarks, 64, area) for area in ("face", "head"))
    inner = cut(one.pixels, one.landmarks, round(64 * SHARE_OF_SIDE["head"]), "face")
    margin = (64 - inner.shape[0]) // 2
    middle = large[margin : margin + inner.shape[0], margin : margin + inner.shape[1]].astype(int)
    assert np.abs(middle - inner).mean() < 12
    assert np.abs(large.astype(int) - small).mean() > 24


def test_a_picture_goes_on_beyond_its_border() -> None:
    pixels = np.full((20, 20, 3), 90, np.uint8)
    assert (cut(pixels, TEMPLATE, area="head") == 90).all()


@settings(deadline=None)
@given(scale=st.floats(0.1, 3), x=st.floats(20, 140), y=st.floats(20, 140))
def test_the_surroundings_do_not_depend_on_the_head(scale: float, x: float, y: float) -> None:
    """Whatever the cut of the head shows is not in them, nor beyond the borders of the picture."""
    marks = (TEMPLATE - SIDE / 2) * scale + (x, y)
    pixels = np.asarray(cv2.resize(drawn.face(1).pixels, (160, 160)), np.uint8)
    reach = SIDE * scale / SHARE_OF_SIDE["head"] / 2
    (left, right), (top, bottom) = (sorted(np.clip((at - reach + 1, at + reach - 1), 0, 160).round()) for at in (x, y))
    changed = pixels.copy()
    changed[int(top) : int(bottom), int(left) : int(right)] = 7
    np.testing.assert_array_equal(surroundings(pixels, marks), surroundings(changed, marks))


def test_the_surroundings_show_what_is_around_the_head() -> None:
    marks = (TEMPLATE - SIDE / 2) * 0.3 + 80
    pixels = np.full((160, 160, 3), 30, np.uint8)
    around = surroundings(pixels, marks)
    assert (around[:20] == 30).all()
    assert (around[50:62, 50:62] == 128).all()
