"""From pixels to coefficients: the native code and the numpy code agree, and so do other encoders, about."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import noise, smooth
from files.samples import SAMPLINGS, coefficients_in, jpeg_file, new_blocks
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer import native
from anonymizer.files import jpeg_transform
from anonymizer.types import Pixels


@pytest.mark.skipif(native.library() is None, reason="installed without a C compiler")
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    sampling=st.sampled_from([*SAMPLINGS, "gray"]),
    quality=st.sampled_from([5, 50, 90, 100]),
    picture=st.sampled_from([smooth, noise]),
)
@settings(max_examples=200, deadline=None)
def test_same_transform_as_by_numpy(
    height: int, width: int, sampling: str, quality: int, picture: Callable[[int, int], Pixels]
) -> None:
    pixels = picture(height, width)[:, :, : 1 if sampling == "gray" else 3]
    content = jpeg_file(pixels, sampling, quality)
    changed = np.ones((height, width), bool)
    native_blocks = new_blocks(content, 255 - pixels, changed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jpeg_transform, "library", lambda: None)
        blocks = new_blocks(content, 255 - pixels, changed)
    for one, other in zip(native_blocks, blocks, strict=True):
        assert np.array_equal(one.coefficients, other.coefficients)


def test_transform_is_that_of_other_encoders(tmp_path: Path) -> None:
    """They round samples to 8 bits and work with fewer bits."""
    pixels = smooth(64, 64)
    content = jpeg_file(pixels, "4:4:4", 90)
    anew = new_blocks(content, pixels, np.ones((64, 64), bool))
    for one, theirs in zip(anew, coefficients_in(content, tmp_path), strict=True):
        difference = np.abs(one.coefficients - theirs.reshape(-1, 8, 8))
        assert difference.max() <= 1
        assert difference.mean() < 0.03
