import numpy as np
import pytest
from fakes import noise
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from anonymizer.detect import tones
from anonymizer.detect.tones import to_8_bits, to_rgb_8_bits
from anonymizer.types import Pixels


def test_usual_pictures_of_8_bits_stay_as_they_are() -> None:
    pixels = noise(40, 60)
    assert to_8_bits(pixels) is pixels


@pytest.mark.parametrize("offset", [0, 190])
def test_dark_and_pale_pictures_are_spread_out(offset: int) -> None:
    pixels = noise(40, 60) // 8 + np.uint8(offset)
    shown = to_8_bits(pixels)
    assert (shown.min(), shown.max()) == (0, 255)
    order = np.argsort(pixels.ravel(), kind="stable")
    assert (np.diff(shown.ravel()[order].astype(int)) >= 0).all()  # no tone overtakes another


def test_pictures_of_one_tone_stay_as_they_are() -> None:
    assert (to_8_bits(np.full((9, 9, 3), 7, np.uint8)) == 7).all()


def test_16_bits_fill_the_range_but_for_a_few_highlights() -> None:
    pixels = np.linspace(1000, 3000, 200 * 200).astype(np.uint16).reshape(200, 200, 1)
    pixels[0, 0] = 65535
    shown = to_8_bits(pixels)
    assert shown.dtype == np.uint8
    assert (shown.min(), shown.max()) == (0, 255)
    assert shown.mean() == pytest.approx(127, abs=2)


def test_gray_pictures_get_three_equal_channels() -> None:
    gray = noise(9, 9, 1)
    assert (to_rgb_8_bits(gray) == gray).all()
    assert to_rgb_8_bits(gray).shape == (9, 9, 3)


@given(
    st.sampled_from([np.uint8, np.uint16]).flatmap(
        lambda dtype: arrays.arrays(dtype, st.tuples(*[st.integers(1, 40)] * 2))
    ),
    st.sampled_from([0, tones._EXACT]),
)
def test_percentiles(values: Pixels, exact: int) -> None:
    """Counted in either way, they are those of numpy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tones, "_EXACT", exact)
        found = tones._percentiles(values, (0.1, 50, 99.9))
    assert found == pytest.approx(np.percentile(values, (0.1, 50, 99.9)).tolist(), abs=1e-9)
