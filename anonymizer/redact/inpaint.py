"""`inpaint`: the object is erased, and its surroundings are continued into the hole, see `patches`."""

from __future__ import annotations

import numpy as np

from anonymizer.redact.patches import fill
from anonymizer.redact.scene import RedactionTarget, Scene
from anonymizer.redact.surroundings import mean_around
from anonymizer.types import Pixels

SURROUNDINGS = 0.75
"""How far the surroundings extend from which a hole is filled, as a share of its longer side."""
MIN_SURROUNDINGS_PX, MAX_SURROUNDINGS_PX = 12, 512


def paint(scene: Scene, target: RedactionTarget) -> Pixels:
    """What replaces the target: dtype of the picture, (height, width, C) of its bounds."""
    bounds = target.region.bounds
    by = min(max(MIN_SURROUNDINGS_PX, int(SURROUNDINGS * bounds.longer_side)), MAX_SURROUNDINGS_PX)
    around = bounds.grown(by, by).inside(scene.size)
    visible = scene.visible(around)
    if not visible.any():
        color = np.rint(mean_around(scene, target)).astype(scene.pixels.dtype)
        return np.broadcast_to(color, (bounds.height, bounds.width, len(color)))
    top, left = bounds.top - around.top, bounds.left - around.left
    own = slice(top, top + bounds.height), slice(left, left + bounds.width)
    wanted = np.zeros(visible.shape, bool)
    wanted[own] = visible[own] == 0
    filled: Pixels = fill(scene.pixels[around.slices], visible, wanted)[own]
    return filled
