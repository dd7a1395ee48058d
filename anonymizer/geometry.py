"""Boxes: in float pixels as models give them, and in whole pixels as arrays are indexed. And polygons.

`PixelBox.around` is the only place that rounds boxes to pixels, always outward.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite
from typing import Literal, TypeAlias, get_args

Shape: TypeAlias = Literal["ellipse", "box"]
"""What is hidden of a box: the ellipse through its corners, or the box itself."""
SHAPES: tuple[Shape, ...] = get_args(Shape)
Point: TypeAlias = tuple[float, float]
"""x, y."""
Polygon: TypeAlias = tuple[Point, ...]
"""Its corners, in order; the last one is joined to the first."""

_WHOLLY = 0.999
"""A box lies wholly in a polygon from this share of its area on; the rest allows for rounding."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in float pixels of the upright picture, half open: x_min <= x < x_max.

    Raises:
        ValueError: a side is not finite, or a maximum lies before its minimum.
    """

    x_min: float
    y_min: float
    x_max: float
    y_max: float

    def __post_init__(self) -> None:
        if not all(map(isfinite, self.xyxy)):
            raise ValueError(f"{self} is not finite")
        if self.x_max < self.x_min or self.y_max < self.y_min:
            raise ValueError(f"{self} has a negative size")

    @property
    def width(self) -> float:
        return self.x_max - self.x_min

    @property
    def height(self) -> float:
        return self.y_max - self.y_min

    @property
    def longer_side(self) -> float:
        return max(self.width, self.height)

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        """x, y."""
        return (self.x_min + self.x_max) / 2, (self.y_min + self.y_max) / 2

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """x_min, y_min, x_max, y_max."""
        return self.x_min, self.y_min, self.x_max, self.y_max

    def touches(self, size: tuple[int, int]) -> bool:
        """Whether the box, with its edges, has a point in a picture of this height and width."""
        height, width = size
        return self.x_max >= 0 and self.y_max >= 0 and self.x_min < width and self.y_min < height

    def iou(self, other: Box) -> float:
        """Intersection over union with another box, 0 to 1."""
        width = min(self.x_max, other.x_max) - max(self.x_min, other.x_min)
        height = min(self.y_max, other.y_max) - max(self.y_min, other.y_min)
        shared = max(0.0, width) * max(0.0, height)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0


def hull(boxes: Iterable[Box]) -> Box:
    """The smallest box around one or more boxes."""
    x_mins, y_mins, x_maxs, y_maxs = zip(*(box.xyxy for box in boxes), strict=True)
    return Box(min(x_mins), min(y_mins), max(x_maxs), max(y_maxs))


@dataclass(frozen=True, slots=True)
class PixelBox:
    """A rectangle of whole pixels, half open, at least one pixel large."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def around(cls, box: Box, size: tuple[int, int], margin: float = 0.0) -> PixelBox:
        """The pixels that a box touches, at least one of them inside the picture; the rest may lie outside it.

        Args:
            size: height and width of the picture.
            margin: widens the box on every side by this share of its width and height.
        """
        height, width = size
        margin_x, margin_y = margin * box.width, margin * box.height
        left = min(floor(box.x_min - margin_x), width - 1)
        top = min(floor(box.y_min - margin_y), height - 1)
        right = max(left + 1, 1, ceil(box.x_max + margin_x))
        bottom = max(top + 1, 1, ceil(box.y_max + margin_y))
        return cls(top, left, bottom, right)

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
        """Rows and columns: indexes an array (H, W, ...) by a box that lies inside the picture."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, by_y: int, by_x: int) -> PixelBox:
        """The box with so many more pixels on each side."""
        return PixelBox(self.top - by_y, self.left - by_x, self.bottom + by_y, self.right + by_x)

    def inside(self, size: tuple[int, int]) -> PixelBox:
        """The part that lies in a picture of this height and width, which the box must touch."""
        height, width = size
        return PixelBox(max(0, self.top), max(0, self.left), min(height, self.bottom), min(width, self.right))


def slices_around(box: Box, shape: tuple[int, ...], around_px: int = 0) -> tuple[slice, slice]:
    """Rows and columns of the pixels that a box touches, at least one, and of so many around them, inside the picture.

    Args:
        shape: of an array (H, W, ...).
    """
    size = shape[0], shape[1]
    return PixelBox.around(box, size).inside(size).grown(around_px, around_px).inside(size).slices


def corners_of(box: Box) -> Polygon:
    """The box as a polygon."""
    return (box.x_min, box.y_min), (box.x_max, box.y_min), (box.x_max, box.y_max), (box.x_min, box.y_max)


def polygon_area(polygon: Sequence[Point]) -> float:
    """By the shoelace formula; of a polygon that does not cross itself."""
    return abs(sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in _sides(polygon))) / 2


def crosses_itself(polygon: Sequence[Point]) -> bool:
    """Whether two sides have a point in common other than the corner where neighbours meet."""
    sides = _sides(polygon)
    return any(
        _meet(sides[one], sides[other])
        for one in range(len(sides))
        for other in range(one + 2, len(sides))
        if (one, other) != (0, len(sides) - 1)
    )


def _sides(polygon: Sequence[Point]) -> list[tuple[Point, Point]]:
    return list(zip(polygon, (*polygon[1:], *polygon[:1]), strict=True))


def _meet(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Whether two line segments have a point in common."""

    def side_of(line: tuple[Point, Point], point: Point) -> float:
        (x, y), (to_x, to_y) = line
        return (to_x - x) * (point[1] - y) - (to_y - y) * (point[0] - x)

    def is_between(line: tuple[Point, Point], point: Point) -> bool:
        return all(min(ends) <= value <= max(ends) for value, *ends in zip(point, *line, strict=True))

    sides = [(side_of(one, point), one, point) for point in other] + [(side_of(other, p), other, p) for p in one]
    if any(side == 0 and is_between(line, point) for side, line, point in sides):
        return True
    return sides[0][0] * sides[1][0] < 0 and sides[2][0] * sides[3][0] < 0


def share_inside(box: Box, polygon: Sequence[Point]) -> float:
    """The share of a box's area that lies in a simple polygon; of a box without an area, whether its center does.

    Sutherland and Hodgman 1974: the polygon is cut along each side of the box.
    """
    grown = 0.0 if box.width * box.height else 0.01
    low = box.x_min - grown, box.y_min - grown
    high = box.x_max + grown, box.y_max + grown
    rest = list(polygon)
    for axis in (0, 1):
        rest = _cut(rest, axis, low[axis], 1.0)
        rest = _cut(rest, axis, high[axis], -1.0)
    return polygon_area(rest) / ((high[0] - low[0]) * (high[1] - low[1]))


def is_inside(box: Box, polygon: Sequence[Point]) -> bool:
    """Whether a box lies wholly in a simple polygon."""
    return share_inside(box, polygon) >= _WHOLLY


def _cut(polygon: Sequence[Point], axis: int, limit: float, sign: float) -> list[Point]:
    """What lies beyond the limit along an axis, in the direction of the sign."""
    kept: list[Point] = []
    beyond = [sign * (point[axis] - limit) for point in polygon]
    for index, (here, point) in enumerate(zip(beyond, polygon, strict=True)):
        before, last = beyond[index - 1], polygon[index - 1]
        if (here >= 0) != (before >= 0):
            part = before / (before - here)
            kept.append((last[0] + (point[0] - last[0]) * part, last[1] + (point[1] - last[1]) * part))
        if here >= 0:
            kept.append(point)
    return kept
