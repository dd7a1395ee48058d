"""Reads the picture that the method `image` pastes over objects."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from anonymizer.errors import SettingsError
from anonymizer.files.global_state import pillow_state

MAX_SIDE_PX = 4096


@lru_cache(maxsize=4)
def read_overlay(path: Path) -> npt.NDArray[np.uint8]:
    """A PNG file as RGBA, uint8 (H, W, 4).

    Raises:
        SettingsError: the file cannot be read, is not a PNG picture, or is too large.
    """
    try:
        with pillow_state(), Image.open(path, formats=("PNG",)) as image:
            if max(image.size) > MAX_SIDE_PX:
                raise SettingsError(f"--overlay: {path} is larger than {MAX_SIDE_PX} x {MAX_SIDE_PX} pixels")
            return np.array(image.convert("RGBA"))
    except FileNotFoundError:
        raise SettingsError(f"--overlay: {path} does not exist") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise SettingsError(f"--overlay: {path} is not a PNG picture: {error}") from None
