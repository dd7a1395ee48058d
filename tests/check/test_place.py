"""Boxes become pixels of the picture, never none."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.check.place import place_of
from anonymizer.types import Box

SIDES = st.floats(-1e4, 1e4)


def test_rounds_outward():
    assert place_of(Box(1.2, 3.9, 4.1, 5), (10, 10, 3)) == (slice(3, 5), slice(1, 5))
    assert place_of(Box(1.2, 3.9, 4.1, 5), (10, 10), around_px=2) == (slice(1, 7), slice(0, 7))


@given(x=st.tuples(SIDES, SIDES), y=st.tuples(SIDES, SIDES), height=st.integers(1, 50), width=st.integers(1, 50))
def test_always_some_pixels(x, y, height, width):
    picture = np.zeros((height, width))
    assert picture[place_of(Box(min(x), min(y), max(x), max(y)), picture.shape)].size
