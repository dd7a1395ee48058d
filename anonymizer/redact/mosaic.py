"""`mosaic`: the colours of `gaussian` in squares with sharp edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anonymizer.redact.blending import GradientPatch
from anonymizer.redact.cells import padded_cells
from anonymizer.redact.planes import Integers
from anonymizer.redact.scene import RedactionTarget, Scene

MIN_TILES = 4
"""Along the longer side of an object. Tiles only matter for the look: what is known of the object are its cells."""


def paint(scene: Scene, targets: Sequence[RedactionTarget]) -> list[GradientPatch]:
    """What replaces the targets, each (height, width, C) of its bounds."""
    return [tiled(target, cells) for target, cells in zip(targets, padded_cells(scene, targets), strict=True)]


def tiled(target: RedactionTarget, cells: Integers) -> GradientPatch:
    """The cells of a target, with one more on every side, in tiles."""
    core, bounds = target.region.core, target.region.bounds
    side = core.longer_side / max(MIN_TILES, target.style.cells)
    rows = _tile_centres(bounds.top, bounds.bottom, core.top, core.bottom, side)
    columns = _tile_centres(bounds.left, bounds.right, core.left, core.right, side)
    return GradientPatch(core, rows, columns, cells)


def _tile_centres(start: int, stop: int, core_start: int, core_stop: int, side: float) -> Integers:
    """For each pixel from start to stop, the middle of its tile; the outermost tiles extend beyond the core."""
    length = core_stop - core_start
    tiles = min(length, max(1, round(length / side)))
    tile = ((np.arange(start, stop) - core_start) * tiles // length).clip(0, tiles - 1)
    return np.asarray(core_start + (2 * tile + 1) * length // (2 * tiles), np.int32)
