import numpy as np
import pytest

from anonymizer.audit.likeness import likeness


def test_equal_pictures_are_alike() -> None:
    faces = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3), np.uint8)
    result = likeness(faces, faces)
    assert (result.error, result.psnr_db) == (0, 100)
    assert result.ssim == pytest.approx(1)


def test_the_error_is_a_share_of_the_range() -> None:
    dark, bright = np.zeros((300, 16, 16, 3), np.uint8), np.full((300, 16, 16, 3), 51, np.uint8)
    result = likeness(dark, bright)
    assert result.error == pytest.approx(0.2)
    assert result.psnr_db == pytest.approx(20 * np.log10(5), abs=0.01)
    assert result.ssim < 0.1
