"""Scene cuts, where one frame has nothing to do with the frame before it; and frames in which something appears."""

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

NEW = 24.0
"""Levels by which a pixel of a thumbnail is brighter or darker than all around it was."""
OBJECT = 0.003
"""Share of new pixels that is an object. Measured with faces of 12 to 35 % of the height that are in sight for 2 to 5
frames between two looks: 45 of 60 are noticed, 29 to 57 by film. Other frames that seem to show something new, for 100
regular looks: 0 to 3 on a motorway, for a turning head, and where the camera pans or zooms, 12 where it is whipped
around, 17 with cars that drive through, 41 with waving hands, 60 where the camera shakes hard.
"""


def thumbnail_of(gray: npt.NDArray[np.uint8]) -> Thumbnail:
    """A gray frame, uint8 (H, W), as `change` compares it."""
    return np.asarray(cv2.resize(gray, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), np.float32)


def change(before: Thumbnail, after: Thumbnail) -> float:
    """How much of a frame is new: 1 less the best correlation over small shifts, 0 to 2.

    Brightness and contrast of a whole frame do not count, so that a flash or a fade is no cut.
    """
    return 1.0 - float(_likenesses(before, after).max())


def is_cut(before: Thumbnail, after: Thumbnail) -> bool:
    """Whether a new scene begins with the second of two frames that follow each other."""
    return change(before, after) >= CUT


def novelty(before: Thumbnail, after: Thumbnail) -> float:
    """The share of a frame that shows something new where the one before it showed nothing of the kind, 0 to 1.

    A pixel is new if it is brighter or darker than all around its place in the frame before, so that neither cameras
    that move nor slow objects count.
    """
    inner = after[SHIFT:-SHIFT, SHIFT:-SHIFT]
    rows, columns = inner.shape
    y, x = np.unravel_index(int(_likenesses(before, after).argmax()), (2 * SHIFT + 1, 2 * SHIFT + 1))
    place = slice(y, y + rows), slice(x, x + columns)
    shown = inner - np.median(inner - before[place])
    around = np.ones((3, 3), np.uint8)
    is_new = shown > cv2.dilate(before, around)[place] + NEW
    is_new |= shown < cv2.erode(before, around)[place] - NEW
    return float(is_new.mean())


def appears(before: Thumbnail, after: Thumbnail) -> bool:
    """Whether the second of two frames that follow each other shows a new object."""
    return novelty(before, after) >= OBJECT


def _likenesses(before: Thumbnail, after: Thumbnail) -> npt.NDArray[np.float32]:
    """Correlation with the frame before, by the shift, each up to `SHIFT` up, down, left and right."""
    inner = after[SHIFT:-SHIFT, SHIFT:-SHIFT]
    return np.asarray(cv2.matchTemplate(before, inner, cv2.TM_CCOEFF_NORMED), np.float32)
