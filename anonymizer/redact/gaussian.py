"""`gaussian`: looks like a strong Gaussian blur, and hides an object of any size equally well.

Nothing is known of the object, which gets one tone; or the brightness of one cell or a few, in the colour of the
surroundings. It is blended with Gaussian weights into what is visible around. So the output holds no more of a large
face than of a small one. A plain blur of the same look would leave faint traces, which averaging over many pixels
brings back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anonymizer.redact.blending import GradientPatch
from anonymizer.redact.cells import padded_cells
from anonymizer.redact.planes import Integers
from anonymizer.redact.scene import RedactionTarget, Scene


def paint(scene: Scene, targets: Sequence[RedactionTarget]) -> list[GradientPatch]:
    """What replaces the targets, each (height, width, C) of its bounds."""
    return [smooth(target, cells) for target, cells in zip(targets, padded_cells(scene, targets), strict=True)]


def smooth(target: RedactionTarget, cells: Integers) -> GradientPatch:
    """The cells of a target, with one more on every side, in soft transitions."""
    bounds = target.region.bounds
    rows = np.arange(bounds.top, bounds.bottom, dtype=np.int32)
    columns = np.arange(bounds.left, bounds.right, dtype=np.int32)
    return GradientPatch(target.region.core, rows, columns, cells)
