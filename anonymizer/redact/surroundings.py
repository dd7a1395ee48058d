"""What is visible around a target: all that the methods may show of its place in the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import PixelBox
from anonymizer.redact.scene import RedactionTarget, Scene
from anonymizer.redact.sums import Sums, sum_visible

SURROUNDINGS = 0.25
"""How far the surroundings of an object extend, as a share of its longer side."""


def area_around(scene: Scene, target: RedactionTarget) -> PixelBox:
    """The target with its surroundings."""
    bounds = target.region.bounds
    by = 1 + int(SURROUNDINGS * bounds.longer_side)
    return bounds.grown(by, by).inside(scene.size)


def mean_around(scene: Scene, target: RedactionTarget) -> npt.NDArray[np.float64]:
    """Mean colour of what is visible around the target, (C,); medium gray where nothing is."""
    around = area_around(scene, target)
    y, x = np.array([[around.top, around.bottom]], np.int32), np.array([[around.left, around.right]], np.int32)
    color: npt.NDArray[np.float64] = means_or_gray(sum_visible(scene, y, x)[:, 0, 0], scene.pixels.dtype)[0]
    return color


def means_or_gray(sums: Sums, dtype: npt.DTypeLike) -> npt.NDArray[np.float64]:
    """Mean colours, (N, C), from sums of pixels, (N, C + 1); medium gray for sums of no pixels."""
    gray = np.iinfo(np.dtype(dtype)).max / 2
    return np.where(sums[:, -1:] > 0, sums[:, :-1] / np.maximum(sums[:, -1:], 1), gray)
