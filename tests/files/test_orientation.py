import numpy as np
import pytest
from fakes import noise
from PIL import Image, ImageOps

from anonymizer.files.orientation import turn_back, turn_upright


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [1, 3])
def test_turning_back_undoes_turning_upright(orientation: int, channels: int) -> None:
    stored = noise(5, 7, channels)
    upright = turn_upright(stored, orientation)
    assert (turn_back(upright, orientation) == stored).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_is_what_viewers_show(orientation: int) -> None:
    image = Image.fromarray(noise(5, 7))
    exif = image.getexif()
    exif[0x0112] = orientation
    shown = np.asarray(ImageOps.exif_transpose(image))
    assert (turn_upright(np.asarray(image), orientation) == shown).all()
