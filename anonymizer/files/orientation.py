"""Orientation: how a stored picture is turned upright, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

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
    transpose, flip_vertical, flip_horizontal = _TURNS[orientation]
    upright = stored.swapaxes(0, 1) if transpose else stored
    upright = upright[::-1] if flip_vertical else upright
    return np.ascontiguousarray(upright[:, ::-1] if flip_horizontal else upright)


def turn_back(upright: npt.NDArray[_Plane], orientation: int) -> npt.NDArray[_Plane]:
    """The inverse of `turn_upright`."""
    transpose, flip_vertical, flip_horizontal = _TURNS[orientation]
    stored = upright[:, ::-1] if flip_horizontal else upright
    stored = stored[::-1] if flip_vertical else stored
    return np.ascontiguousarray(stored.swapaxes(0, 1) if transpose else stored)
