"""`mosaic`: the colours of `gaussian` in squares with sharp edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anonymizer.redact.gaussian import colors_of
from anonymizer.redact.pixelwise import Integers, Surface
from anonymizer.redact.scene import Scene, Target

MIN_TILES = 4
"""Along the longer side of an object. They are a matter of looks: what is known of the object are its cells."""


def paint(scene: Scene, targets: Sequence[Target]) -> list[Surface]:
    """What replaces the targets, each (height, width, C) of its reach."""
    return [_tiled(target, cells) for target, cells in zip(targets, colors_of(scene, targets), strict=True)]


def _tiled(target: Target, cells: Integers) -> Surface:
    core, reach = target.region.core, target.region.reach
    side = core.longer_side / max(MIN_TILES, target.style.cells)
    rows = _tile_centres(reach.top, reach.bottom, core.top, core.bottom, side)
    columns = _tile_centres(reach.left, reach.right, core.left, core.right, side)
    return Surface(core, rows, columns, cells)


def _tile_centres(start: int, stop: int, core_start: int, core_stop: int, side: float) -> Integers:
    """For each pixel from start to stop, the middle of its tile; beyond the core the outermost tiles go on."""
    length = core_stop - core_start
    tiles = min(length, max(1, round(length / side)))
    tile = ((np.arange(start, stop) - core_start) * tiles // length).clip(0, tiles - 1)
    return np.asarray(core_start + (2 * tile + 1) * length // (2 * tiles), np.int32)
