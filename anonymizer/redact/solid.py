"""`solid`: one colour, chosen by the user, or that of the surroundings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import PixelBox
from anonymizer.redact.pixelwise import Sums, sum_visible
from anonymizer.redact.scene import Scene, Target
from anonymizer.types import Pixels

LUMA = (0.299, 0.587, 0.114)
"""Brightness of red, green and blue (ITU-R BT.601)."""
_LUMA = np.array(LUMA)
SURROUNDINGS = 0.25
"""What is around an object reaches so far, as a share of its longer side."""


def paint(scene: Scene, target: Target) -> Pixels:
    """What replaces the target: as the picture, (height, width, C) of its reach."""
    reach = target.region.reach
    color = np.rint(color_of(scene, target)).astype(scene.pixels.dtype)
    return np.broadcast_to(color, (reach.height, reach.width, len(color)))


def color_of(scene: Scene, target: Target) -> npt.NDArray[np.float64]:
    """The colour that is asked for, (C,), in the range of values of the picture."""
    if target.style.color == "mean":
        return surroundings(scene, target)
    color = np.array([*bytes.fromhex(target.style.color[1:])], np.float64)
    color *= np.iinfo(scene.pixels.dtype).max / 255
    return color if scene.pixels.shape[2] == 3 else brightness(color)[np.newaxis]


def brightness(colors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of colours (..., 3) or grays (..., 1): (...)."""
    return colors @ _LUMA if colors.shape[-1] == len(LUMA) else colors[..., 0]


def surroundings(scene: Scene, target: Target) -> npt.NDArray[np.float64]:
    """Mean colour of what is visible around the target, (C,); medium gray where nothing is."""
    around = area_around(scene, target)
    y, x = np.array([[around.top, around.bottom]], np.int32), np.array([[around.left, around.right]], np.int32)
    color: npt.NDArray[np.float64] = means_or_gray(sum_visible(scene.planes, y, x)[:, 0, 0], scene.pixels.dtype)[0]
    return color


def area_around(scene: Scene, target: Target) -> PixelBox:
    """The target with its surroundings."""
    reach = target.region.reach
    by = 1 + int(SURROUNDINGS * reach.longer_side)
    return reach.grown(by, by).inside(scene.size)


def means_or_gray(sums: Sums, dtype: npt.DTypeLike) -> npt.NDArray[np.float64]:
    """Mean colours, (N, C), of pixels of which the sums, and behind them the numbers, are known, (N, C + 1)."""
    gray = np.iinfo(np.dtype(dtype)).max / 2
    return np.where(sums[:, -1:] > 0, sums[:, :-1] / np.maximum(sums[:, -1:], 1), gray)
