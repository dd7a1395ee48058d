"""Codes that `zxingcpp` draws, and what only resembles them."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.detect.code_patterns import ALIKE, Floats, Gray, is_plausible, likeness

SIDE = 240
SQUARE = np.array([(40, 40), (200, 40), (200, 200), (40, 200)], np.float32)


def drawn(format_name: str, module_px: int = 6) -> tuple[Gray, Floats]:
    """A code without a margin on a light ground, and its corners."""
    code = zxingcpp.create_barcode("12345", getattr(zxingcpp.BarcodeFormat, format_name))
    modules = np.asarray(code.to_image(scale=1), np.uint8)
    rows, columns = (np.flatnonzero((modules < 128).any(axis=axis)) for axis in (1, 0))
    modules = modules[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = modules.shape
    pixels = np.repeat(np.repeat(modules, module_px, axis=0), module_px, axis=1)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) * module_px + 20
    return np.pad(pixels, 20, constant_values=255), corners


def rings(dark: int = 30, light: int = 220) -> Gray:
    """Where the finder patterns of a QR code of 21 modules would be, rings of the same widths."""
    pixels = np.full((SIDE, SIDE), light, np.uint8)
    module = 160 / 21
    for x, y in ((40, 40), (200, 40), (40, 200)):
        center = (round(x + np.sign(120 - x) * 3.5 * module), round(y + np.sign(120 - y) * 3.5 * module))
        for modules, value in ((3.5, dark), (2.5, light), (1.5, dark)):
            cv2.circle(pixels, center, round(modules * module), value, -1)
    return pixels


@pytest.mark.parametrize("format_name", ALIKE)
@pytest.mark.parametrize("is_inverted", [False, True])
def test_codes_have_the_patterns_of_their_formats(format_name: str, is_inverted: bool) -> None:
    gray, corners = drawn(format_name)
    gray = np.asarray(255 - gray if is_inverted else gray, np.uint8)
    assert likeness(gray, corners, format_name) > 0.95
    assert is_plausible(gray, corners, format_name)


@pytest.mark.parametrize("format_name", ["QRCode", "DataMatrix"])
def test_blurred_and_slanted_codes_have_them(format_name: str) -> None:
    gray, corners = drawn(format_name)
    blurred = np.asarray(cv2.GaussianBlur(gray, (0, 0), 3.0), np.uint8)
    assert is_plausible(blurred, corners, format_name)
    there = corners * np.float32(0.8) + np.array([(20, 10), (0, 0), (-20, 5), (0, 15)], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, there)
    slanted = np.asarray(cv2.warpPerspective(gray, matrix, gray.shape[::-1], borderValue=255.0), np.uint8)
    assert is_plausible(slanted, there, format_name)


def test_rings_are_no_finder_patterns() -> None:
    gray, corners = drawn("QRCode")
    assert likeness(gray, corners, "QRCode") > 0.95
    assert likeness(rings(), SQUARE, "QRCode") < likeness(gray, corners, "QRCode")
    moved = SQUARE + np.array([(9, 4), (-6, 8), (0, 0), (5, -9)], np.float32)
    assert not is_plausible(rings(), moved, "QRCode")


@pytest.mark.parametrize("format_name", ALIKE)
def test_noise_has_no_patterns(format_name: str) -> None:
    gray = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    assert not is_plausible(gray, SQUARE, format_name)
    assert not is_plausible(np.full((SIDE, SIDE), 90, np.uint8), SQUARE, format_name)


def test_small_data_matrix_codes_need_no_border_that_can_be_seen() -> None:
    gray = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    small = np.asarray(SQUARE / 5, np.float32)
    assert is_plausible(gray, small, "DataMatrix")
    assert not is_plausible(gray, small, "QRCode")


@pytest.mark.parametrize(
    "corners",
    [
        pytest.param([(40, 40), (200, 200), (200, 40), (40, 200)], id="crossing itself"),
        pytest.param([(40, 40), (200, 40), (90, 90), (40, 200)], id="concave"),
        pytest.param([(40, 40), (47, 40), (47, 47), (40, 47)], id="tiny"),
        pytest.param([(110, 40), (130, 40), (200, 200), (40, 200)], id="too slanted"),
        pytest.param([(40, 40), (40, 40), (200, 200), (40, 200)], id="a side of no length"),
        pytest.param([(0, 0), (0, 0), (0, 0), (0, 0)], id="a point"),
        pytest.param([(40, 40), (100, 40), (160, 40), (220, 40)], id="a line"),
    ],
)
@pytest.mark.parametrize("format_name", ["QRCode", "DataMatrix", "Aztec"])
def test_shapes_that_no_code_has(corners: list[tuple[int, int]], format_name: str) -> None:
    gray, _ = drawn("QRCode")
    assert not is_plausible(gray, np.array(corners, np.float32), format_name)


COORDINATE = st.integers(-300, 600)


@given(
    st.lists(st.tuples(COORDINATE, COORDINATE), min_size=4, max_size=4),
    st.sampled_from([*ALIKE, "Aztec"]),
    st.integers(0, 3),
)
def test_no_corners_make_trouble(corners: list[tuple[int, int]], format_name: str, seed: int) -> None:
    """The library guesses corners that it does not see, also outside of the picture."""
    gray = np.random.default_rng(seed).integers(0, 256, (60, 90), dtype=np.uint8)
    given_corners = np.array(corners, np.float32)
    if is_plausible(gray, given_corners, format_name) and format_name in ALIKE:
        assert cv2.isContourConvex(given_corners)
        assert -1 <= likeness(gray, given_corners, format_name) <= 1.001


def test_of_other_formats_the_shape_decides() -> None:
    gray = np.full((SIDE, SIDE), 90, np.uint8)
    assert is_plausible(gray, SQUARE, "Aztec")
    assert is_plausible(gray, np.roll(SQUARE, 1, axis=0)[::-1].copy(), "Aztec")


def test_the_more_blur_the_less_alike() -> None:
    gray, corners = drawn("QRCode")
    alike = [
        likeness(np.asarray(cv2.GaussianBlur(gray, (0, 0), blur), np.uint8), corners, "QRCode") for blur in (1, 3, 6)
    ]
    assert all(one > other for one, other in pairwise(alike))
