import numpy as np
import pytest
from fakes import noise, noise16
from redact.strategies import needs_native_code, planes_of

from anonymizer.geometry import PixelBox
from anonymizer.redact.planes import Planes
from anonymizer.types import Pixels


def plain(pixels: Pixels) -> Planes:
    size = pixels.shape[:2]
    return Planes(pixels, np.zeros(size, np.float32), np.zeros(size, np.int32))


@needs_native_code
@pytest.mark.parametrize(
    ("pixels", "is_plain"),
    [
        (noise(4, 6), True),
        (noise(4, 6, 1), True),
        (noise16(4, 6), False),
        (noise(4, 6)[:, ::2], False),
        (noise(4, 6, 5), False),
    ],
)
def test_native_code_works_on_contiguous_pixels_of_8_bits(pixels: Pixels, is_plain: bool) -> None:
    assert (plain(pixels).native_library is not None) == is_plain


def test_native_code_never_gets_a_mask_with_gaps() -> None:
    pixels = noise(4, 6)
    with pytest.raises(ValueError, match="contiguous"):
        Planes(pixels, np.zeros((4, 12), np.float32)[:, ::2], np.zeros((4, 6), np.int32)).addresses  # noqa: B018


def test_visible_is_where_nothing_is_replaced() -> None:
    planes, area = planes_of(1), PixelBox(2, 3, 30, 40)
    visible = planes.visible(area)
    assert visible.dtype == np.uint8
    assert np.array_equal(visible == 1, planes.mask[2:30, 3:40] == 0)
