"""Rectangles of whole pixels."""

from __future__ import annotations

from dataclasses import dataclass


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
