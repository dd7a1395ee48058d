"""What holds for every method. `test_methods.py` proves that none leaks more than it says."""

from collections.abc import Callable

import numpy as np
import pytest
from fakes import face, noise, noise16, scene_of
from hypothesis import given, settings
from hypothesis import strategies as st
from redact.strategies import (
    EVERY_METHOD,
    SIZE,
    WITH_CELLS,
    Case,
    by_numpy,
    cases,
    detections,
    needs_native_code,
    redacted,
    redacted_with_mask,
)

from anonymizer.geometry import SHAPES, Shape
from anonymizer.redact.redaction import redact
from anonymizer.settings import METHODS, RedactSettings
from anonymizer.types import Detection, Pixels


@needs_native_code
@given(case=cases(METHODS, METHODS))
@settings(max_examples=100, deadline=None)
def test_native_code_makes_the_same_pictures(case: Case) -> None:
    pixels, found, chosen = case
    result, scene = redact(pixels, scene_of(pixels, found, chosen)[1])
    with by_numpy():
        expected, other = redact(pixels, scene_of(pixels, found, chosen)[1])
    assert np.array_equal(result, expected)
    assert np.array_equal(scene.mask, other.mask)
    assert np.array_equal(scene.owners, other.owners)


@given(case=cases(WITH_CELLS, WITH_CELLS))
@settings(max_examples=50, deadline=None)
def test_in_place_or_not_the_result_is_the_same(case: Case) -> None:
    pixels, found, chosen = case
    expected = redacted(pixels, found, chosen)
    result = redact(pixels, scene_of(pixels, found, chosen)[1], in_place=True)[0]
    assert result is pixels
    assert np.array_equal(result, expected)


@pytest.mark.parametrize("settings", EVERY_METHOD)
@given(found=st.lists(detections(), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_the_output_never_depends_on_the_order(settings: RedactSettings, found: list[Detection], seed: int) -> None:
    pixels = noise(*SIZE, seed=seed)
    assert (redacted(pixels, found, settings) == redacted(pixels, found[::-1], settings)).all()


@pytest.mark.parametrize("settings", EVERY_METHOD)
def test_16_bits_look_like_8(settings: RedactSettings) -> None:
    pixels = noise(60, 60)
    found = [face(10, 10, 40, 40)]
    as_8, as_16 = redacted(pixels, found, settings), redacted(pixels.astype(np.uint16) * 257, found, settings)
    assert np.abs(as_16 / 257 - as_8).max() <= 1.5


@pytest.mark.parametrize("settings", EVERY_METHOD)
def test_source_is_not_changed(settings: RedactSettings) -> None:
    pixels = noise(30, 40)
    before = pixels.copy()
    redacted(pixels, [face(5, 5, 20, 20)], settings)
    assert (pixels == before).all()


@pytest.mark.parametrize("settings", EVERY_METHOD)
@pytest.mark.parametrize("box", [(0, 0, 40, 30), (39, 29, 40, 30), (0, 0, 0.5, 0.5), (10, 10, 10, 10), (35, 0, 40, 30)])
def test_boxes_at_the_limits(settings: RedactSettings, box: tuple[float, float, float, float]) -> None:
    pixels = noise(30, 40)
    found = [face(*box)]
    result, mask = redacted_with_mask(pixels, found, settings)
    if box[2] - box[0] > 2:
        hidden = mask == 1
        assert (result[hidden] != pixels[hidden]).mean() > 0.9


@pytest.mark.parametrize("shape", SHAPES)
def test_the_edge_is_soft(shape: Shape) -> None:
    """Outside what is hidden, what is left of the source grows from pixel to pixel."""
    pixels = np.full((100, 100, 3), 255, np.uint8)
    settings = RedactSettings(method="solid", color="black", shape=shape, feather=0.25)
    row = redacted(pixels, [face(20, 40, 60, 60)], settings)[50, :, 0].astype(int)
    edge = row[60:][(row[60:] > 0) & (row[60:] < 255)]
    assert len(edge) == 10
    assert (np.diff(edge) > 0).all()
    assert (row[20:60] == 0).all()


def test_without_feather_the_edge_is_hard() -> None:
    pixels = np.full((100, 100, 3), 255, np.uint8)
    result = redacted(pixels, [face(20, 40, 60, 60)], RedactSettings(method="solid", feather=0))
    assert set(np.unique(result)) == {0, 255}


@pytest.mark.parametrize("settings", EVERY_METHOD)
def test_thousands_of_boxes(settings: RedactSettings) -> None:
    pixels = noise(300, 300)
    found = [face(x, y, x + 8, y + 8) for x in range(0, 290, 6) for y in range(0, 290, 12)]
    assert len(found) > 1000
    assert redacted(pixels, found, settings).shape == pixels.shape


@pytest.mark.parametrize("settings", EVERY_METHOD)
@pytest.mark.parametrize("make", [noise, noise16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_box_as_large_as_the_picture_leaves_nothing(
    settings: RedactSettings, make: Callable[[int, int, int, int], Pixels], channels: int
) -> None:
    one, other = make(30, 40, channels, 1), make(30, 40, channels, 2)
    found = [face(0, 0, 40, 30)]
    result, mask = redacted_with_mask(one, found, settings)
    assert (mask == 1).all()
    if settings.method in ("solid", "image", "inpaint"):
        assert (result == redacted(other, found, settings)).all()
    assert (result != one).mean() > 0.9
