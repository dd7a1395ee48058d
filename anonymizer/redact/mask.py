"""The mask: where the picture is replaced, and how its edge softens.

The only place that rounds boxes to pixels, always outward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.types import Box

Mask: TypeAlias = npt.NDArray[np.float32]
"""float32 (H, W) in [0, 1]: the share of each pixel that is replaced."""


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of whole pixels, half open, at least one pixel, inside the picture."""

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
    def slices(self) -> tuple[slice, slice]:
        """Indexes the area in an array (H, W, ...)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, by: int, shape: tuple[int, int]) -> Area:
        """The area with `by` more pixels on each side, as far as the picture reaches."""
        height, width = shape
        return Area(
            max(0, self.top - by),
            max(0, self.left - by),
            min(height, self.bottom + by),
            min(width, self.right + by),
        )


@dataclass(frozen=True, slots=True)
class Region:
    """What one detection has replaced: all of `core`, and an edge of `feather_px` around it softly."""

    core: Area
    feather_px: int
    reach: Area
    """The core and its edge."""


def to_area(box: Box, margin: float, shape: tuple[int, int]) -> Area:
    """The pixels that a box touches once each side is widened by `margin` times the box's size.

    Args:
        shape: height and width of the picture; the box must touch it.
    """
    height, width = shape
    margin_x, margin_y = margin * box.width, margin * box.height
    left = min(max(0, floor(box.x_min - margin_x)), width - 1)
    top = min(max(0, floor(box.y_min - margin_y)), height - 1)
    right = max(left + 1, min(width, ceil(box.x_max + margin_x)))
    bottom = max(top + 1, min(height, ceil(box.y_max + margin_y)))
    return Area(top, left, bottom, right)


def to_region(box: Box, margin: float, feather_px: int, shape: tuple[int, int]) -> Region:
    """The region of a detection. `shape` is height and width of the picture."""
    core = to_area(box, margin, shape)
    return Region(core, feather_px, core.grown(feather_px, shape))


def union_mask(regions: Sequence[Region], shape: tuple[int, int]) -> Mask:
    """One mask for all regions: 1 on every core, falling linearly to 0 outside it.

    Where regions overlap the larger value counts, so that no soft edge uncovers a neighbour. Untouched memory
    pages of the result cost nothing: the work follows the area of the regions, not that of the picture.
    """
    mask = np.zeros(shape, np.float32)
    for region in regions:
        part = mask[region.reach.slices]
        np.maximum(part, _soft_rectangle(region), out=part)
    return mask


def _soft_rectangle(region: Region) -> Mask:
    core, reach = region.core, region.reach
    rows = _ramp(reach.top, reach.bottom, core.top, core.bottom, region.feather_px)
    columns = _ramp(reach.left, reach.right, core.left, core.right, region.feather_px)
    return np.outer(rows, columns)


def _ramp(start: int, stop: int, core_start: int, core_stop: int, feather_px: int) -> npt.NDArray[np.float32]:
    """1 from core_start to core_stop; outside it 1 - d / (feather_px + 1) at d pixels from the core."""
    positions = np.arange(start, stop)
    distance = np.maximum(np.maximum(core_start - positions, positions - core_stop + 1), 0)
    return (1 - distance / (feather_px + 1)).astype(np.float32)
