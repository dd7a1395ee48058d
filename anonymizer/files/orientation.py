"""Orientation: how a stored picture is turned upright, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import Box, Point
from anonymizer.outlines import Drawn, turned

_Plane = TypeVar("_Plane", bound=np.generic)

# EXIF orientation (1..8): how the stored picture is turned upright, and back. Transposed? Then flipped
# top-bottom? Then flipped left-right? (CIPA DC-008, tag 0x0112.)
_TURNS: Mapping[int, tuple[bool, bool, bool]] = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def turn_upright(stored: npt.NDArray[_Plane], orientation: int) -> npt.NDArray[_Plane]:
    """Turns a stored picture, (H, W, ...), as its EXIF orientation asks."""
    return np.ascontiguousarray(view_upright(stored, orientation))


def view_upright(stored: npt.NDArray[_Plane], orientation: int) -> npt.NDArray[_Plane]:
    """The same as a view: what is written into it is written into the stored picture."""
    transpose, flip_vertical, flip_horizontal = _TURNS[orientation]
    upright = stored.swapaxes(0, 1) if transpose else stored
    upright = upright[::-1] if flip_vertical else upright
    return upright[:, ::-1] if flip_horizontal else upright


def turn_back(upright: npt.NDArray[_Plane], orientation: int) -> npt.NDArray[_Plane]:
    """The inverse of `turn_upright`."""
    transpose, flip_vertical, flip_horizontal = _TURNS[orientation]
    stored = upright[:, ::-1] if flip_horizontal else upright
    stored = stored[::-1] if flip_vertical else stored
    return np.ascontiguousarray(stored.swapaxes(0, 1) if transpose else stored)


def turn_box_back(box: Box, orientation: int, size: tuple[int, int]) -> Box:
    """Where a box of a picture that `turn_upright` turned lies in the picture before.

    Args:
        size: height and width of the turned picture.
    """
    transpose, flip_vertical, flip_horizontal = _TURNS[orientation]
    (height, width), (x_min, y_min, x_max, y_max) = size, box.xyxy
    if flip_horizontal:
        x_min, x_max = width - x_max, width - x_min
    if flip_vertical:
        y_min, y_max = height - y_max, height - y_min
    return Box(y_min, x_min, y_max, x_max) if transpose else Box(x_min, y_min, x_max, y_max)


def turn_outline_back(outline: Drawn, orientation: int, size: tuple[int, int]) -> Drawn:
    """The same of an outline."""

    def back(point: Point) -> Point:
        x, y = point
        return turn_box_back(Box(x, y, x, y), orientation, size).xyxy[:2]

    return turned(outline, back)


def orientation_of(turn: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]) -> int:
    """The orientation by which `turn_upright` turns pictures as a function does, by quarters or mirrored."""
    picture = np.arange(6).reshape(2, 3)
    turned = turn(picture)
    return next(one for one in _TURNS if np.array_equal(turn_upright(picture, one), turned))


def turn_between(orientation: int, other: int) -> int:
    """The orientation that turns a picture, upright by one orientation, as it would be upright by another."""
    return orientation_of(lambda upright: turn_upright(turn_back(upright, orientation), other))
