"""The shapes that hide an object, in one table: the box around it, and the ellipse through the corners of that box.

A shape says how large it is for a detected box, and draws itself into the mask. `draw_share` takes the share of each
pixel from an array, so that it draws any shape. `draw_outline` draws what a person or a zone says exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, sqrt
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer import native
from anonymizer.geometry import Box, PixelBox, Shape
from anonymizer.outlines import Drawn, Outline, RestOutline, moved
from anonymizer.redact.planes import Mask, Planes
from anonymizer.redact.touched import touched_pixels

Whole: TypeAlias = Callable[[Box, float, tuple[int, int]], PixelBox]
"""(box, margin, size of the picture) -> the smallest area that holds the shape, which may extend beyond the picture."""
Draw: TypeAlias = Callable[[Planes, PixelBox, PixelBox, int, int], None]
"""(planes, whole, bounds, feather_px, number): claims pixels for the target of this number, see `draw_share`."""

FARTHEST_EXACT_PX = 1024
"""Outlines with more margin and soft edge are not drawn pixel by pixel: a box may be far larger than its picture."""


@dataclass(frozen=True, slots=True)
class MaskShape:
    """A way to hide a box. All of the box is hidden, whatever the shape."""

    whole: Whole
    draw: Draw


def whole_of_ellipse(box: Box, margin: float, size: tuple[int, int]) -> PixelBox:
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


def whole_of_box(box: Box, margin: float, size: tuple[int, int]) -> PixelBox:
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


def draw_box(planes: Planes, whole: PixelBox, bounds: PixelBox, feather_px: int, number: int) -> None:
    """Claims the pixels of a rectangle with a soft edge around it, see `draw_share`."""
    rows = _ramp(bounds.top, bounds.bottom, whole.top, whole.bottom, feather_px)
    columns = _ramp(bounds.left, bounds.right, whole.left, whole.right, feather_px)
    draw_share(planes, bounds, np.outer(rows, columns), number)


def _ramp(start: int, stop: int, full_start: int, full_stop: int, feather_px: int) -> npt.NDArray[np.float32]:
    """1 from full_start to full_stop; outside it 1 - d / (feather_px + 1) at d pixels from there."""
    positions = np.arange(start, stop)
    distance = np.maximum(np.maximum(full_start - positions, positions - full_stop + 1), 0)
    return (1 - distance / (feather_px + 1)).astype(np.float32)


def draw_ellipse(planes: Planes, whole: PixelBox, bounds: PixelBox, feather_px: int, number: int) -> None:
    """Claims the pixels of the ellipse in a rectangle with a soft edge around it, see `draw_share`."""
    library = native.library()  # draws in the mask alone, so that the pixels may have any depth
    if library is None:
        draw_share(planes, bounds, share_of_ellipse(whole, bounds, feather_px), number)
        return
    corners = bounds.top, bounds.left, bounds.bottom, bounds.right
    native.call(library.draw_ellipse, planes.addresses, *corners, *_axes(whole), feather_px, number)


def share_of_ellipse(whole: PixelBox, bounds: PixelBox, feather_px: int) -> Mask:
    """The share of each pixel that an ellipse with a soft edge replaces, (height, width) of its bounds.

    It is 1 on the pixels whose centres lie in the ellipse, and 0 outside the ellipse that is larger by the edge. In
    between it falls linearly along each ray from the centre.
    """
    centre_y, semi_axis_y, centre_x, semi_axis_x = _axes(whole)
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


def _axes(whole: PixelBox) -> tuple[float, float, float, float]:
    """Centre and semi-axis of the ellipse in a rectangle, first of the rows, then of the columns."""
    centre_y, centre_x = (whole.top + whole.bottom) / 2, (whole.left + whole.right) / 2
    return centre_y, whole.height / 2, centre_x, whole.width / 2


def whole_of_outline(outline: Outline, margin_px: float, size: tuple[int, int]) -> PixelBox:
    """The smallest area around the pixels that an outline touches, widened by so many pixels."""
    by = ceil(reach_px(margin_px))
    return PixelBox.around(outline.box, size).grown(by, by)


def reach_px(margin_px: float) -> float:
    """How far from a pixel that an outline touches another one may be, centre to centre, that the margin touches."""
    return margin_px + sqrt(2) if margin_px else 0.0


def draw_outline(
    planes: Planes, outline: Outline, margin_px: float, bounds: PixelBox, feather_px: int, number: int
) -> None:
    """Claims every pixel that an outline or its margin touches, with a soft edge around them, see `draw_share`."""
    draw_share(planes, bounds, share_of_outline(outline, margin_px, bounds, feather_px), number)


def share_of_outline(outline: Outline, margin_px: float, bounds: PixelBox, feather_px: int) -> Mask:
    """The share of each pixel that an outline with a margin and a soft edge replaces, (height, width) of its bounds.

    Beyond the margin it is 1 - d / (feather_px + 1) at d pixels from there.
    """
    reach = reach_px(margin_px)
    around = ceil(reach) + feather_px  # what lies outside the bounds may still have its margin in them
    if around > FARTHEST_EXACT_PX and not isinstance(outline, RestOutline):
        return _share_of_far_outline(outline, reach, bounds, feather_px, ceil(around / FARTHEST_EXACT_PX))
    area = bounds.grown(around, around)
    touched = touched_pixels(outline, area)
    if not around or not touched.any():
        share: Mask = touched.astype(np.float32)
    else:
        share = _share_at(_distance(touched), reach, feather_px)
    return share[around : around + bounds.height, around : around + bounds.width]


def _share_of_far_outline(outline: Drawn, reach: float, bounds: PixelBox, feather_px: int, by: int) -> Mask:
    """The same in squares of `by` pixels, for memory: nowhere less than by single pixels, up to three squares further.

    All of a square that the outline touches counts as touched, and all distances as the shortest that they can be.
    """
    around = ceil(reach) + feather_px
    far = bounds.grown(around, around)
    area = PixelBox(far.top // by, far.left // by, far.bottom // by + 1, far.right // by + 1)
    touched = touched_pixels(moved(outline, Box(0, 0, by, by), Box(0, 0, 1, 1)), area)
    if not touched.any():
        return np.zeros((bounds.height, bounds.width), np.float32)
    shortest = (np.float32(by) * (_distance(touched) - np.float32(sqrt(2)))).clip(0, None)
    rows, columns = (
        np.arange(start, stop) // by - first
        for start, stop, first in ((bounds.top, bounds.bottom, area.top), (bounds.left, bounds.right, area.left))
    )
    share: Mask = _share_at(shortest, reach, feather_px)[np.ix_(rows, columns)]
    return share


def _distance(touched: npt.NDArray[np.bool_]) -> Mask:
    """Of each pixel from the next one that is touched, centre to centre; one at least is."""
    distance = cv2.distanceTransform((~touched).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # The squares are whole numbers; OpenCV's roundings of the roots vary from call to call.
    return np.asarray(np.sqrt(np.rint(distance * distance)), np.float32)


def _share_at(distance: Mask, reach: float, feather_px: int) -> Mask:
    beyond = (distance - np.float32(reach)).clip(0, None)
    if not feather_px:
        return np.asarray(beyond == 0, np.float32)
    return np.asarray((1 - beyond / np.float32(feather_px + 1)).clip(0, 1), np.float32)


MASK_SHAPES: Mapping[Shape, MaskShape] = {
    "ellipse": MaskShape(whole_of_ellipse, draw_ellipse),
    "box": MaskShape(whole_of_box, draw_box),
}
"""One for each name in `anonymizer.geometry.SHAPES`."""
