"""Scene cuts: where one frame has nothing to do with the frame before it."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Thumbnail: TypeAlias = npt.NDArray[np.float32]
"""float32 (ROWS, COLUMNS): a small gray copy of a frame, 0..255."""

ROWS, COLUMNS = 27, 48
SHIFT = 3
"""Pixels of a thumbnail by which a frame may move against the one before it: 1/16 of its width."""
CUT = 0.5
"""Change from which on a frame begins a new scene. Measured: cuts 0.67 to 1.3, all but one of 32 (0.35, two pictures of
cars from the front); other frames up to 0.12 where the camera pans, zooms or is whipped around, 0.27 in a street scene.
A cut that is missed adds cover, one too many takes some away."""


def thumbnail_of(gray: npt.NDArray[np.uint8]) -> Thumbnail:
    """A gray frame, uint8 (H, W), as `change` compares it."""
    return np.asarray(cv2.resize(gray, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), np.float32)


def change(before: Thumbnail, after: Thumbnail) -> float:
    """How much of a frame is new: 1 less the best correlation over small shifts, 0 to 2.

    Brightness and contrast of a whole frame do not count, so that a flash or a fade is no cut.
    """
    inner = after[SHIFT:-SHIFT, SHIFT:-SHIFT]
    return 1.0 - float(cv2.matchTemplate(before, inner, cv2.TM_CCOEFF_NORMED).max())


def is_cut(before: Thumbnail, after: Thumbnail) -> bool:
    """Whether a new scene begins with the second of two frames that follow each other."""
    return change(before, after) >= CUT
