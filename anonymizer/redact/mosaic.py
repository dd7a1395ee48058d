"""`mosaic`: the colours of `gaussian` in squares with sharp edges."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.redact.gaussian import colors_at
from anonymizer.redact.pixelwise import Surface
from anonymizer.redact.scene import Scene, Target

MIN_TILES = 4
"""Along the longer side of an object. They are a matter of looks: what is known of the object are its cells."""


def paint(scene: Scene, target: Target) -> Surface:
    """What replaces the target, (height, width, C) of its reach."""
    core, reach = target.region.core, target.region.reach
    side = core.longer_side / max(MIN_TILES, target.style.cells)
    rows = _tile_centres(reach.top, reach.bottom, core.top, core.bottom, side)
    columns = _tile_centres(reach.left, reach.right, core.left, core.right, side)
    return colors_at(scene, target, rows, columns)


def _tile_centres(start: int, stop: int, core_start: int, core_stop: int, side: float) -> npt.NDArray[np.int_]:
    """For each pixel from start to stop, the middle of its tile; beyond the core the outermost tiles go on."""
    length = core_stop - core_start
    tiles = min(length, max(1, round(length / side)))
    tile = ((np.arange(start, stop) - core_start) * tiles // length).clip(0, tiles - 1)
    return core_start + (2 * tile + 1) * length // (2 * tiles)
