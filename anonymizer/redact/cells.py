"""The brightness of one cell or a few: all that `gaussian` and `mosaic` know of an object.

Colours tell too much: recognisers have named faces by their mean colour alone, see tests/benchmarks/attack.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import PixelBox
from anonymizer.redact.pixelwise import Integers, Sums, sum_hidden, sum_visible
from anonymizer.redact.scene import Scene, Target
from anonymizer.redact.solid import area_around, brightness, means_or_gray

LEVELS = 6
"""Values that the brightness of a cell can take."""


@dataclass(frozen=True, slots=True)
class Amid:
    """N objects in their cells, and their surroundings in cells on every side of them."""

    cells: npt.NDArray[np.float64]
    """(N, rows, columns): brightness, one of LEVELS values in the range of the picture."""
    around: npt.NDArray[np.float64]
    """(N, C): mean colour of what is visible around."""
    visible: Sums
    """(N, rows + 2, columns + 2, C + 1): sums of what is visible in the cells and those around, and their counts."""


def by_grid(targets: Sequence[Target]) -> Iterator[list[int]]:
    """Places in the sequence of those targets that have the same number of rows and of columns of cells.

    The cells are about square, and count at most `style.cells` along the longer side.
    """
    places: dict[tuple[int, int], list[int]] = {}
    for place, target in enumerate(targets):
        places.setdefault(_grid(target), []).append(place)
    yield from places.values()


def reduce_to_cells(scene: Scene, targets: Sequence[Target]) -> Amid:
    """The mean brightness of the pixels that are hidden for a target, cell by cell, each rounded to LEVELS values.

    Pixels hidden for other objects have no part in them.

    Args:
        targets: of the same number of rows and columns of cells, see `by_grid`.
    """
    y, x = cell_edges(targets)
    areas = [area_around(scene, target) for target in targets]
    wide_y = np.column_stack([[area.top for area in areas], y, [area.bottom for area in areas]])
    wide_x = np.column_stack([[area.left for area in areas], x, [area.right for area in areas]])
    visible = sum_visible(scene.planes, wide_y, wide_x)
    around = means_or_gray(visible.sum(axis=(1, 2)), scene.pixels.dtype)
    own = sum_hidden(scene.planes, np.array([target.number for target in targets], np.int32), y, x)
    # Where all of a cell is hidden for others, the object's mean stands in; for that, the colour around.
    own = np.where(own[..., -1:] > 0, own, own.sum(axis=(1, 2), keepdims=True))
    colors = np.where(
        own[..., -1:] > 0, own[..., :-1] / np.maximum(own[..., -1:], 1), around[:, np.newaxis, np.newaxis]
    )
    step = np.iinfo(scene.pixels.dtype).max // (LEVELS - 1)
    return Amid(np.rint(brightness(colors) / step) * step, around, visible)


def cell_edges(targets: Sequence[Target]) -> tuple[Integers, Integers]:
    """Where the rows and columns of cells of each target begin, and the last ones end, (N, rows + 1) and so on."""
    rows, columns = _grid(targets[0])
    cores = np.array(
        [[(core.top, core.left), (core.height, core.width)] for core in (target.region.core for target in targets)]
    )
    starts, lengths = cores[:, 0], cores[:, 1]
    y = starts[:, :1] + lengths[:, :1] * np.arange(rows + 1) // rows
    x = starts[:, 1:] + lengths[:, 1:] * np.arange(columns + 1) // columns
    return y.astype(np.int32), x.astype(np.int32)


def _grid(target: Target) -> tuple[int, int]:
    """How many rows and columns of cells a target has."""
    core, cells = target.region.core, target.style.cells
    return _count(core.height, core, cells), _count(core.width, core, cells)


def _count(length: int, core: PixelBox, cells: int) -> int:
    return min(length, max(1, round(length * cells / core.longer_side)))
