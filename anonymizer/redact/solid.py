"""`solid`: one colour, chosen by the user, or that of the surroundings."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.redact.scene import Scene, Target
from anonymizer.types import Pixels

LUMA = (0.299, 0.587, 0.114)
"""Brightness of red, green and blue (ITU-R BT.601)."""
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
    return color if scene.pixels.shape[2] == 3 else np.array([brightness(color)])


def brightness(color: npt.NDArray[np.float64]) -> float:
    """Of a colour (3,) or of a gray (1,)."""
    return float(color @ LUMA) if len(color) == len(LUMA) else float(color[0])


def surroundings(scene: Scene, target: Target) -> npt.NDArray[np.float64]:
    """Mean colour of what is visible around the target, (C,); medium gray where nothing is."""
    reach, channels = target.region.reach, scene.pixels.shape[2]
    by = 1 + int(SURROUNDINGS * reach.longer_side)
    around = reach.grown(by, by).inside(scene.size)
    visible = scene.visible(around)
    if not visible.any():
        return np.full(channels, np.iinfo(scene.pixels.dtype).max / 2)
    return np.array(cv2.mean(scene.pixels[around.slices], mask=visible)[:channels])
