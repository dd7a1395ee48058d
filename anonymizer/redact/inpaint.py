"""`inpaint`: the object is erased, and its surroundings are continued into the hole.

A. Telea, An image inpainting technique based on the fast marching method, Journal of Graphics Tools 9 (2004).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.redact.scene import RedactionTarget, Scene
from anonymizer.redact.surroundings import SURROUNDINGS, mean_around
from anonymizer.types import Pixels

RADIUS_PX = 3
"""Radius of the neighbourhood from which a pixel is filled."""
MIN_SURROUNDINGS_PX = 2 * RADIUS_PX
LONGEST_SIDE_PX = 64
"""Larger areas are filled in a copy that is shrunk to this size: streaks become soft, and time stays bounded."""
THINNEST_PX = 8
"""In thinner areas OpenCV's result differs from call to call."""
WHOLLY = 0.999
"""A pixel of the shrunk copy is read only if it shows nothing but visible pixels, up to rounding."""


def paint(scene: Scene, target: RedactionTarget) -> Pixels:
    """What replaces the target: dtype of the picture, (height, width, C) of its bounds."""
    bounds, dtype = target.region.bounds, scene.pixels.dtype
    by = max(MIN_SURROUNDINGS_PX, int(SURROUNDINGS * bounds.longer_side))
    around = bounds.grown(by, by).inside(scene.size)
    visible = scene.visible(around)
    unit = np.iinfo(dtype).max / 255  # OpenCV's arithmetic expects the range of 8 bits
    # What is hidden is erased first: whatever OpenCV reads there, it does not come from the picture.
    crop = (scene.pixels[around.slices] * visible[:, :, np.newaxis]).astype(np.float32) / np.float32(unit)
    shows = _shrink(visible.astype(np.float32)) > WHOLLY
    if not shows.any() or min(shows.shape) < THINNEST_PX:
        color = np.rint(mean_around(scene, target)).astype(dtype)
        return np.broadcast_to(color, (bounds.height, bounds.width, len(color)))
    holes = (~shows).astype(np.uint8)
    planes = [_shrink(crop[:, :, channel]) for channel in range(crop.shape[2])]
    filled = np.dstack([cv2.inpaint(plane, holes, RADIUS_PX, cv2.INPAINT_TELEA) for plane in planes])
    enlarged = cv2.resize(filled, (around.width, around.height), interpolation=cv2.INTER_LINEAR).reshape(crop.shape)
    top, left = bounds.top - around.top, bounds.left - around.left
    part = enlarged[top : top + bounds.height, left : left + bounds.width]
    painted: Pixels = np.rint(part.clip(0, 255) * unit).astype(dtype)
    return painted


def _shrink(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    factor = min(1.0, LONGEST_SIDE_PX / max(plane.shape))
    height, width = (max(1, round(length * factor)) for length in plane.shape)
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA), np.float32)
