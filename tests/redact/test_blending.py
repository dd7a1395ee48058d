from collections.abc import Callable

import numpy as np
import pytest
from fakes import noise, noise16
from hypothesis import given, settings
from hypothesis import strategies as st
from redact.strategies import PLANES_SIZE, areas, by_numpy, needs_native_code, planes_of

from anonymizer.geometry import PixelBox
from anonymizer.redact.blending import GradientPatch, blend
from anonymizer.redact.planes import Planes
from anonymizer.types import Pixels


@needs_native_code
@given(
    seed=st.integers(0, 99),
    channels=st.sampled_from([1, 3, 4]),
    bounds=areas(),
    core=areas(),
    grid=st.tuples(st.integers(1, 16), st.integers(1, 16)),
)
@settings(max_examples=300, deadline=None)
def test_native_code_blends_the_same_patches(
    seed: int, channels: int, bounds: PixelBox, core: PixelBox, grid: tuple[int, int]
) -> None:
    one, other = planes_of(seed, channels), planes_of(seed, channels)
    random = np.random.default_rng(seed)
    patch = GradientPatch(
        core,
        random.integers(-50, PLANES_SIZE[0] + 50, bounds.height).astype(np.int32),
        np.arange(bounds.left, bounds.right, dtype=np.int32),
        random.integers(0, 256, (grid[0] + 2, grid[1] + 2, channels)).astype(np.int32),
    )
    blend(one, bounds, 1, patch)
    with by_numpy():
        blend(other, bounds, 1, patch)
    assert np.array_equal(one.pixels, other.pixels)


@needs_native_code
def test_native_code_refuses_more_cells_than_it_has_room_for() -> None:
    shown, cells = np.arange(4, dtype=np.int32), np.zeros((19, 3, 3), np.int32)
    with pytest.raises(ValueError, match="19 x 3 cells"):
        blend(planes_of(0), PixelBox(0, 0, 4, 4), 1, GradientPatch(PixelBox(0, 0, 4, 4), shown, shown, cells))


@pytest.mark.parametrize("make", [noise, noise16])
def test_a_patch_of_one_color_has_that_color(make: Callable[[int, int], Pixels]) -> None:
    dtype = make(1, 1).dtype
    maximum = np.iinfo(dtype).max
    shown, cells = np.arange(12, dtype=np.int32), np.full((5, 4, 3), maximum, np.int32)
    assert (GradientPatch(PixelBox(3, 3, 9, 9), shown, shown, cells).to_pixels(dtype) == maximum).all()


def test_pixels_change_by_their_share_and_only_those_of_the_target() -> None:
    pixels = np.full((1, 4, 1), 100, np.uint8)
    mask, owners = np.array([[0, 0.5, 1, 1]], np.float32), np.array([[0, 1, 1, 2]], np.int32)
    blend(Planes(pixels, mask, owners), PixelBox(0, 0, 1, 4), 1, np.full((1, 4, 1), 200, np.uint8))
    assert pixels[0, :, 0].tolist() == [100, 150, 200, 100]
