"""The brightness of one cell or a few: all that `gaussian` and `mosaic` know of an object.

Colours tell too much: recognisers have named faces by their mean colour alone, see tests/benchmarks/attack.py.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from anonymizer.redact.mask import Area
from anonymizer.redact.scene import Scene, Target
from anonymizer.redact.solid import brightness, surroundings
from anonymizer.types import Pixels

LEVELS = 6
"""Values that the brightness of a cell can take."""


def reduce_to_cells(scene: Scene, target: Target) -> Pixels:
    """The mean brightness of the pixels that are hidden for the target, cell by cell, each rounded to LEVELS values.

    Of the picture's depth, (rows, columns). The cells are about square, and count at most `style.cells` along the
    longer side. Pixels hidden for other objects have no part in them.
    """
    own = scene.own(target)
    areas = cell_areas(target)
    crop = scene.pixels[target.region.core.slices]
    means = np.zeros((len(areas), len(areas[0])))
    counts = np.zeros(means.shape, np.int64)
    for row, column in np.ndindex(counts.shape):
        part = areas[row][column].slices
        counts[row, column] = cv2.countNonZero(own[part])
        means[row, column] = brightness(np.array(cv2.mean(crop[part], mask=own[part])[: crop.shape[2]]))
    # Where all of a cell is hidden for others, the object's mean stands in.
    total = counts.sum()
    means[counts == 0] = (means * counts).sum() / total if total else brightness(surroundings(scene, target))
    step = np.iinfo(crop.dtype).max // (LEVELS - 1)
    cells: Pixels = (np.rint(means / step) * step).astype(crop.dtype)
    return cells


def cell_areas(target: Target) -> list[list[Area]]:
    """Rows of cells, inside the target's core and relative to it."""
    core = target.region.core
    rows, columns = _count(core.height, core, target.style.cells), _count(core.width, core, target.style.cells)
    y = [core.height * row // rows for row in range(rows + 1)]
    x = [core.width * column // columns for column in range(columns + 1)]
    return [[Area(top, left, bottom, right) for left, right in pairwise(x)] for top, bottom in pairwise(y)]


def _count(length: int, core: Area, cells: int) -> int:
    return min(length, max(1, round(length * cells / core.longer_side)))
