from pathlib import Path

import numpy as np
import pytest
from fakes import face, noise, noise16
from PIL import Image
from redact.strategies import bare, redacted

from anonymizer.geometry import Box
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


def test_the_drawn_face_is_laid_over_by_default() -> None:
    result = redacted(noise(40, 40), [FACE], bare("image"))
    assert (result[20, 20] == (255, 205, 60)).all()
    assert RedactionStyle("image", 1, "#000000", None, "face", None) == to_style("face", RedactSettings(method="image"))
