from typing import Any

import numpy as np
import pytest
from fakes import face, noise, scene_of
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.geometry import Box, PixelBox
from anonymizer.redact.kernel import is_weak, kernel_weights, paint, sigma_px
from anonymizer.settings import Kernel, RedactSettings
from anonymizer.types import Detection, Pixels

DEFAULT = Kernel(21, 2, 9)


@given(st.integers(0, 40).map(lambda n: 2 * n + 1), st.floats(0.1, 8))
def test_weights_are_a_symmetric_average(size: int, sigma: float) -> None:
    weights = kernel_weights(Kernel(size, sigma, 9))
    assert len(weights) == size
    assert weights.sum() == pytest.approx(1)
    assert weights == pytest.approx(weights[::-1], abs=1e-9)
    assert (weights > 0).all()


def test_standard_deviation_of_the_classic_default() -> None:
    assert sigma_px(DEFAULT) == pytest.approx(5.2, abs=0.01)


def test_higher_sigma_is_sharper_and_larger_kernels_are_stronger() -> None:
    assert sigma_px(Kernel(21, 4, 9)) < sigma_px(DEFAULT) < sigma_px(Kernel(65, 2, 9))


def test_the_classic_default_is_weak_for_large_faces_only() -> None:
    assert is_weak(DEFAULT, Box(0, 0, 200, 300))
    assert not is_weak(DEFAULT, Box(0, 0, 20, 30))


def painted(pixels: Pixels, found: Detection, kernel: Kernel, **settings: Any) -> tuple[Pixels, PixelBox]:
    chosen = RedactSettings(obfuscation_kernel=kernel, shape="box", **settings)
    scene, (target,) = scene_of(pixels, [found], chosen)
    return paint(scene, target), target.region.bounds


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]))
def test_blur_equals_the_blur_of_the_whole_picture(height: int, width: int, channels: int) -> None:
    """Only the surroundings of a region are computed; that must not show."""
    pixels, kernel = noise(60, 60, channels), Kernel(9, 2, 5)
    here, bounds = painted(pixels, face(5, 5, 5 + width, 5 + height), kernel, face_margin=0.1)
    everywhere, _ = painted(pixels, face(0, 0, 60, 60), kernel)
    assert (here == everywhere[bounds.slices]).all()


def test_blur_is_the_weighted_mean_of_the_neighbours() -> None:
    pixels = noise(50, 50)
    result, bounds = painted(pixels, face(25, 25, 26, 26), Kernel(21, 2, 1), face_margin=0)
    assert (bounds.height, bounds.width) == (1, 1)
    weights = np.outer(kernel_weights(DEFAULT), kernel_weights(DEFAULT))
    expected = (pixels[15:36, 15:36] * weights[:, :, np.newaxis]).sum(axis=(0, 1))
    assert result[0, 0] == pytest.approx(expected, abs=1)
