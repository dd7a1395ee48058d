"""The mask: where the picture is replaced, for which object, and how its edge softens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import Box, PixelBox
from anonymizer.redact.pixelwise import Ellipse, Mask, Planes, draw_ellipse, draw_share
from anonymizer.types import Pixels


@dataclass(frozen=True, slots=True)
class Region:
    """What one detection has replaced: all of its core, and an edge of `feather_px` around it softly."""

    shape: str
    """box: the core is all of the frame. ellipse: the ellipse in it."""
    feather_px: int
    frame: PixelBox
    """The smallest area around the core; it may leave the picture."""
    core: PixelBox
    """What of the frame lies in the picture."""
    reach: PixelBox
    """What of the frame and the edge around it lies in the picture."""


def to_region(box: Box, margin: float, feather_px: int, size: tuple[int, int], shape: str = "box") -> Region:
    """The region of a detection in a picture. All of the box lies in the core, whatever its shape.

    Args:
        margin: the core reaches so far beyond the box, or beyond the ellipse through its corners, as a share of the
            box's size.
        size: height and width of the picture; the box must touch it.
        shape: "box" or "ellipse".
    """
    frame = PixelBox.around(box, size, margin) if shape == "box" else _around_ellipse(box, margin, size)
    return Region(shape, feather_px, frame, frame.inside(size), frame.grown(feather_px, feather_px).inside(size))


def _around_ellipse(box: Box, margin: float, size: tuple[int, int]) -> PixelBox:
    """The smallest area around the widened ellipse through the corners of the pixels of a box; of the same centre."""
    pixels = PixelBox.around(box, size)
    # The ellipse through the corners of a rectangle is the square root of 2 times as large.
    beyond_y = ceil((sqrt(2) - 1) / 2 * pixels.height + margin * box.height)
    beyond_x = ceil((sqrt(2) - 1) / 2 * pixels.width + margin * box.width)
    return pixels.grown(beyond_y, beyond_x)


def draw(pixels: Pixels, regions: Sequence[Region]) -> Planes:
    """The mask for all regions in a picture, and for each pixel whose it is: numbers from 1 on.

    Each pixel belongs to the region with the largest share in it, to the first of several with the same, so that no
    soft edge uncovers a neighbour.
    """
    size = pixels.shape[:2]
    planes = Planes(pixels, np.zeros(size, np.float32), np.zeros(size, np.int32))
    for number, region in enumerate(regions, start=1):
        if region.shape == "ellipse":
            draw_ellipse(planes, region.reach, ellipse_of(region), region.feather_px, number)
        else:
            draw_share(planes, region.reach, _soft_rectangle(region), number)
    return planes


def ellipse_of(region: Region) -> Ellipse:
    """That in the frame of a region."""
    frame = region.frame
    return Ellipse((frame.top + frame.bottom) / 2, frame.height / 2, (frame.left + frame.right) / 2, frame.width / 2)


def _soft_rectangle(region: Region) -> Mask:
    frame, reach = region.frame, region.reach
    rows = _ramp(reach.top, reach.bottom, frame.top, frame.bottom, region.feather_px)
    columns = _ramp(reach.left, reach.right, frame.left, frame.right, region.feather_px)
    share: Mask = np.outer(rows, columns)
    return share


def _ramp(start: int, stop: int, core_start: int, core_stop: int, feather_px: int) -> npt.NDArray[np.float32]:
    """1 from core_start to core_stop; outside it 1 - d / (feather_px + 1) at d pixels from the core."""
    positions = np.arange(start, stop)
    distance = np.maximum(np.maximum(core_start - positions, positions - core_stop + 1), 0)
    return (1 - distance / (feather_px + 1)).astype(np.float32)
