"""The mask: where the picture is replaced, for which object, and how its edge softens.

The only place that rounds boxes to pixels, always outward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.types import Box

Mask: TypeAlias = npt.NDArray[np.float32]
"""float32 (H, W) in [0, 1]: the share of each pixel that is replaced."""

Owners: TypeAlias = npt.NDArray[np.int32]
"""int32 (H, W): 0 where nothing is replaced, otherwise the number of a region, from 1 on."""


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of whole pixels, half open, at least one pixel large."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def longer_side(self) -> int:
        return max(self.height, self.width)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Indexes an area inside a picture in an array (H, W, ...)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, by_y: int, by_x: int) -> Area:
        """The area with so many more pixels on each side."""
        return Area(self.top - by_y, self.left - by_x, self.bottom + by_y, self.right + by_x)

    def inside(self, size: tuple[int, int]) -> Area:
        """The part that lies in a picture of this height and width, which the area must touch."""
        height, width = size
        return Area(max(0, self.top), max(0, self.left), min(height, self.bottom), min(width, self.right))

    def relative_to(self, whole: Area) -> Area:
        """The same area, in pixels of another that it lies in."""
        return Area(self.top - whole.top, self.left - whole.left, self.bottom - whole.top, self.right - whole.left)


@dataclass(frozen=True, slots=True)
class Region:
    """What one detection has replaced: all of its core, and an edge of `feather_px` around it softly."""

    shape: str
    """box: the core is all of the frame. ellipse: the ellipse in it."""
    feather_px: int
    frame: Area
    """The smallest area around the core; it may leave the picture."""
    core: Area
    """What of the frame lies in the picture."""
    reach: Area
    """What of the frame and the edge around it lies in the picture."""


def to_region(box: Box, margin: float, feather_px: int, size: tuple[int, int], shape: str = "box") -> Region:
    """The region of a detection in a picture. All of the box lies in the core, whatever its shape.

    Args:
        margin: the core reaches so far beyond the box, or beyond the ellipse through its corners, as a share of the
            box's size.
        size: height and width of the picture; the box must touch it.
        shape: "box" or "ellipse".
    """
    frame = _around_box(box, margin, size) if shape == "box" else _around_ellipse(box, margin, size)
    return Region(shape, feather_px, frame, frame.inside(size), frame.grown(feather_px, feather_px).inside(size))


def _around_box(box: Box, margin: float, size: tuple[int, int]) -> Area:
    """The pixels that the widened box touches, one at least of them in the picture."""
    height, width = size
    margin_x, margin_y = margin * box.width, margin * box.height
    left = min(floor(box.x_min - margin_x), width - 1)
    top = min(floor(box.y_min - margin_y), height - 1)
    right = max(left + 1, 1, ceil(box.x_max + margin_x))
    bottom = max(top + 1, 1, ceil(box.y_max + margin_y))
    return Area(top, left, bottom, right)


def _around_ellipse(box: Box, margin: float, size: tuple[int, int]) -> Area:
    """The smallest area around the widened ellipse through the corners of the pixels of a box; of the same centre."""
    pixels = _around_box(box, 0, size)
    # The ellipse through the corners of a rectangle is the square root of 2 times as large.
    beyond_y = ceil((sqrt(2) - 1) / 2 * pixels.height + margin * box.height)
    beyond_x = ceil((sqrt(2) - 1) / 2 * pixels.width + margin * box.width)
    return pixels.grown(beyond_y, beyond_x)


def share_of(region: Region) -> Mask:
    """The share of each pixel that a region by itself replaces, (height, width) of its reach.

    1 on the core; outside it, it falls linearly to 0 over the edge.
    """
    return _soft_rectangle(region) if region.shape == "box" else _soft_ellipse(region)


def draw(regions: Sequence[Region], size: tuple[int, int]) -> tuple[Mask, Owners]:
    """The mask for all regions, and for each pixel whose it is, (H, W) both.

    Each pixel belongs to the region with the largest share in it, to the first of several with the same, so that no
    soft edge uncovers a neighbour. Untouched memory pages of the result cost nothing: the work follows the area of
    the regions, not that of the picture.
    """
    mask, owners = np.zeros(size, np.float32), np.zeros(size, np.int32)
    for number, region in enumerate(regions, start=1):
        share = share_of(region)
        part = region.reach.slices
        wins = share > mask[part]
        np.copyto(mask[part], share, where=wins)
        np.copyto(owners[part], number, where=wins)
    return mask, owners


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


def _soft_ellipse(region: Region) -> Mask:
    """1 on the pixels whose centres lie in the ellipse, and so on all pixels of a box whose corners it passes."""
    frame, reach, edge = region.frame, region.reach, region.feather_px
    y = np.arange(reach.top, reach.bottom) + 0.5 - (frame.top + frame.bottom) / 2
    x = np.arange(reach.left, reach.right) + 0.5 - (frame.left + frame.right) / 2
    inner = _radii(y / (frame.height / 2), x / (frame.width / 2))
    if edge == 0:
        return np.asarray(inner <= 1, np.float32)
    outer = _radii(y / (frame.height / 2 + edge), x / (frame.width / 2 + edge))
    # Linear along each ray from the centre, from the ellipse to the one that is larger by the edge.
    with np.errstate(divide="ignore", invalid="ignore"):  # in the centre itself
        share = (1 / outer - 1) / (1 / outer - 1 / inner)
    soft: Mask = np.where(inner <= 1, np.float32(1), share.clip(0, 1))
    return soft


def _radii(y: npt.NDArray[np.floating[Any]], x: npt.NDArray[np.floating[Any]]) -> Mask:
    squares = np.add.outer((y**2).astype(np.float32), (x**2).astype(np.float32))
    return np.sqrt(squares, out=squares)
