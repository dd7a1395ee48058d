from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import face, noise, noise16, scene_of
from PIL import Image
from redact.strategies import bare, redacted

from anonymizer.geometry import Box, Shape
from anonymizer.redact.drawings import DRAW
from anonymizer.redact.image import STRIP_ROWS, overlay_on, place_of
from anonymizer.redact.scene import RedactionStyle
from anonymizer.redact.targets import to_style
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection

FACE = face(10, 10, 30, 30)


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """Red above, transparent below."""
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:4] = (255, 0, 0, 255)
    pixels[4:] = (0, 255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "overlay.png")
    return tmp_path / "overlay.png"


def test_image_is_scaled_to_the_object_over_an_opaque_ground(overlay: Path) -> None:
    result = redacted(noise(40, 40), [FACE], bare("image", overlay=overlay, color="#0000ff"))
    assert (result[10:18, 10:30] == (255, 0, 0)).all()
    assert (result[22:30, 10:30] == (0, 0, 255)).all()
    deep = redacted(noise16(40, 40), [FACE], bare("image", overlay=overlay, color="#0000ff"))
    assert (deep[10:18, 10:30] == (65535, 0, 0)).all()


def test_image_goes_on_beyond_the_picture(overlay: Path) -> None:
    """Where half of the object lies outside, half of the overlay is seen."""
    found = Detection(Box(10, -20, 30, 20), 0.9, "face")
    result = redacted(noise(40, 40), [found], bare("image", overlay=overlay, color="#0000ff"))
    assert (result[3:20, 10:30] == (0, 0, 255)).all()


def test_over_an_ellipse_a_drawing_keeps_its_proportions_and_lies_at_random() -> None:
    """Else it would tell the proportions and the place of the face's box."""
    settings = RedactSettings(method="image", face_margin=0.0, feather=0.0)
    shown = []
    for left in (100, 101, 102):
        _, (target,) = scene_of(noise(400, 400), [face(left, 100, left + 60, 220)], settings)
        whole = target.region.whole
        laid = place_of(target)
        assert abs(laid.height - laid.width) <= 1
        assert laid.top <= whole.top < whole.bottom <= laid.bottom
        assert laid.left <= whole.left < whole.right <= laid.right
        shown.append(laid.left - whole.left)
        assert place_of(scene_of(noise(400, 400, seed=5), [face(left, 100, left + 60, 220)], settings)[1][0]) == laid
    assert len(set(shown)) > 1


def test_a_drawing_stays_at_its_place_over_a_track() -> None:
    settings = RedactSettings(method="image")
    found = [replace(face(left, 100, left + 60, 220), track=7) for left in (100, 130)]
    one, other = (scene_of(noise(400, 400), [each], settings)[1][0] for each in found)
    assert place_of(one).left - one.region.whole.left == place_of(other).left - other.region.whole.left


@pytest.mark.parametrize("shape", ["box", "ellipse"])
def test_a_part_of_a_large_overlay_is_that_of_the_whole(shape: Shape) -> None:
    """It is enlarged in strips, which leave no seams."""
    settings = RedactSettings(method="image", shape=shape)
    _, (target,) = scene_of(noise(900, 800), [face(300, 50, 790, 890)], settings)
    laid, bounds = place_of(target), target.region.bounds
    assert bounds.height > 2 * STRIP_ROWS
    drawn = DRAW["face"]().astype(np.float32) / 255
    drawn[:, :, :3] *= drawn[:, :, 3:]
    assert drawn.shape[0] < laid.height
    assert drawn.shape[1] < laid.width
    whole = np.asarray(cv2.resize(drawn, (laid.width, laid.height), interpolation=cv2.INTER_LINEAR))
    colors, opacity = overlay_on(target)
    part = whole[bounds.top - laid.top :, bounds.left - laid.left :][: bounds.height, : bounds.width]
    assert colors == pytest.approx(part[:, :, :3], abs=1e-5)
    assert opacity == pytest.approx(part[:, :, 3], abs=1e-5)


def test_the_drawn_face_is_laid_over_by_default() -> None:
    result = redacted(noise(40, 40), [FACE], bare("image"))
    assert (result[20, 20] == (255, 205, 60)).all()
    assert RedactionStyle("image", 0, "#000000", None, "face", None) == to_style("face", RedactSettings(method="image"))
