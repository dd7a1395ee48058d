"""Holes that are filled with what is around them."""

import numpy as np
import pytest
from fakes import noise, noise16
from hypothesis import given, settings
from hypothesis import strategies as st
from redact.strategies import by_numpy, needs_native_code

from anonymizer.redact import patches
from anonymizer.redact.patches import fill
from anonymizer.types import Pixels


def filled(pixels: Pixels, hole: tuple[slice, slice]) -> Pixels:
    visible = np.ones(pixels.shape[:2], np.uint8)
    visible[hole] = 0
    return fill(pixels, visible, visible == 0)


@given(
    seed=st.integers(0, 99),
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    corner=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    extent=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    channels=st.sampled_from([1, 3]),
    is_deep=st.booleans(),
)
@settings(max_examples=10, deadline=None)
def test_what_is_hidden_is_not_read(
    seed: int,
    size: tuple[int, int],
    corner: tuple[float, float],
    extent: tuple[float, float],
    channels: int,
    is_deep: bool,
) -> None:
    """Nor is what is visible changed, and the same surroundings make the same content."""
    make = noise16 if is_deep else noise
    pixels, other = make(*size, channels, seed), make(*size, channels, seed + 1)
    start = [int(share * length) for share, length in zip(corner, size, strict=True)]
    visible = np.ones(size, np.uint8)
    visible[start[0] : start[0] + 1 + int(60 * extent[0]), start[1] : start[1] + 1 + int(60 * extent[1])] = 0
    if not visible.any():
        visible[0, 0] = 1
    wanted = visible == 0
    exchanged = np.where(wanted[:, :, np.newaxis], other, pixels)
    result = fill(pixels, visible, wanted)
    assert result.dtype == pixels.dtype
    assert result.shape == pixels.shape
    assert np.array_equal(result, fill(exchanged, visible, wanted))
    assert np.array_equal(result[~wanted], pixels[~wanted])


@needs_native_code
@given(
    seed=st.integers(0, 99),
    channels=st.sampled_from([1, 3]),
    side=st.integers(3, 20),
    compared=st.sampled_from([0, 10**9]),
)
@settings(max_examples=5, deadline=None)
def test_native_code_fills_holes_alike(seed: int, channels: int, side: int, compared: int) -> None:
    """Whether all patches are compared, or candidates."""
    pixels, hole = noise(40, 44, channels, seed), (slice(10, 10 + side), slice(12, 12 + side))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patches, "COMPARED", compared)
        natively = filled(pixels, hole)
        with by_numpy():
            assert np.array_equal(natively, filled(pixels, hole))


def test_what_is_copied_lies_side_by_side() -> None:
    """Of holes larger than patches: single pixels from everywhere would look like noise, or a grid."""
    pixels = noise(200, 200)
    rows, columns = np.mgrid[:200, :200]
    pixels[:, :, 0], pixels[:, :, 1] = rows, columns
    hole = slice(60, 140), slice(60, 140)
    inside = filled(pixels, hole)[hole].astype(int)
    steps = np.diff(inside[:, :, :2], axis=1)
    assert (np.abs(steps - (0, 1)).max(axis=2) <= 1).mean() > 0.7


def test_stripes_go_on_in_the_hole() -> None:
    pixels = np.where(np.arange(96) // 6 % 2, 220, 30).astype(np.uint8)[np.newaxis, :, np.newaxis].repeat(96, axis=0)
    result = filled(pixels, (slice(30, 66), slice(30, 66)))
    assert np.abs(result.astype(int) - pixels).mean() < 8


def test_large_holes_have_as_much_detail_as_what_is_around() -> None:
    pixels = noise(200, 200)
    hole = slice(60, 140), slice(60, 140)
    inside, outside = filled(pixels, hole)[hole].astype(int), pixels[:50].astype(int)
    assert np.abs(np.diff(inside, axis=1)).mean() > 0.5 * np.abs(np.diff(outside, axis=1)).mean()


def test_very_large_holes_are_filled_with_larger_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "MATCHED_PX", 20)
    pixels = np.full((131, 90, 3), (10, 200, 90), np.uint8)
    pixels[20:101, 20:61] = noise(81, 41)
    result = filled(pixels, (slice(20, 101), slice(20, 61)))
    assert np.abs(result.astype(int) - (10, 200, 90)).max() <= 2


def test_without_whole_patches_around_the_hole_is_filled_smoothly() -> None:
    pixels = np.zeros((40, 40, 1), np.uint8)
    pixels[:, 39] = 200
    result = filled(pixels, (slice(1, 39), slice(1, 39)))[1:39, 1:39, 0].astype(int)
    assert (np.diff(result.mean(axis=0)) >= -1).all()
    assert 0 <= result.min() <= result.max() <= 200
