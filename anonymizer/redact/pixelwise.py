"""What redaction does pixel by pixel: by the native code of pixelwise.c for pictures of 8 bits where that was built,
by numpy otherwise, to the same result.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import PixelBox
from anonymizer.native import call, library
from anonymizer.types import Pixels

Mask: TypeAlias = npt.NDArray[np.float32]
"""float32 (H, W) in [0, 1]: the share of each pixel that is replaced."""

Owners: TypeAlias = npt.NDArray[np.int32]
"""int32 (H, W): 0 where nothing is replaced, otherwise the number of a region, from 1 on."""

Integers: TypeAlias = npt.NDArray[np.int32]
Sums: TypeAlias = npt.NDArray[np.int64]
Part: TypeAlias = tuple[slice, slice]

_WEIGHT = 1 << 10
"""What the weights of a pixel of a surface add up to along each axis."""
_CELL = 1 << 10
"""Units of distance in a cell of a surface."""
_SIGMA = 0.5
"""Standard deviation of the Gaussian that paints the cells, in cells."""
_BELL = np.rint(2**16 * np.exp(-(np.arange(4 * _CELL) ** 2) / (2 * (_SIGMA * _CELL) ** 2))).astype(np.int32)
"""Its values by the distance; beyond it is 0."""
_SAMPLES = 64
"""Of so many visible rows and columns, or up to twice as many, means are taken."""
_MOST_CELLS, _MOST_CHANNELS = 18, 4  # of the native code


class _NativePlanes(ctypes.Structure):
    """Must be as in pixelwise.c."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("pixels", "mask", "owners")),
        *((name, ctypes.c_int32) for name in ("width", "channels")),
    )


@dataclass(frozen=True)
class Planes:
    """A picture, what of it is replaced, and for whom."""

    pixels: Pixels
    mask: Mask
    owners: Owners

    @cached_property
    def native(self) -> _NativePlanes:
        """For the native code, which reads and writes the planes where they are."""
        if not self.mask.flags.c_contiguous or not self.owners.flags.c_contiguous:
            raise ValueError("planes with gaps")
        pixels = self.pixels.ctypes.data if self.has_plain_pixels else None
        return _NativePlanes(pixels, self.mask.ctypes.data, self.owners.ctypes.data, *self.pixels.shape[1:])

    @cached_property
    def has_plain_pixels(self) -> bool:
        """Whether native code can read and write the pixels."""
        plain = self.pixels.dtype == np.uint8 and self.pixels.flags.c_contiguous
        return bool(plain and self.pixels.shape[2] <= _MOST_CHANNELS)


@dataclass(frozen=True, slots=True)
class Ellipse:
    """In pixels of the picture, whose corner is 0, 0."""

    centre_y: float
    semi_axis_y: float
    centre_x: float
    semi_axis_x: float


def draw_ellipse(planes: Planes, reach: PixelBox, ellipse: Ellipse, edge: int, number: int) -> None:
    """Gives a region, an ellipse with a soft edge, the pixels of which it has a larger share than any before it.

    Args:
        edge: how wide it is, in pixels.
    """
    native = library()
    if native is None:
        draw_share(planes, reach, share_of(ellipse, edge, reach), number)
        return
    corners = reach.top, reach.left, reach.bottom, reach.right
    axes = ellipse.centre_y, ellipse.semi_axis_y, ellipse.centre_x, ellipse.semi_axis_x
    call(native.draw_ellipse, planes.native, *corners, *axes, edge, number)


def draw_share(planes: Planes, reach: PixelBox, share: Mask, number: int) -> None:
    """The same for a region of any shape, of which the share of each pixel in its reach is given."""
    part = reach.slices
    wins = share > planes.mask[part]
    np.copyto(planes.mask[part], share, where=wins)
    np.copyto(planes.owners[part], number, where=wins)


def share_of(ellipse: Ellipse, edge: int, reach: PixelBox) -> Mask:
    """The share of each pixel that an ellipse by itself replaces, (height, width) of its reach.

    It is 1 on the pixels whose centres lie in the ellipse, and 0 outside the one that is larger by the edge; in between
    it falls linearly along each ray from the centre.
    """
    # Shares of the squares of the semi-axes: on an ellipse they add up to 1.
    y = np.square(np.arange(reach.top, reach.bottom) + (0.5 - ellipse.centre_y))
    x = np.square(np.arange(reach.left, reach.right) + (0.5 - ellipse.centre_x))
    inner, outer = (
        np.add.outer(
            (y / (ellipse.semi_axis_y + by) ** 2).astype(np.float32),
            (x / (ellipse.semi_axis_x + by) ** 2).astype(np.float32),
        )
        for by in (0, edge)
    )
    one = np.float32(1)
    with np.errstate(divide="ignore", invalid="ignore"):  # in the centre, where the result is not used
        reciprocal = one / np.sqrt(outer)
        slope = (reciprocal - one) / (reciprocal - one / np.sqrt(inner))
    soft: Mask = np.where(inner <= 1, one, np.where(outer < 1, slope, np.float32(0)))
    return soft


def _library_for(planes: Planes) -> ctypes.CDLL | None:
    """The native code, if it was built and can work on the pixels."""
    return library() if planes.has_plain_pixels else None


def sum_visible(planes: Planes, y_edges: Integers, x_edges: Integers) -> Sums:
    """The sums of the visible pixels in each cell of N grids, and behind them their count, (N, rows, columns, C + 1).

    Of large grids not every pixel is taken, but every second, third... row and column of each cell.

    Args:
        y_edges: int32 (N, rows + 1): where the rows of cells begin and the last one ends, in the picture; cells may be
            empty.
    """
    native, sums = _library_for(planes), _no_sums(planes, y_edges, x_edges)
    if native is not None:
        call(native.sum_visible, planes.native, *_grids(y_edges, x_edges), _SAMPLES, sums)
        return sums
    for y, x, of_grid in zip(y_edges.tolist(), x_edges.tolist(), sums, strict=True):
        step = max(1, max(y[-1] - y[0], x[-1] - x[0]) // _SAMPLES)
        _sum_in_grid(planes, partial(_is_visible, planes), step, y, x, of_grid)
    return sums


def sum_hidden(planes: Planes, numbers: Integers, y_edges: Integers, x_edges: Integers) -> Sums:
    """The same for all pixels that are wholly hidden for a region, and for no other.

    Args:
        numbers: int32 (N,), of the regions.
    """
    native, sums = _library_for(planes), _no_sums(planes, y_edges, x_edges)
    if native is not None:
        call(native.sum_hidden, planes.native, *_grids(y_edges, x_edges), np.ascontiguousarray(numbers, np.int32), sums)
        return sums
    for number, y, x, of_grid in zip(numbers.tolist(), y_edges.tolist(), x_edges.tolist(), sums, strict=True):
        _sum_in_grid(planes, partial(_is_hidden, planes, number), 1, y, x, of_grid)
    return sums


def _is_visible(planes: Planes, part: Part) -> npt.NDArray[np.bool_]:
    return np.asarray(planes.mask[part] == 0)


def _is_hidden(planes: Planes, number: int, part: Part) -> npt.NDArray[np.bool_]:
    return np.asarray((planes.mask[part] == 1) & (planes.owners[part] == number))


def _no_sums(planes: Planes, y_edges: Integers, x_edges: Integers) -> Sums:
    return np.zeros((len(y_edges), y_edges.shape[1] - 1, x_edges.shape[1] - 1, planes.pixels.shape[2] + 1), np.int64)


def _grids(y_edges: Integers, x_edges: Integers) -> tuple[int, Integers, int, Integers, int]:
    """How many grids, and their edges, each with the number of cells between them."""
    y, x = np.ascontiguousarray(y_edges, np.int32), np.ascontiguousarray(x_edges, np.int32)
    return len(y), y, y.shape[1] - 1, x, x.shape[1] - 1


def _sum_in_grid(
    planes: Planes,
    counts: Callable[[Part], npt.NDArray[np.bool_]],
    step: int,
    y_edges: Sequence[int],
    x_edges: Sequence[int],
    sums: Sums,
) -> None:
    """Sums those pixels that count, at every so many rows and columns of each cell, and behind them their number."""
    for row, column in np.ndindex(sums.shape[:2]):
        part = slice(y_edges[row], y_edges[row + 1], step), slice(x_edges[column], x_edges[column + 1], step)
        count = counts(part)
        sums[row, column, :-1] = planes.pixels[part][count].sum(axis=0, dtype=np.int64)
        sums[row, column, -1] = np.count_nonzero(count)


@dataclass(frozen=True, slots=True)
class Surface:
    """Colours that go over into each other: those of cells, by Gaussian weights of how near they are along each axis.

    All are integers, whose sums are the same in any order.
    """

    core: PixelBox
    """In which the cells lie, but for the first and the last of each row and column: those are around it."""
    y: Integers
    """int32 (height,): which row of the picture each row of the surface shows."""
    x: Integers
    """int32 (width,): the same of the columns."""
    cells: Integers
    """int32 (rows, columns, C): colours."""

    def to_pixels(self, dtype: npt.DTypeLike) -> Pixels:
        """(height, width, C)."""
        rows = _weights(self.y - self.core.top, self.core.height, self.cells.shape[0])
        columns = _weights(self.x - self.core.left, self.core.width, self.cells.shape[1]).T
        painted: Pixels = np.empty((len(self.y), len(self.x), self.cells.shape[2]), dtype)
        for channel in range(painted.shape[2]):
            sums = rows @ self.cells[:, :, channel] @ columns
            painted[:, :, channel] = (sums + _WEIGHT**2 // 2) // _WEIGHT**2
        return painted


def _weights(positions: Integers, length: int, cells: int) -> Sums:
    """The weight of each of some cells for each pixel, (N, cells): _WEIGHT altogether.

    Args:
        positions: of the pixels, from where the second cell begins.
        length: in pixels, of all cells but the first and the last.
    """
    inner = cells - 2
    ends = -_CELL // 2, inner * _CELL + _CELL // 2  # centres of the first and the last cell
    places = ((2 * positions.astype(np.int64) + 1) * (inner * _CELL // 2) // length).clip(*ends)
    distances = np.abs(places[:, np.newaxis] - (np.arange(cells) * _CELL - _CELL // 2))
    weights = np.where(distances < len(_BELL), _BELL[distances.clip(0, len(_BELL) - 1)], 0)
    sums = weights.cumsum(axis=1, dtype=np.int64)
    total = sums[:, -1:]
    weighed: Sums = np.diff((2 * _WEIGHT * sums + total) // (2 * total), axis=1, prepend=0)
    return weighed


def blend(planes: Planes, reach: PixelBox, number: int, painted: Pixels | Surface) -> None:
    """Puts what was painted for a region, (height, width, C) of its reach, in its place, by its share of each pixel."""
    native, pixels, part = _library_for(planes), planes.pixels, reach.slices
    if native is not None and isinstance(painted, Surface):
        core, (down, across) = painted.core, painted.cells.shape[:2]
        if max(down, across) > _MOST_CELLS:
            raise ValueError(f"{down} x {across} cells")
        corners = reach.top, reach.left, reach.bottom, reach.right
        frame = core.top, core.height, painted.y, core.left, core.width, painted.x
        call(
            native.blend_surface,
            planes.native,
            *corners,
            number,
            *frame,
            painted.cells,
            down,
            across,
            _BELL,
            len(_BELL),
        )
        return
    replacement = painted.to_pixels(pixels.dtype) if isinstance(painted, Surface) else painted
    share = planes.mask[part] * (planes.owners[part] == number)
    colors = pixels[part].astype(np.float32)
    change = (replacement - colors) * share[:, :, np.newaxis]
    pixels[part] = np.floor(colors + change + np.float32(0.5))
