"""Colours: their brightness, and the one that the user chose."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.redact.scene import RedactionTarget, Scene
from anonymizer.redact.surroundings import mean_around
from anonymizer.types import Pixels

LUMA = (0.299, 0.587, 0.114)
"""Brightness of red, green and blue (ITU-R BT.601)."""
_LUMA = np.array(LUMA)


def brightness(colors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Brightness (...) of colours (..., 3) or grays (..., 1). Bands behind them do not count."""
    return colors[..., : len(LUMA)] @ _LUMA if colors.shape[-1] >= len(LUMA) else colors[..., 0]


def chosen_color(scene: Scene, target: RedactionTarget) -> npt.NDArray[np.float64]:
    """The colour of the target's style, (C,), in the range of values of the picture."""
    if target.style.color == "mean":
        return mean_around(scene, target)
    return in_range_of(scene.pixels, target.style.color)


def in_range_of(pixels: Pixels, color: str) -> npt.NDArray[np.float64]:
    """A colour #rrggbb in the range of values of a picture, (C,); gray in a gray one."""
    values = np.array([*bytes.fromhex(color[1:])], np.float64) * (np.iinfo(pixels.dtype).max / 255)
    return values if pixels.shape[2] == 3 else brightness(values)[np.newaxis]
