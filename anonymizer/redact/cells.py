"""The brightness of one cell or a few: all that `gaussian` and `mosaic` know of an object.

Colours tell too much: recognisers have named faces by their mean colour alone, see tests/benchmarks/attack.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from anonymizer.redact.area import Area
from anonymizer.redact.pixelwise import Sums, sum_hidden, sum_visible
from anonymizer.redact.scene import Scene, Target
from anonymizer.redact.solid import area_around, brightness, mean_or_gray

LEVELS = 6
"""Values that the brightness of a cell can take."""


@dataclass(frozen=True, slots=True)
class Amid:
    """An object in its cells, and its surroundings in cells on every side of them."""

    cells: npt.NDArray[np.float64]
    """(rows, columns): brightness, one of LEVELS values in the range of the picture."""
    around: npt.NDArray[np.float64]
    """(C,): mean colour of what is visible around."""
    visible: Sums
    """(rows + 2, columns + 2, C + 1): sums of what is visible in the cells and those around, and their counts."""


def reduce_to_cells(scene: Scene, target: Target) -> Amid:
    """The mean brightness of the pixels that are hidden for the target, cell by cell, each rounded to LEVELS values.

    The cells are about square, and count at most `style.cells` along the longer side. Pixels hidden for other objects
    have no part in them.
    """
    around = area_around(scene, target)
    y, x = _edges(target)
    visible = sum_visible(scene.planes, [around.top, *y, around.bottom], [around.left, *x, around.right])
    color_around = mean_or_gray(visible.sum(axis=(0, 1)), scene.pixels.dtype)
    own = sum_hidden(scene.planes, target.number, y, x)
    counts, total = own[:, :, -1], own.sum(axis=(0, 1))
    # Where all of a cell is hidden for others, the object's mean stands in.
    usual = total[:-1] / total[-1] if total[-1] else color_around
    colors = np.where(counts[:, :, np.newaxis] > 0, own[:, :, :-1] / np.maximum(counts, 1)[:, :, np.newaxis], usual)
    step = np.iinfo(scene.pixels.dtype).max // (LEVELS - 1)
    return Amid(np.rint(brightness(colors) / step) * step, color_around, visible)


def cell_areas(target: Target) -> list[list[Area]]:
    """Rows of cells, inside the target's core and relative to it."""
    core, (y, x) = target.region.core, _edges(target)
    return [
        [Area(top, left, bottom, right).relative_to(core) for left, right in pairwise(x)] for top, bottom in pairwise(y)
    ]


def _edges(target: Target) -> tuple[list[int], list[int]]:
    """Where the rows and columns of cells begin, and the last ones end."""
    core = target.region.core
    rows, columns = _count(core.height, core, target.style.cells), _count(core.width, core, target.style.cells)
    return (
        [core.top + core.height * row // rows for row in range(rows + 1)],
        [core.left + core.width * column // columns for column in range(columns + 1)],
    )


def _count(length: int, core: Area, cells: int) -> int:
    return min(length, max(1, round(length * cells / core.longer_side)))
