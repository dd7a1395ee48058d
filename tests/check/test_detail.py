"""Redacted areas are told from others by their pixels."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from fakes import face, noise, smooth
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.check.detail import detail_left, is_featureless
from anonymizer.files.read import read_picture
from anonymizer.redact.frame import redact_detections
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection, Pixels, Pixels8

FACE = face(180, 70, 270, 200)


def everywhere(pixels: Pixels) -> npt.NDArray[np.bool_]:
    return np.ones(pixels.shape[:2], bool)


def crop(pixels: Pixels, detection: Detection) -> Pixels8:
    box = detection.box
    return pixels[int(box.y_min) : int(box.y_max), int(box.x_min) : int(box.x_max)].astype(np.uint8)


@pytest.fixture(scope="module")
def portrait(originals: Path) -> Pixels:
    return read_picture(originals / "astronaut.png").pixels


def redacted(portrait: Pixels, settings: RedactSettings) -> Pixels:
    return redact_detections(portrait, [FACE], settings)


def test_a_face(portrait: Pixels) -> None:
    assert not is_featureless(crop(portrait, FACE), everywhere(crop(portrait, FACE)))
    assert detail_left(crop(portrait, FACE), crop(portrait, FACE)) > 0.98


def test_a_redacted_face(portrait: Pixels) -> None:
    hidden = crop(redacted(portrait, RedactSettings()), FACE)
    assert is_featureless(hidden, everywhere(hidden))
    assert detail_left(crop(portrait, FACE), hidden) < 0.1


def test_a_cosmetic_kernel_leaves_detail(portrait: Pixels) -> None:
    weak = crop(redacted(portrait, RedactSettings(obfuscation_kernel="9,3,3")), FACE)
    assert not is_featureless(weak, everywhere(weak))
    assert detail_left(crop(portrait, FACE), weak) > 0.4


def test_noise_on_top_hides_nothing(portrait: Pixels) -> None:
    """That every pixel has changed is no proof."""
    face_pixels = crop(portrait, FACE)
    changed = (face_pixels ^ 3).astype(np.uint8)
    assert (changed != face_pixels).all()
    assert detail_left(face_pixels, changed) > 0.9


@pytest.mark.parametrize("cells", [2, 4, 8])
def test_a_mosaic_is_featureless(cells: int) -> None:
    mosaic = noise(cells, cells).repeat(12, axis=0).repeat(12, axis=1)
    assert is_featureless(mosaic, everywhere(mosaic))


def test_only_the_wanted_part_counts() -> None:
    pixels = smooth(40, 40)
    pixels[:, 20:] = noise(40, 20)
    left = everywhere(pixels)
    left[:, 16:] = False
    assert is_featureless(pixels, left)
    assert not is_featureless(pixels, ~left)
    assert is_featureless(pixels, np.zeros_like(left))


def test_flat_areas_have_nothing_to_leave() -> None:
    flat = np.full((30, 30, 3), 255, np.uint8)
    assert detail_left(flat, flat) == pytest.approx(0, abs=0.01)
    assert detail_left(flat, noise(30, 30)) == pytest.approx(0, abs=0.01)


@given(height=st.integers(1, 40), width=st.integers(1, 40), channels=st.sampled_from([1, 3]), seed=st.integers(0, 9))
def test_any_size(height: int, width: int, channels: int, seed: int) -> None:
    pixels = noise(height, width, channels, seed)
    assert detail_left(pixels, pixels) <= 1
    assert is_featureless(pixels, everywhere(pixels)) in (True, False)
    assert is_featureless(np.zeros_like(pixels), everywhere(pixels))
