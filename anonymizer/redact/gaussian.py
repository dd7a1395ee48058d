"""`auto`: looks like a strong Gaussian blur, and hides an object of any size equally well.

Everything inside the core of a region is first averaged into at most CELLS x CELLS cells of 8 bits. The cells
alone are painted back, with Gaussian weights, so that the output holds no more of a large face than of a small
one: a plain blur of the same look would leave traces below it that averaging over many pixels brings back.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.redact.mask import Region
from anonymizer.types import Pixels

CELLS = 4
"""Cells along the longer side of a region."""
SIGMA_CELLS = 0.5
"""Standard deviation of the Gaussian that paints the cells, in cells."""


def paint(pixels: Pixels, region: Region) -> Pixels:
    """What replaces the region's reach: as `pixels`, (height, width, C) of `region.reach`."""
    cells = reduce_to_cells(pixels, region)
    core, reach = region.core, region.reach
    rows = _weights(reach.top, reach.bottom, core.top, core.bottom, cells.shape[0])
    columns = _weights(reach.left, reach.right, core.left, core.right, cells.shape[1])
    planes = [rows @ cells[:, :, channel].astype(np.float32) @ columns.T for channel in range(cells.shape[2])]
    painted: Pixels = np.rint(np.stack(planes, axis=2)).astype(pixels.dtype)
    return painted


def reduce_to_cells(pixels: Pixels, region: Region) -> Pixels:
    """The mean colours of the cells of a region's core: all that `paint` knows of it.

    As `pixels`, (rows, columns, C), with 256 different values at most in each channel.
    """
    core = region.core
    cell_size = max(core.height, core.width) / CELLS
    rows = min(core.height, max(1, round(core.height / cell_size)))
    columns = min(core.width, max(1, round(core.width / cell_size)))
    crop = np.ascontiguousarray(pixels[core.slices])
    means = cv2.resize(crop, (columns, rows), interpolation=cv2.INTER_AREA).reshape(rows, columns, -1)
    cells: Pixels = means.astype(pixels.dtype, copy=False)
    return np.rint(cells / 257).astype(np.uint16) * 257 if cells.dtype == np.uint16 else cells


def _weights(start: int, stop: int, core_start: int, core_stop: int, cells: int) -> npt.NDArray[np.float32]:
    """Weight of each cell for each pixel from start to stop, (stop - start, cells); rows add up to 1."""
    centres = (np.arange(cells) + 0.5) / cells
    positions = (np.arange(start, stop) + 0.5 - core_start) / (core_stop - core_start)
    # Beyond the core the outermost colours go on.
    distances_in_cells = (positions.clip(0, 1)[:, np.newaxis] - centres) * cells
    weights = np.exp(-(distances_in_cells**2) / (2 * SIGMA_CELLS**2))
    normalised: npt.NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised
