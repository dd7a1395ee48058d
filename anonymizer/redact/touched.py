"""Which pixels an outline touches: all of whose squares it covers anything, as `PixelBox.around` has it for boxes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from math import sqrt
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import Box, PixelBox, Point, corners_of
from anonymizer.outlines import Drawn, EllipseOutline, Outline, PolygonOutline, RestOutline, StrokeOutline

_Floats: TypeAlias = npt.NDArray[np.float64]

_ROUNDING_PX = 1e-6
"""Where a side meets the border of two pixels, computed up to rounding, both count."""
_AT_ONCE = 64
"""So many parts of an outline are drawn at once, which bounds the memory."""


class _Rows:
    """An area whose rows are filled part by part."""

    def __init__(self, area: PixelBox) -> None:
        self._area = area
        shape = area.height, area.width + 1
        self._begun = np.zeros(shape, np.int32)
        """How many runs begin in each pixel, less those that end before it."""
        self._turns = np.zeros(shape, np.int32)
        """How many sides lie between each pixel's centre and that of the pixel to its left: upward, less downward."""

    def touched(self) -> npt.NDArray[np.bool_]:
        """(height, width) of the area."""
        at_sides, inside = self._filled()
        return np.asarray(at_sides | inside)

    def wholly_inside(self) -> npt.NDArray[np.bool_]:
        """(height, width) of the area: pixels that lie in a polygon and that none of its sides goes through."""
        at_sides, inside = self._filled()
        return np.asarray(inside & ~at_sides)

    def _filled(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Which pixels are in a run; and of which the centres lie in a polygon."""
        runs = np.cumsum(self._begun, axis=1, out=self._begun)[:, :-1] > 0
        return runs, np.cumsum(self._turns, axis=1, out=self._turns)[:, :-1] != 0

    def add_polygons(self, sides: _Floats) -> None:
        """All pixels that closed polygons touch.

        Args:
            sides: (N, 4) x, y and x, y of both ends of each side, all around each polygon.
        """
        for start in range(0, len(sides), _AT_ONCE):
            self._add_sides(sides[start : start + _AT_ONCE])

    def _add_sides(self, sides: _Floats) -> None:
        x, y, to_x, to_y = sides.T
        low, high = np.minimum(y, to_y), np.maximum(y, to_y)
        rows, side = self._rows_between(low, high)

        def x_at(at: npt.NDArray[np.floating[Any]]) -> _Floats:
            """Where the sides are at these heights, one for each row."""
            length = (to_y - y)[side]
            passed = at.clip(low[side], high[side]) - y[side]
            share = np.divide(passed, length, out=np.zeros_like(passed), where=length != 0)
            return np.asarray(x[side] + share * (to_x - x)[side])

        # The pixels that the sides go through.
        first, last = x_at(np.maximum(rows, low[side])), x_at(np.minimum(rows + 1.0, high[side]))
        flat = low[side] == high[side]
        last[flat] = to_x[side][flat]
        least, most = np.minimum(x, to_x)[side], np.maximum(x, to_x)[side]
        slant = np.where(least == most, 0.0, _ROUNDING_PX)
        self._add_runs(
            rows,
            np.maximum(np.minimum(first, last) - slant, least),
            np.minimum(np.maximum(first, last) + slant, most),
        )
        # And those whose centres lie inside.
        centre = rows + 0.5
        turns = (low[side] <= centre) & (centre < high[side])
        begin = np.floor(x_at(centre)[turns] - 0.5) + 1 - self._area.left
        columns = begin.clip(0, self._area.width).astype(np.intp)
        ways = np.where(to_y > y, 1, -1).astype(np.int32)[side][turns]
        np.add.at(self._turns, (rows[turns] - self._area.top, columns), ways)

    def add_ellipses(self, centers: _Floats, half_size: _Floats, shear: float) -> None:
        """All pixels that ellipses of one form touch.

        Args:
            centers: (N, 2) x, y.
            half_size: (2,) half the width and height of the box around an ellipse.
            shear: see `EllipseOutline.shear`.
        """
        for start in range(0, len(centers), _AT_ONCE):
            self._add_ellipses(centers[start : start + _AT_ONCE], half_size, shear)

    def _add_ellipses(self, centers: _Floats, half_size: _Floats, shear: float) -> None:
        x, y = centers.T
        half_width, half_height = half_size
        rows, number = self._rows_between(y - half_height, y + half_height)
        above, below = rows - y[number], rows + 1.0 - y[number]
        # In a row, an ellipse reaches furthest where it is furthest from its centre, or at the border next to there.
        furthest = shear / half_width
        flatness = np.sqrt(max(0.0, 1 - (shear / (half_width * half_height)) ** 2))

        def reach(at: _Floats) -> _Floats:
            """The right border of the ellipse at these heights, from its centre."""
            height = (at / half_height).clip(-1, 1)
            middle = shear / half_height * height
            return np.asarray(middle + half_width * flatness * np.sqrt(1 - height**2) + _ROUNDING_PX)

        right = np.minimum(reach(np.clip(furthest, above, below)), half_width)
        left = np.minimum(reach(-np.clip(-furthest, above, below)), half_width)
        self._add_runs(rows, x[number] - left, x[number] + right)

    def _rows_between(self, low: _Floats, high: _Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """The rows of the area that each of N parts touches, one after the other, and the part that each is of."""
        first = np.floor(low).clip(self._area.top, self._area.bottom).astype(np.intp)
        last = np.ceil(high).clip(self._area.top, self._area.bottom).astype(np.intp)
        counts = np.maximum(last - first, 0)
        part = np.repeat(np.arange(len(low)), counts)
        rows = np.arange(len(part)) - np.repeat(np.cumsum(counts) - counts, counts) + first[part]
        return rows, part

    def _add_runs(self, rows: npt.NDArray[np.intp], x_min: _Floats, x_max: _Floats) -> None:
        begin = (np.floor(x_min) - self._area.left).clip(0, self._area.width).astype(np.intp)
        end = (np.ceil(x_max) - self._area.left).clip(0, self._area.width).astype(np.intp)
        is_run = end > begin
        at = rows[is_run] - self._area.top
        np.add.at(self._begun, (at, begin[is_run]), 1)
        np.add.at(self._begun, (at, end[is_run]), -1)


def touched_pixels(outline: Outline, area: PixelBox) -> npt.NDArray[np.bool_]:
    """The pixels of an area that an outline touches, (height, width)."""
    if isinstance(outline, RestOutline):
        return _touched_by_rest(outline, area)
    rows = _Rows(area)
    _fill(outline, rows)
    return rows.touched()


def touched_pixels_at(outline: Outline, place: tuple[slice, slice]) -> npt.NDArray[np.bool_]:
    """The same for the rows and columns of an array, as of `geometry.slices_around`."""
    rows, columns = place
    return touched_pixels(outline, PixelBox(rows.start, columns.start, rows.stop, columns.stop))


def _touched_by_rest(rest: RestOutline, area: PixelBox) -> npt.NDArray[np.bool_]:
    """All of the picture but the pixels that lie wholly in one of the places."""
    touched = np.zeros((area.height, area.width), bool)
    height, width = rest.size
    rows = slice(max(0, -area.top), max(0, height - area.top))
    columns = slice(max(0, -area.left), max(0, width - area.left))
    touched[rows, columns] = True
    for place in rest.kept:
        touched &= ~_inside(place, area)
    return touched


def _inside(place: Box | Drawn, area: PixelBox) -> npt.NDArray[np.bool_]:
    """The pixels of an area that lie wholly in a place, or fewer at its border, (height, width)."""
    if isinstance(place, StrokeOutline):  # what touches a thinner stroke lies in it, up to the diagonal of a pixel
        thinner = place.width_px - 2 * sqrt(2) - _ROUNDING_PX
        if thinner <= 0:
            return np.zeros((area.height, area.width), bool)
        return touched_pixels(StrokeOutline(place.points, thinner), area)
    if isinstance(place, Box):
        corners: Sequence[Point] = corners_of(place)
    elif isinstance(place, EllipseOutline):
        corners = _corners_in(place)
    else:
        corners = place.corners
    rows = _Rows(area)
    rows.add_polygons(_sides(corners))
    return rows.wholly_inside()


def _corners_in(ellipse: EllipseOutline) -> Sequence[Point]:
    """A polygon in an ellipse, with its corners on it."""
    around, turn = np.linspace(0, 2 * np.pi, 360, endpoint=False), np.radians(ellipse.degrees)
    along, across = ellipse.semi_axes[0] * np.cos(around), ellipse.semi_axes[1] * np.sin(around)
    x = ellipse.center[0] + along * np.cos(turn) - across * np.sin(turn)
    y = ellipse.center[1] + along * np.sin(turn) + across * np.cos(turn)
    return list(zip(x.tolist(), y.tolist(), strict=True))


@singledispatch
def _fill(outline: Outline, rows: _Rows) -> None:
    raise TypeError(f"{outline!r} is not an outline")


@_fill.register
def _fill_polygon(outline: PolygonOutline, rows: _Rows) -> None:
    rows.add_polygons(_sides(outline.corners))


@_fill.register
def _fill_ellipse(outline: EllipseOutline, rows: _Rows) -> None:
    rows.add_ellipses(np.array([outline.center]), np.array(outline.half_size), outline.shear)


@_fill.register
def _fill_stroke(outline: StrokeOutline, rows: _Rows) -> None:
    """Round ends and joints, and between them rectangles: all of them go the same way around."""
    points, radius = np.array(outline.points), outline.width_px / 2
    rows.add_ellipses(points, np.array([radius, radius]), 0.0)
    start, end = points[:-1], points[1:]
    lengths = np.hypot(*(end - start).T)
    moved = lengths > 0
    start, end = start[moved], end[moved]
    along = (end - start) / lengths[moved, np.newaxis]
    across = radius * np.column_stack([-along[:, 1], along[:, 0]])
    corners = [start - across, end - across, end + across, start + across]
    for one, other in zip(corners, [*corners[1:], corners[0]], strict=True):
        rows.add_polygons(np.hstack([one, other]))


def _sides(corners: Sequence[Point]) -> _Floats:
    points = np.array(corners, np.float64)
    return np.hstack([points, np.roll(points, -1, axis=0)])
