"""`mosaic`: the cells themselves, with sharp edges."""

from __future__ import annotations

import numpy as np

from anonymizer.redact.cells import cell_areas, reduce_to_cells
from anonymizer.redact.scene import Scene, Target
from anonymizer.types import Pixels


def paint(scene: Scene, target: Target) -> Pixels:
    """What replaces the target: as the picture, (height, width, C) of its reach."""
    cells, areas = reduce_to_cells(scene, target), cell_areas(target)
    core, reach = target.region.core, target.region.reach
    painted = cells.repeat([row[0].height for row in areas], axis=0).repeat([a.width for a in areas[0]], axis=1)
    # Beyond the core the outermost colours go on.
    rows = (np.arange(reach.top, reach.bottom) - core.top).clip(0, core.height - 1)
    columns = (np.arange(reach.left, reach.right) - core.left).clip(0, core.width - 1)
    extended: Pixels = painted[np.ix_(rows, columns)]
    return extended
