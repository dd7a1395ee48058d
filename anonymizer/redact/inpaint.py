"""`inpaint`: the object is cut out, and its surroundings are continued into the hole.

A. Telea, An image inpainting technique based on the fast marching method, Journal of Graphics Tools 9 (2004).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.redact.scene import Scene, Target
from anonymizer.redact.solid import SURROUNDINGS, surroundings
from anonymizer.types import Pixels

RADIUS_PX = 3
"""Neighbourhood that a filled pixel is made of."""
MIN_SURROUNDINGS_PX = 2 * RADIUS_PX
LONGEST_SIDE_PX = 64
"""Larger objects are filled in a copy that is shrunk to this size: streaks become soft, and time stays bounded."""
THINNEST_PX = 8
"""In thinner pictures OpenCV's result is not the same each time."""
WHOLLY = 0.999
"""A pixel of the shrunk copy is read if it shows visible pixels alone, but for rounding."""


def paint(scene: Scene, target: Target) -> Pixels:
    """What replaces the target: as the picture, (height, width, C) of its reach."""
    reach, dtype = target.region.reach, scene.pixels.dtype
    by = max(MIN_SURROUNDINGS_PX, int(SURROUNDINGS * reach.longer_side))
    around = reach.grown(by, by).inside(scene.size)
    visible = scene.visible(around)
    unit = np.iinfo(dtype).max / 255  # OpenCV's arithmetic expects the range of 8 bits
    # What is hidden is erased first, so that whatever OpenCV reads there, it is no part of the picture.
    crop = (scene.pixels[around.slices] * visible[:, :, np.newaxis]).astype(np.float32) / np.float32(unit)
    shows = _shrink(visible.astype(np.float32)) > WHOLLY
    if not shows.any() or min(shows.shape) < THINNEST_PX:
        color = np.rint(surroundings(scene, target)).astype(dtype)
        return np.broadcast_to(color, (reach.height, reach.width, len(color)))
    holes = (~shows).astype(np.uint8)
    planes = [_shrink(crop[:, :, channel]) for channel in range(crop.shape[2])]
    filled = np.dstack([cv2.inpaint(plane, holes, RADIUS_PX, cv2.INPAINT_TELEA) for plane in planes])
    enlarged = cv2.resize(filled, (around.width, around.height), interpolation=cv2.INTER_LINEAR).reshape(crop.shape)
    top, left = reach.top - around.top, reach.left - around.left
    part = enlarged[top : top + reach.height, left : left + reach.width]
    painted: Pixels = np.rint(part.clip(0, 255) * unit).astype(dtype)
    return painted


def _shrink(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    factor = min(1.0, LONGEST_SIDE_PX / max(plane.shape))
    height, width = (max(1, round(length * factor)) for length in plane.shape)
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA), np.float32)
