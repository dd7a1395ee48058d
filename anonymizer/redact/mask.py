"""The mask: where the picture is replaced, for which target, and how its edge softens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anonymizer.geometry import Box, PixelBox, Shape
from anonymizer.outlines import Outline, PolygonOutline
from anonymizer.redact.planes import Planes
from anonymizer.redact.shapes import MASK_SHAPES, draw_outline, whole_of_outline
from anonymizer.types import Pixels


@dataclass(frozen=True, slots=True)
class Region:
    """What is replaced for one detection: a shape, and softly an edge of `feather_px` around it."""

    shape: Shape
    feather_px: int
    whole: PixelBox
    """The smallest area that holds the shape; it may extend beyond the picture."""
    core: PixelBox
    """`whole`, clipped to the picture."""
    bounds: PixelBox
    """`whole` and the edge around it, clipped to the picture: all pixels that may change."""
    outline: Outline | None = None
    """What takes the place of the shape."""
    margin_px: float = 0.0
    """Widens the outline."""
    united: PixelBox | None = None
    """Holds the shape where it is hidden together with the outline."""


def to_region(box: Box, margin: float, feather_px: int, size: tuple[int, int], shape: Shape = "box") -> Region:
    """The region of a detection in a picture. The shape covers the whole box.

    Args:
        margin: widens the shape on every side by this share of the box's width and height.
        feather_px: width of the soft edge.
        size: height and width of the picture; the box must touch it.
    """
    whole = MASK_SHAPES[shape].whole(box, margin, size)
    bounds = whole.grown(feather_px, feather_px).inside(size)
    return Region(shape, feather_px, whole, whole.inside(size), bounds)


def to_region_of_outline(outline: Outline, margin: float, feather_px: int, size: tuple[int, int]) -> Region:
    """The region of a detection whose outline is known. All pixels that the outline touches are hidden.

    Args:
        margin: widens the outline on every side by this share of `rim_px`.
        feather_px: width of the soft edge.
        size: height and width of the picture; the outline's box must touch it.
    """
    margin_px = margin * outline.rim_px
    whole = whole_of_outline(outline, margin_px, size)
    bounds = whole.grown(feather_px, feather_px).inside(size)
    return Region("box", feather_px, whole, whole.inside(size), bounds, outline, margin_px)


def unite(region: Region, silhouette: PolygonOutline, margin_px: float, size: tuple[int, int]) -> Region:
    """The region of a detection whose shape is hidden, and its silhouette with a margin.

    Args:
        size: height and width of the picture. The silhouette may lie outside of it.
    """
    drawn = whole_of_outline(silhouette, margin_px, size)
    whole = PixelBox(
        min(region.whole.top, drawn.top),
        min(region.whole.left, drawn.left),
        max(region.whole.bottom, drawn.bottom),
        max(region.whole.right, drawn.right),
    )
    bounds = whole.grown(region.feather_px, region.feather_px).inside(size)
    return Region(
        region.shape, region.feather_px, whole, whole.inside(size), bounds, silhouette, margin_px, region.whole
    )


def draw_mask(pixels: Pixels, regions: Sequence[Region]) -> Planes:
    """The picture with the mask of all regions, and the region that each pixel belongs to: numbers from 1 on.

    Each pixel belongs to the region that has the largest share in it; among equals, to the first. So no soft edge
    uncovers a neighbour.
    """
    size = pixels.shape[:2]
    planes = Planes(pixels, np.zeros(size, np.float32), np.zeros(size, np.int32))
    for number, region in enumerate(regions, start=1):
        if region.outline is not None:
            draw_outline(planes, region.outline, region.margin_px, region.bounds, region.feather_px, number)
        shape = region.whole if region.outline is None else region.united
        if shape is not None:
            MASK_SHAPES[region.shape].draw(planes, shape, region.bounds, region.feather_px, number)
    return planes
