"""`image`: another picture is laid over the object, on a background of one colour."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, exp, floor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.files.overlay import read_overlay
from anonymizer.geometry import PixelBox
from anonymizer.redact.colors import LUMA, chosen_color
from anonymizer.redact.drawings import DRAW
from anonymizer.redact.scene import RedactionStyle, RedactionTarget, Scene
from anonymizer.settings import Drawing
from anonymizer.types import Pixels

SIDE, SIDE_SPREAD, SHIFT, FARTHEST = 1.3, 0.5, 0.4, 2.5
"""A drawing over an ellipse is a square, of SIDE times the longer side in the median. The logarithm of its size and the
place of its centre are normally distributed, with these standard deviations (SHIFT in longer sides), up to FARTHEST of
them. A drawing that fitted the ellipse told the proportions and the place of the face's box, and with them who it is.
So did one that always covered it, less often: a place within a range says where the box cannot be. See
anonymizer/audit/README.md."""
SMALLEST_LEVEL_PX = 16
"""The overlay is halved until its shorter side is at most this long."""
STRIP_ROWS = 256
"""An overlay is enlarged in strips of so many rows."""


def paint(scene: Scene, target: RedactionTarget) -> Pixels:
    """What replaces the target: dtype of the picture, (height, width, C) of its bounds."""
    maximum = np.iinfo(scene.pixels.dtype).max
    colors, opacity = overlay_on(target)
    over = colors if scene.pixels.shape[2] == 3 else (colors @ np.array(LUMA, np.float32))[:, :, np.newaxis]
    laid = over * maximum + (1 - opacity)[:, :, np.newaxis] * chosen_color(scene, target)
    painted: Pixels = np.rint(laid).clip(0, maximum).astype(scene.pixels.dtype)
    return painted


def overlay_on(target: RedactionTarget) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The overlay for a target: colours times opacity, (height, width, 3) of its bounds, and opacity, in [0, 1]."""
    laid, bounds = place_of(target), target.region.bounds
    rgba = np.zeros((bounds.height, bounds.width, 4), np.float32)
    rows = range(max(laid.top, bounds.top), min(laid.bottom, bounds.bottom))
    columns = range(max(laid.left, bounds.left), min(laid.right, bounds.right))
    if rows and columns:
        part = _part(rows, laid.top), _part(columns, laid.left)
        rgba[_part(rows, bounds.top), _part(columns, bounds.left)] = _scaled(
            target.style, laid.height, laid.width, part
        )
    return rgba[:, :, :3], rgba[:, :, 3]


def place_of(target: RedactionTarget) -> PixelBox:
    """Where the overlay of a target lies. It may extend beyond its bounds and beyond the picture."""
    region = target.region
    whole = region.whole.grown(region.feather_px, region.feather_px)
    if target.style.overlay is not None or region.shape != "ellipse" or region.outline is not None:
        return whole
    larger, down, right = np.random.default_rng(target.seed).standard_normal(3).clip(-FARTHEST, FARTHEST).tolist()
    side = whole.longer_side * SIDE * exp(SIDE_SPREAD * larger)
    top = (whole.top + whole.bottom - side) / 2 + SHIFT * whole.longer_side * down
    left = (whole.left + whole.right - side) / 2 + SHIFT * whole.longer_side * right
    return PixelBox(floor(top), floor(left), ceil(top + side), ceil(left + side))


def _part(pixels: range, origin: int) -> slice:
    return slice(pixels.start - origin, pixels.stop - origin)


def _scaled(style: RedactionStyle, height: int, width: int, part: tuple[slice, slice]) -> npt.NDArray[np.float32]:
    """A part of the overlay at this size: RGBA with colours multiplied by opacity, in [0, 1]."""
    levels = _levels(style.overlay, style.drawing)
    smallest = next((level for level in reversed(levels) if level.shape[0] >= height and level.shape[1] >= width), None)
    source = levels[0] if smallest is None else smallest
    if source.shape[0] > height or source.shape[1] > width:
        return np.asarray(cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA)[part], np.float32)
    # Row by row, a few at a time: the whole may be many times as large as the part.
    rows = cv2.resize(source, (source.shape[1], height), interpolation=cv2.INTER_LINEAR)[part[0]]
    scaled = np.empty((len(rows), part[1].stop - part[1].start, 4), np.float32)
    for start in range(0, len(rows), STRIP_ROWS):
        strip = rows[start : start + STRIP_ROWS]
        wide = cv2.resize(strip, (width, len(strip)), interpolation=cv2.INTER_LINEAR)
        scaled[start : start + STRIP_ROWS] = wide[:, part[1]]
    return scaled


@lru_cache(maxsize=4)
def _levels(overlay: Path | None, drawing: Drawing) -> list[npt.NDArray[np.float32]]:
    """The overlay, RGBA with colours multiplied by opacity, in [0, 1]: at its own size, then halved again and again."""
    rgba = (DRAW[drawing]() if overlay is None else read_overlay(overlay)).astype(np.float32) / 255
    rgba[:, :, :3] *= rgba[:, :, 3:]
    levels = [np.asarray(rgba, np.float32)]
    while min(levels[-1].shape[:2]) > SMALLEST_LEVEL_PX:
        half = (levels[-1].shape[1] // 2, levels[-1].shape[0] // 2)
        levels.append(np.asarray(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA), np.float32))
    return levels
