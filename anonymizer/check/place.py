"""Where in a picture a box lies."""

from __future__ import annotations

from math import ceil, floor
from typing import TypeAlias

from anonymizer.types import Box

Place: TypeAlias = tuple[slice, slice]
"""Rows and columns: indexes an array (H, W, ...)."""


def place_of(box: Box, shape: tuple[int, ...], around_px: int = 0) -> Place:
    """The pixels that a box touches, at least one, and so many around them, as far as the picture reaches.

    Args:
        shape: of an array (H, W, ...).
    """
    height, width = shape[:2]
    top, left = min(max(0, floor(box.y_min)), height - 1), min(max(0, floor(box.x_min)), width - 1)
    bottom, right = max(top + 1, min(height, ceil(box.y_max))), max(left + 1, min(width, ceil(box.x_max)))
    rows = slice(max(0, top - around_px), min(height, bottom + around_px))
    return rows, slice(max(0, left - around_px), min(width, right + around_px))
