"""Single pictures: what is in a file, and what a finder sees in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from anonymizer.errors import PictureError, SettingsError, picture_boundary
from anonymizer.files.read import read_picture
from anonymizer.pipeline import Finder, find_in
from anonymizer.settings import ReadSettings
from anonymizer.types import Detection, Pixels8
from anonymizer.video.finder import picture_of


def read_pixels(folder: Path, name: str) -> Pixels8:
    """A picture, upright, uint8 (H, W, 3), in the tones of the file: two of them can be compared.

    Raises:
        SettingsError: it is missing or cannot be read.
    """
    try:
        with picture_boundary(name):
            pixels = read_picture(folder / name, ReadSettings()).frames[0].view
    except PictureError as error:
        raise SettingsError(f"{folder}: {name} {error}") from None
    shown = pixels if pixels.dtype == np.uint8 else pixels >> 8
    return np.ascontiguousarray(np.broadcast_to(shown, (*shown.shape[:2], 3)), np.uint8)


def found_in(pixels: Pixels8, finder: Finder) -> Sequence[Detection]:
    """What a finder sees in a picture, uint8 (H, W, 3)."""
    (found,) = find_in(picture_of(pixels), finder)
    return found.detections
