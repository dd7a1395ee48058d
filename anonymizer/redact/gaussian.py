"""`gaussian`: looks like a strong Gaussian blur, and hides an object of any size equally well.

The object is first averaged into a few cells, and these alone are painted back, with Gaussian weights, so that the
output holds no more of a large face than of a small one: a plain blur of the same look would leave traces below it
that averaging over many pixels brings back.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.redact.cells import reduce_to_cells
from anonymizer.redact.scene import Scene, Target
from anonymizer.types import Pixels

SIGMA_CELLS = 0.5
"""Standard deviation of the Gaussian that paints the cells, in cells."""


def paint(scene: Scene, target: Target) -> Pixels:
    """What replaces the target: as the picture, (height, width, C) of its reach."""
    cells = reduce_to_cells(scene, target)
    core, reach = target.region.core, target.region.reach
    rows = _weights(reach.top, reach.bottom, core.top, core.bottom, cells.shape[0])
    columns = _weights(reach.left, reach.right, core.left, core.right, cells.shape[1])
    planes = [rows @ cells[:, :, channel].astype(np.float32) @ columns.T for channel in range(cells.shape[2])]
    painted: Pixels = np.rint(np.stack(planes, axis=2)).astype(cells.dtype)
    return painted


def _weights(start: int, stop: int, core_start: int, core_stop: int, cells: int) -> npt.NDArray[np.float32]:
    """Weight of each cell for each pixel from start to stop, (stop - start, cells); rows add up to 1."""
    centres = (np.arange(cells) + 0.5) / cells
    positions = (np.arange(start, stop) + 0.5 - core_start) / (core_stop - core_start)
    # Beyond the core the outermost colours go on.
    distances_in_cells = (positions.clip(0, 1)[:, np.newaxis] - centres) * cells
    weights = np.exp(-(distances_in_cells**2) / (2 * SIGMA_CELLS**2))
    normalised: npt.NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised
