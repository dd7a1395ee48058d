import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anonymizer.audit.change import change, hidden_and_outside
from anonymizer.types import Pixels8


def noise() -> Pixels8:
    return np.random.default_rng(0).integers(0, 200, (120, 160, 3), np.uint8)


def hide(pixels: Pixels8, top: int, left: int, side: int) -> Pixels8:
    result: Pixels8 = pixels.copy()
    result[top : top + side, left : left + side] = 255
    return result


def test_nothing_costs_nothing() -> None:
    same = change(noise(), noise())
    assert (same.hidden, same.changed_outside, same.largest_outside) == (0, 0, 0)
    assert same.edges_outside == 1
    assert same.colours == pytest.approx(1)


@settings(deadline=None, max_examples=25)
@given(top=st.integers(0, 60), left=st.integers(0, 100), side=st.integers(8, 50))
@example(top=0, left=2, side=8)
@example(top=1, left=1, side=8)
def test_what_is_hidden_is_no_change_outside(top: int, left: int, side: int) -> None:
    result = change(noise(), hide(noise(), top, left, side))
    assert result.changed_outside == 0
    assert result.edges_outside == pytest.approx(1)
    assert result.hidden == pytest.approx(side**2 / (120 * 160), rel=0.2)


def test_encoding_anew_changes_what_is_outside() -> None:
    smooth = np.asarray(cv2.GaussianBlur(noise(), (0, 0), 3), np.uint8)
    done, encoded = cv2.imencode(".jpg", hide(smooth, 10, 10, 30), [cv2.IMWRITE_JPEG_QUALITY, 80])
    assert done
    result = change(smooth, np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8))
    assert result.changed_outside > 0.5
    assert result.largest_outside > 1


def test_what_may_be_hidden_can_be_known() -> None:
    allowed = np.zeros((120, 160), bool)
    allowed[10:40, 10:40] = True
    dark = np.zeros((120, 160, 3), np.uint8)
    redacted = dark.copy()
    redacted[10:40, 10:40] = 6  # too little to be seen as something hidden
    assert change(dark, redacted).changed_outside > 0
    assert change(dark, redacted, allowed).changed_outside == 0
    hidden, outside = hidden_and_outside(noise(), hide(noise(), 5, 5, 40), allowed)
    assert hidden.sum() <= 900
    assert (outside == ~allowed).all()


def test_colours_that_go_are_told() -> None:
    halved = hide(noise(), 0, 0, 120)
    assert change(noise(), halved).colours == pytest.approx(0.25, abs=0.05)
