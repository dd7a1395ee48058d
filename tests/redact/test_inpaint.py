import numpy as np
import pytest
from fakes import face, noise
from redact.strategies import bare, redacted

from anonymizer.geometry import Box
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection

FACE = face(10, 10, 30, 30)


def test_inpaint_in_thin_pictures_takes_the_color_around() -> None:
    """OpenCV's result would not be the same each time."""
    pixels = np.full((3, 300, 3), (10, 200, 90), np.uint8)
    pixels[:, 105:135] = noise(3, 30)
    result = redacted(pixels, [Detection(Box(100, 0, 140, 3), 0.9, "face")], RedactSettings(method="inpaint"))
    assert (result == (10, 200, 90)).all()


def test_inpaint_continues_what_is_around() -> None:
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:, 20:] = 200
    filled = redacted(pixels, [FACE], bare("inpaint")).astype(int)
    assert filled[12:28, 11].max() < 60
    assert filled[12:28, 28].min() > 140


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(1, 40), (40, 1)])
def test_inpaint_in_a_single_row_or_column(shape: tuple[int, int]) -> None:
    pixels = np.full((*shape, 3), 250, np.uint8)
    box = Box(10, 0, 20, 1) if shape[0] == 1 else Box(0, 10, 1, 20)
    assert redacted(pixels, [Detection(box, 0.9, "face")], bare("inpaint")).min() > 200


@pytest.mark.parametrize("scale", [1, 6])
def test_inpaint_fills_an_even_ground_evenly(scale: int) -> None:
    pixels = np.full((40 * scale, 40 * scale, 3), (10, 200, 90), np.uint8)
    found = Detection(Box(10 * scale, 10 * scale, 30 * scale, 30 * scale), 0.9, "face")
    assert np.abs(redacted(pixels, [found], bare("inpaint")).astype(int) - (10, 200, 90)).max() <= 5
