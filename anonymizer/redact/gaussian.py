"""`gaussian`: looks like a strong Gaussian blur, and hides an object of any size equally well.

Only the brightness of one cell or a few is known of the object. It is painted in the colour of the surroundings, and
with Gaussian weights into what is visible around. So the output holds no more of a large face than of a small one: a
plain blur of the same look would leave traces below it that averaging over many pixels brings back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anonymizer.redact.cells import Amid, by_grid, reduce_to_cells
from anonymizer.redact.pixelwise import Integers, Surface
from anonymizer.redact.scene import Scene, Target
from anonymizer.redact.solid import brightness


def paint(scene: Scene, targets: Sequence[Target]) -> list[Surface]:
    """What replaces the targets, each (height, width, C) of its reach."""
    colors = colors_of(scene, targets)
    reaches = [target.region.reach for target in targets]
    return [
        Surface(
            target.region.core,
            np.arange(reach.top, reach.bottom, dtype=np.int32),
            np.arange(reach.left, reach.right, dtype=np.int32),
            cells,
        )
        for target, reach, cells in zip(targets, reaches, colors, strict=True)
    ]


def colors_of(scene: Scene, targets: Sequence[Target]) -> list[Integers]:
    """The colours of the cells of each target, and on every side one more, int32 (rows + 2, columns + 2, C)."""
    colors: dict[int, Integers] = {}  # by the place of the target
    maximum = np.iinfo(scene.pixels.dtype).max
    for places in by_grid(targets):
        amid = reduce_to_cells(scene, [targets[place] for place in places])
        colors.update(zip(places, _with_surroundings(amid, maximum), strict=True))
    return [colors[place] for place in range(len(targets))]


def _with_surroundings(amid: Amid, maximum: int) -> Integers:
    """The cells in the colour of the surroundings, and on every side one more of the mean colour of what is visible
    there, (N, rows + 2, columns + 2, C)."""
    tint = amid.around - brightness(amid.around)[:, np.newaxis]
    tinted = (amid.cells[..., np.newaxis] + tint[:, np.newaxis, np.newaxis]).clip(0, maximum)
    wide = np.pad(tinted, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")  # where nothing is visible, the cells go on
    counts = amid.visible[..., -1:].copy()
    counts[:, 1:-1, 1:-1] = 0
    np.divide(amid.visible[..., :-1], counts, out=wide, where=counts > 0)
    return np.asarray(np.rint(wide), np.int32)
