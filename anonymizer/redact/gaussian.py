"""`gaussian`: looks like a strong Gaussian blur, and hides an object of any size equally well.

Only the brightness of one cell or a few is known of the object. It is painted in the colour of the surroundings, and
with Gaussian weights into what is visible around. So the output holds no more of a large face than of a small one: a
plain blur of the same look would leave traces below it that averaging over many pixels brings back.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.redact.cells import Amid, reduce_to_cells
from anonymizer.redact.pixelwise import Surface, to_weights
from anonymizer.redact.scene import Scene, Target
from anonymizer.redact.solid import brightness

SIGMA_CELLS = 0.5
"""Standard deviation of the Gaussian that paints the cells, in cells."""


def paint(scene: Scene, target: Target) -> Surface:
    """What replaces the target, (height, width, C) of its reach."""
    reach = target.region.reach
    return colors_at(scene, target, np.arange(reach.top, reach.bottom), np.arange(reach.left, reach.right))


def colors_at(scene: Scene, target: Target, y: npt.NDArray[np.int_], x: npt.NDArray[np.int_]) -> Surface:
    """What is painted in these rows and columns of the picture, (len(y), len(x), C)."""
    amid, core = reduce_to_cells(scene, target), target.region.core
    cells = _with_surroundings(amid, np.iinfo(scene.pixels.dtype).max)
    rows = _weights((y + 0.5 - core.top) / core.height, cells.shape[0])
    columns = _weights((x + 0.5 - core.left) / core.width, cells.shape[1])
    return Surface(to_weights(rows), np.ascontiguousarray(to_weights(columns).T), np.rint(cells).astype(np.int32))


def _with_surroundings(amid: Amid, maximum: int) -> npt.NDArray[np.float64]:
    """The cells in the colour of the surroundings, and on every side one more of the mean colour of what is visible
    there, (rows + 2, columns + 2, C)."""
    tinted = amid.cells[:, :, np.newaxis] + (amid.around - brightness(amid.around))
    rows, columns = amid.cells.shape
    wide = tinted.clip(0, maximum)[[0, *range(rows), rows - 1]][:, [0, *range(columns), columns - 1]]
    sums, counts = amid.visible[:, :, :-1], amid.visible[:, :, -1:]
    is_shown = counts > 0  # where nothing is visible, the cells go on
    is_shown[1:-1, 1:-1] = False
    return np.where(is_shown, sums / np.maximum(counts, 1), wide)


def _weights(positions: npt.NDArray[np.float64], wide: int) -> npt.NDArray[np.float64]:
    """Weight of each cell for each pixel, (len(positions), wide).

    Args:
        positions: 0 and 1 are the ends of the core.
        wide: number of cells, of which the first and the last lie outside the core.
    """
    cells = wide - 2
    centres = (np.arange(wide) - 0.5) / cells
    distances_in_cells = (positions.clip(centres[0], centres[-1])[:, np.newaxis] - centres) * cells
    weights: npt.NDArray[np.float64] = np.exp(-(distances_in_cells**2) / (2 * SIGMA_CELLS**2))
    return weights
