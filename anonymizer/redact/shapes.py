"""The shapes that hide an object, in one table: the box around it, and the ellipse through the corners of that box.

A shape says how large it is for a detected box, and draws itself into the mask. `draw_share` takes the share of each
pixel from an array, so that it draws a shape of any outline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer import native
from anonymizer.geometry import Box, PixelBox, Shape
from anonymizer.redact.planes import Mask, Planes

Outline: TypeAlias = Callable[[Box, float, tuple[int, int]], PixelBox]
"""(box, margin, size of the picture) -> the smallest area that holds the shape, which may extend beyond the picture."""
Draw: TypeAlias = Callable[[Planes, PixelBox, PixelBox, int, int], None]
"""(planes, outline, bounds, feather_px, number): claims pixels for the target of this number, see `draw_share`."""


@dataclass(frozen=True, slots=True)
class MaskShape:
    """A way to hide a box. All of the box is hidden, whatever the shape."""

    outline: Outline
    draw: Draw


def outline_of_ellipse(box: Box, margin: float, size: tuple[int, int]) -> PixelBox:
    """The smallest area around the ellipse through the corners of the box's pixels, widened by a margin.

    Args:
        margin: widens the ellipse on every side by this share of the box's width and height.
        size: height and width of the picture.
    """
    pixels = PixelBox.around(box, size)
    # The ellipse through the corners of a rectangle is the square root of 2 times as large.
    beyond_y = ceil((sqrt(2) - 1) / 2 * pixels.height + margin * box.height)
    beyond_x = ceil((sqrt(2) - 1) / 2 * pixels.width + margin * box.width)
    return pixels.grown(beyond_y, beyond_x)


def outline_of_box(box: Box, margin: float, size: tuple[int, int]) -> PixelBox:
    """The pixels that the box touches, widened by a margin."""
    return PixelBox.around(box, size, margin)


def draw_share(planes: Planes, bounds: PixelBox, share: Mask, number: int) -> None:
    """Claims pixels for a target: those of which it has a larger share than any target drawn before.

    Args:
        bounds: an area inside the picture.
        share: in [0, 1], how much of each pixel of the area is replaced, (height, width).
        number: of the target.
    """
    part = bounds.slices
    wins = share > planes.mask[part]
    np.copyto(planes.mask[part], share, where=wins)
    np.copyto(planes.owners[part], number, where=wins)


def draw_box(planes: Planes, outline: PixelBox, bounds: PixelBox, feather_px: int, number: int) -> None:
    """Claims the pixels of a rectangle with a soft edge around it, see `draw_share`."""
    rows = _ramp(bounds.top, bounds.bottom, outline.top, outline.bottom, feather_px)
    columns = _ramp(bounds.left, bounds.right, outline.left, outline.right, feather_px)
    draw_share(planes, bounds, np.outer(rows, columns), number)


def _ramp(start: int, stop: int, full_start: int, full_stop: int, feather_px: int) -> npt.NDArray[np.float32]:
    """1 from full_start to full_stop; outside it 1 - d / (feather_px + 1) at d pixels from there."""
    positions = np.arange(start, stop)
    distance = np.maximum(np.maximum(full_start - positions, positions - full_stop + 1), 0)
    return (1 - distance / (feather_px + 1)).astype(np.float32)


def draw_ellipse(planes: Planes, outline: PixelBox, bounds: PixelBox, feather_px: int, number: int) -> None:
    """Claims the pixels of the ellipse in an outline with a soft edge around it, see `draw_share`."""
    library = native.library()  # draws in the mask alone, so that the pixels may have any depth
    if library is None:
        draw_share(planes, bounds, share_of_ellipse(outline, bounds, feather_px), number)
        return
    corners = bounds.top, bounds.left, bounds.bottom, bounds.right
    native.call(library.draw_ellipse, planes.addresses, *corners, *_axes(outline), feather_px, number)


def share_of_ellipse(outline: PixelBox, bounds: PixelBox, feather_px: int) -> Mask:
    """The share of each pixel that an ellipse with a soft edge replaces, (height, width) of its bounds.

    It is 1 on the pixels whose centres lie in the ellipse, and 0 outside the ellipse that is larger by the edge. In
    between it falls linearly along each ray from the centre.
    """
    centre_y, semi_axis_y, centre_x, semi_axis_x = _axes(outline)
    # Shares of the squares of the semi-axes: on an ellipse they add up to 1.
    y = np.square(np.arange(bounds.top, bounds.bottom) + (0.5 - centre_y))
    x = np.square(np.arange(bounds.left, bounds.right) + (0.5 - centre_x))
    inner, outer = (
        np.add.outer((y / (semi_axis_y + by) ** 2).astype(np.float32), (x / (semi_axis_x + by) ** 2).astype(np.float32))
        for by in (0, feather_px)
    )
    one = np.float32(1)
    with np.errstate(divide="ignore", invalid="ignore"):  # in the centre, where the result is not used
        reciprocal = one / np.sqrt(outer)
        slope = (reciprocal - one) / (reciprocal - one / np.sqrt(inner))
    share: Mask = np.where(inner <= 1, one, np.where(outer < 1, slope, np.float32(0)))
    return share


def _axes(outline: PixelBox) -> tuple[float, float, float, float]:
    """Centre and semi-axis of the ellipse in an outline, first of the rows, then of the columns."""
    centre_y, centre_x = (outline.top + outline.bottom) / 2, (outline.left + outline.right) / 2
    return centre_y, outline.height / 2, centre_x, outline.width / 2


MASK_SHAPES: Mapping[Shape, MaskShape] = {
    "ellipse": MaskShape(outline_of_ellipse, draw_ellipse),
    "box": MaskShape(outline_of_box, draw_box),
}
"""One for each name in `anonymizer.geometry.SHAPES`."""
