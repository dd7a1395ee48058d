"""The parts and sizes in which a model looks at a picture.

A large picture is cut into overlapping tiles, so that memory stays bounded, and looked at once more as a whole, shrunk,
for the objects that are larger than the overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.types import Pixels8

TILE = 2048
"""Height and width of a tile in pixels. CenterFace takes some 0.4 GB for one."""
OVERLAP = 256
"""Pixels that neighbouring tiles share. Each object up to this size lies wholly in one of them."""
_EDGE = 4.0
"""An object that ends so many pixels from where a tile was cut may go on beyond."""


@dataclass(frozen=True)
class View:
    """A part of a picture, shrunk perhaps."""

    pixels: Pixels8
    top: int = 0
    left: int = 0
    """Where the view begins, in pixels of the picture."""
    scale_y: float = 1.0
    scale_x: float = 1.0
    """Pixels of the picture per pixel of the view."""
    cut_bottom: bool = False
    cut_right: bool = False
    """Whether the picture goes on there."""

    @property
    def is_shrunk(self) -> bool:
        return self.scale_y > 1

    def is_cut_off(self, boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Which boxes, (N, 4) y_min, x_min, y_max, x_max in pixels of the view, another tile shows whole."""
        height, width = self.pixels.shape[:2]
        reaches_cut = (
            ((boxes[:, 0] < _EDGE) & (self.top > 0))
            | ((boxes[:, 1] < _EDGE) & (self.left > 0))
            | ((boxes[:, 2] > height - _EDGE) & self.cut_bottom)
            | ((boxes[:, 3] > width - _EDGE) & self.cut_right)
        )
        size = boxes[:, 2:] - boxes[:, :2]
        return np.asarray(reaches_cut & (size.max(axis=1) < OVERLAP - 2 * _EDGE))


def views_of(picture: Pixels8, longest_sides: Sequence[int]) -> Iterator[View]:
    """The views in which a model looks at a picture.

    Args:
        longest_sides: the picture is shrunk so that its longest side is at most each of these lengths in pixels, but
            never enlarged; sizes that come out the same count once. Without any length it is taken as it is.
    """
    longest = max(picture.shape[:2])
    for scale in sorted({min(1.0, side / longest) for side in longest_sides} or {1.0}):
        yield from _tiles(_shrunk(picture, scale))


def _tiles(view: View) -> Iterator[View]:
    """The view itself, or if it is too large its tiles and, shrunk, itself."""
    height, width = view.pixels.shape[:2]
    if height * width <= TILE * TILE:
        yield view
        return
    whole = _shrunk(view.pixels, TILE / max(height, width))
    yield View(whole.pixels, 0, 0, whole.scale_y * view.scale_y, whole.scale_x * view.scale_x)
    for top in _starts(height):
        for left in _starts(width):
            yield View(
                np.ascontiguousarray(view.pixels[top : top + TILE, left : left + TILE]),
                round(top * view.scale_y),
                round(left * view.scale_x),
                view.scale_y,
                view.scale_x,
                cut_bottom=top + TILE < height,
                cut_right=left + TILE < width,
            )


def _starts(length: int) -> list[int]:
    """Where the tiles along a side begin: evenly spread, with at least OVERLAP pixels in common."""
    number = max(1, ceil((length - OVERLAP) / (TILE - OVERLAP)))
    return [round(index * (length - TILE) / (number - 1)) for index in range(number)] if number > 1 else [0]


def _shrunk(picture: Pixels8, scale: float) -> View:
    if scale >= 1.0:
        return View(picture)
    height, width = picture.shape[:2]
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    pixels = cv2.resize(picture, (new_width, new_height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return View(pixels, scale_y=height / new_height, scale_x=width / new_width)
