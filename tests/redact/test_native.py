"""The native code does to the last bit what numpy does where there is no compiler."""

from contextlib import contextmanager

import numpy as np
import pytest
from fakes import noise, noise16
from hypothesis import given, settings
from hypothesis import strategies as st
from test_methods import WITH_CELLS, cases

from anonymizer import native
from anonymizer.files.picture import Frame
from anonymizer.geometry import PixelBox
from anonymizer.pipeline import Found, redact_frame
from anonymizer.redact.blending import GradientPatch, blend
from anonymizer.redact.planes import Planes
from anonymizer.redact.shapes import draw_ellipse
from anonymizer.redact.sums import sum_hidden, sum_visible
from anonymizer.settings import METHODS, Settings

needs_native_code = pytest.mark.skipif(native.library() is None, reason="installed without a C compiler")
HEIGHT, WIDTH = 40, 300  # wider than what the native code does at once


@contextmanager
def by_numpy():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "library", lambda: None)
        yield


def planes_of(seed, channels=3):
    """Planes on which some regions lie already, wholly and in part."""
    random = np.random.default_rng(seed)
    mask = random.choice(np.array([0, 0.25, 0.7, 1], np.float32), (HEIGHT, WIDTH))
    owners = np.where(mask > 0, random.integers(1, 3, mask.shape), 0).astype(np.int32)
    owners[:, 20:] = owners[:, 20:21]
    mask[:, 20:] = mask[:, 20:21]
    return Planes(noise(HEIGHT, WIDTH, channels, seed), mask, owners)


@st.composite
def areas(draw):
    top, bottom = sorted(draw(st.lists(st.integers(0, HEIGHT), min_size=2, max_size=2, unique=True)))
    left, right = sorted(draw(st.lists(st.integers(0, WIDTH), min_size=2, max_size=2, unique=True)))
    return PixelBox(top, left, bottom, right)


@st.composite
def outlines(draw):
    """Of shapes that may lie beyond the picture on any side."""
    top, left = draw(st.integers(-60, 80)), draw(st.integers(-220, 500))
    return PixelBox(top, left, top + draw(st.integers(1, 80)), left + draw(st.integers(1, 400)))


@needs_native_code
@given(
    seed=st.integers(0, 99),
    bounds=areas(),
    outline=outlines(),
    edge=st.sampled_from([0, 1, 7, 30, 3 * 10**9]),
)
@settings(max_examples=300, deadline=None)
def test_same_ellipses(seed, bounds, outline, edge):
    one, other = planes_of(seed), planes_of(seed)
    draw_ellipse(one, outline, bounds, edge, 7)
    with by_numpy():
        draw_ellipse(other, outline, bounds, edge, 7)
    assert np.array_equal(one.mask, other.mask)
    assert np.array_equal(one.owners, other.owners)


@st.composite
def edges(draw, length):
    """Of two grids with as many cells, which may be empty."""
    count = draw(st.integers(2, 6))
    grid = st.lists(st.integers(0, length), min_size=count, max_size=count).map(sorted)
    return np.array([draw(grid), draw(grid)], np.int32)


@needs_native_code
@given(seed=st.integers(0, 99), channels=st.sampled_from([1, 3, 4]), y=edges(HEIGHT), x=edges(WIDTH))
@settings(max_examples=300, deadline=None)
def test_same_sums(seed, channels, y, x):
    planes, numbers = planes_of(seed, channels), np.array([1, 2], np.int32)
    visible, hidden = sum_visible(planes, y, x), sum_hidden(planes, numbers, y, x)
    with by_numpy():
        assert np.array_equal(visible, sum_visible(planes, y, x))
        assert np.array_equal(hidden, sum_hidden(planes, numbers, y, x))


@needs_native_code
@given(
    seed=st.integers(0, 99),
    channels=st.sampled_from([1, 3, 4]),
    bounds=areas(),
    core=areas(),
    grid=st.tuples(st.integers(1, 16), st.integers(1, 16)),
)
@settings(max_examples=300, deadline=None)
def test_same_patches(seed, channels, bounds, core, grid):
    one, other = planes_of(seed, channels), planes_of(seed, channels)
    random = np.random.default_rng(seed)
    patch = GradientPatch(
        core,
        random.integers(-50, HEIGHT + 50, bounds.height).astype(np.int32),
        np.arange(bounds.left, bounds.right, dtype=np.int32),
        random.integers(0, 256, (grid[0] + 2, grid[1] + 2, channels)).astype(np.int32),
    )
    blend(one, bounds, 1, patch)
    with by_numpy():
        blend(other, bounds, 1, patch)
    assert np.array_equal(one.pixels, other.pixels)


@needs_native_code
@given(case=cases(METHODS, METHODS))
@settings(max_examples=100, deadline=None)
def test_same_pictures(case):
    pixels, found, chosen = case
    frame, settings = Frame(pixels), Settings(redact=chosen)
    result, changed = redact_frame(frame, Found(found, []), settings)
    with by_numpy():
        expected, where = redact_frame(frame, Found(found, []), settings)
    assert np.array_equal(result.pixels, expected.pixels)
    assert np.array_equal(changed, where)


@pytest.mark.parametrize("make", [noise, noise16])
def test_a_patch_of_one_color_is_that(make):
    maximum = np.iinfo(make(1, 1).dtype).max
    patch = GradientPatch(
        PixelBox(3, 3, 9, 9), *[np.arange(12, dtype=np.int32)] * 2, np.full((5, 4, 3), maximum, np.int32)
    )
    assert (patch.to_pixels(make(1, 1).dtype) == maximum).all()


@given(case=cases(WITH_CELLS, WITH_CELLS))
@settings(max_examples=50, deadline=None)
def test_in_place_or_not(case):
    pixels, found, chosen = case
    copied = redact_frame(Frame(pixels), Found(found, []), Settings(redact=chosen))[0]
    frame = Frame(pixels.copy())
    assert np.array_equal(redact_frame(frame, Found(found, []), Settings(redact=chosen), True)[0].pixels, copied.pixels)
