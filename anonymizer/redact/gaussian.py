"""`gaussian`: looks like a strong Gaussian blur, and hides an object of any size equally well.

Only the brightness of one cell or a few is known of the object. It is painted in the colour of the surroundings, and
with Gaussian weights into what is visible around. So the output holds no more of a large face than of a small one: a
plain blur of the same look would leave traces below it that averaging over many pixels brings back.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.redact.cells import reduce_to_cells
from anonymizer.redact.mask import Area
from anonymizer.redact.scene import Scene, Target
from anonymizer.redact.solid import SURROUNDINGS, brightness, surroundings
from anonymizer.types import Pixels

SIGMA_CELLS = 0.5
"""Standard deviation of the Gaussian that paints the cells, in cells."""


def paint(scene: Scene, target: Target) -> Pixels:
    """What replaces the target: as the picture, (height, width, C) of its reach."""
    reach = target.region.reach
    return colors_at(scene, target, np.arange(reach.top, reach.bottom), np.arange(reach.left, reach.right))


def colors_at(scene: Scene, target: Target, y: npt.NDArray[np.int_], x: npt.NDArray[np.int_]) -> Pixels:
    """What is painted in these rows and columns of the picture, (len(y), len(x), C)."""
    cells = _amid_surroundings(scene, target, _tinted(scene, target))
    core = target.region.core
    rows = _weights((y + 0.5 - core.top) / core.height, cells.shape[0])
    columns = _weights((x + 0.5 - core.left) / core.width, cells.shape[1])
    painted: Pixels = np.empty((len(y), len(x), cells.shape[2]), scene.pixels.dtype)
    for channel in range(cells.shape[2]):
        np.rint(rows @ cells[:, :, channel] @ columns.T, out=painted[:, :, channel], casting="unsafe")
    return painted


def _tinted(scene: Scene, target: Target) -> npt.NDArray[np.float32]:
    """The cells in the colour of the surroundings, (rows, columns, C)."""
    around = surroundings(scene, target)
    colors = reduce_to_cells(scene, target)[:, :, np.newaxis] + (around - brightness(around))
    return colors.clip(0, np.iinfo(scene.pixels.dtype).max).astype(np.float32)


def _amid_surroundings(scene: Scene, target: Target, cells: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The cells with one more on every side, of the mean colour of what is visible there."""
    core, (rows, columns, channels) = target.region.core, cells.shape
    beyond = 1 + int(SURROUNDINGS * core.longer_side)
    y = [core.top - beyond, *(core.top + core.height * row // rows for row in range(rows + 1)), core.bottom + beyond]
    x = [core.left - beyond, *(core.left + core.width * n // columns for n in range(columns + 1)), core.right + beyond]
    wide = np.pad(cells, ((1, 1), (1, 1), (0, 0)), mode="edge")  # where nothing is visible, the cells go on
    whole = Area(y[0], x[0], y[-1], x[-1]).inside(scene.size)
    visible = scene.visible(whole)
    for row, column in np.ndindex(rows + 2, columns + 2):
        if 0 < row <= rows and 0 < column <= columns:
            continue
        around = Area(y[row], x[column], y[row + 1], x[column + 1]).inside(scene.size)
        if around.height <= 0 or around.width <= 0:
            continue
        part = visible[around.relative_to(whole).slices]
        if cv2.countNonZero(part):
            wide[row, column] = cv2.mean(scene.pixels[around.slices], mask=part)[:channels]
    return wide


def _weights(positions: npt.NDArray[np.float64], wide: int) -> npt.NDArray[np.float32]:
    """Weight of each cell for each pixel, (len(positions), wide); rows add up to 1.

    Args:
        positions: 0 and 1 are the ends of the core.
        wide: number of cells, of which the first and the last lie outside the core.
    """
    cells = wide - 2
    centres = (np.arange(wide) - 0.5) / cells
    distances_in_cells = (positions.clip(centres[0], centres[-1])[:, np.newaxis] - centres) * cells
    weights = np.exp(-(distances_in_cells**2) / (2 * SIGMA_CELLS**2))
    normalised: npt.NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised
