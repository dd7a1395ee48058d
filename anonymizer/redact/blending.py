"""Puts what a method painted into the picture, by the share that the mask gives it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import PixelBox
from anonymizer.native import call
from anonymizer.redact.planes import Integers, Planes
from anonymizer.types import Pixels

_WEIGHT = 1 << 10
"""Sum of the weights of a pixel along each axis. This and the next must be as in blending.c."""
_CELL = 1 << 10
"""Units of distance in a cell."""
_SIGMA = 0.5
"""Standard deviation of the Gaussian that paints the cells, in cells."""
_BELL = np.rint(2**16 * np.exp(-(np.arange(4 * _CELL) ** 2) / (2 * (_SIGMA * _CELL) ** 2))).astype(np.int32)
"""Values of that Gaussian by the distance; beyond, it is 0."""
_MAX_CELLS = 18
"""Along an axis: the native code takes no more. Must be as in blending.c."""


@dataclass(frozen=True, slots=True)
class GradientPatch:
    """Colours of a grid of cells with smooth transitions: each pixel is the mean of the cells near it, by Gaussian
    weights of their distance along each axis.

    All values are integers, whose sums do not depend on the order of adding.
    """

    core: PixelBox
    """The area of all cells but the first and the last of each row and column, which lie around it."""
    y: Integers
    """int32 (height,): the row of the picture that each row of the patch shows."""
    x: Integers
    """int32 (width,): the column of the picture that each column of the patch shows."""
    cells: Integers
    """int32 (rows, columns, C): colours."""

    def to_pixels(self, dtype: npt.DTypeLike) -> Pixels:
        """(height, width, C)."""
        rows = _weights(self.y - self.core.top, self.core.height, self.cells.shape[0])
        columns = _weights(self.x - self.core.left, self.core.width, self.cells.shape[1]).T
        painted: Pixels = np.empty((len(self.y), len(self.x), self.cells.shape[2]), dtype)
        for channel in range(painted.shape[2]):
            sums = rows @ self.cells[:, :, channel] @ columns
            painted[:, :, channel] = (sums + _WEIGHT**2 // 2) // _WEIGHT**2
        return painted


def _weights(positions: Integers, length: int, cells: int) -> npt.NDArray[np.int64]:
    """The weight of each cell for each of N pixels, (N, cells): they add up to _WEIGHT.

    Args:
        positions: of the pixels, from where the second cell begins.
        length: in pixels, of all cells but the first and the last.
    """
    inner = cells - 2
    ends = -_CELL // 2, inner * _CELL + _CELL // 2  # centres of the first and the last cell
    places = ((2 * positions.astype(np.int64) + 1) * (inner * _CELL // 2) // length).clip(*ends)
    distances = np.abs(places[:, np.newaxis] - (np.arange(cells) * _CELL - _CELL // 2))
    weights = np.where(distances < len(_BELL), _BELL[distances.clip(0, len(_BELL) - 1)], 0)
    sums = weights.cumsum(axis=1, dtype=np.int64)
    total = sums[:, -1:]
    weighed: npt.NDArray[np.int64] = np.diff((2 * _WEIGHT * sums + total) // (2 * total), axis=1, prepend=0)
    return weighed


def blend(planes: Planes, bounds: PixelBox, number: int, painted: Pixels | GradientPatch) -> None:
    """Puts what was painted for a target into the pixels that belong to it, by its share of each.

    Args:
        bounds: of the target's region.
        number: of the target.
        painted: (height, width, C) of the bounds.
    """
    if isinstance(painted, GradientPatch) and planes.native_library is not None:
        _blend_natively(planes, bounds, number, painted)
        return
    pixels, part = planes.pixels, bounds.slices
    replacement = painted.to_pixels(pixels.dtype) if isinstance(painted, GradientPatch) else painted
    share = planes.mask[part] * (planes.owners[part] == number)
    colors = pixels[part].astype(np.float32)
    change = (replacement - colors) * share[:, :, np.newaxis]
    pixels[part] = np.floor(colors + change + np.float32(0.5))


def _blend_natively(planes: Planes, bounds: PixelBox, number: int, patch: GradientPatch) -> None:
    library, core, (rows, columns) = planes.native_library, patch.core, patch.cells.shape[:2]
    assert library is not None
    if max(rows, columns) > _MAX_CELLS:
        raise ValueError(f"{rows} x {columns} cells")
    corners = bounds.top, bounds.left, bounds.bottom, bounds.right
    axes = core.top, core.height, patch.y, core.left, core.width, patch.x
    cells = patch.cells, rows, columns
    call(library.blend_surface, planes.addresses, *corners, number, *axes, *cells, _BELL, len(_BELL))
