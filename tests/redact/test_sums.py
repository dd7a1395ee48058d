import numpy as np
from fakes import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from redact.strategies import PLANES_SIZE, by_numpy, edges, needs_native_code, planes_of

from anonymizer.redact.planes import Integers, Planes
from anonymizer.redact.sums import sum_hidden, sum_visible

HEIGHT, WIDTH = PLANES_SIZE


@needs_native_code
@given(seed=st.integers(0, 99), channels=st.sampled_from([1, 3, 4]), y=edges(HEIGHT), x=edges(WIDTH))
@settings(max_examples=300, deadline=None)
def test_native_code_gives_the_same_sums(seed: int, channels: int, y: Integers, x: Integers) -> None:
    planes, numbers = planes_of(seed, channels), np.array([1, 2], np.int32)
    visible, hidden = sum_visible(planes, y, x), sum_hidden(planes, numbers, y, x)
    with by_numpy():
        assert np.array_equal(visible, sum_visible(planes, y, x))
        assert np.array_equal(hidden, sum_hidden(planes, numbers, y, x))


def test_pixels_count_as_visible_or_as_hidden_for_one_target_or_not_at_all() -> None:
    pixels = noise(1, 4)
    mask, owners = np.array([[0, 0.5, 1, 1]], np.float32), np.array([[0, 1, 1, 2]], np.int32)
    planes, y, x = Planes(pixels, mask, owners), np.array([[0, 1]], np.int32), np.array([[0, 4]], np.int32)
    assert sum_visible(planes, y, x)[0, 0, 0].tolist() == [*pixels[0, 0].tolist(), 1]
    assert sum_hidden(planes, np.array([2], np.int32), y, x)[0, 0, 0].tolist() == [*pixels[0, 3].tolist(), 1]
