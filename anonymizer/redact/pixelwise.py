"""What redaction does pixel by pixel: by the native code of pixelwise.c for pictures of 8 bits where that was built,
by numpy otherwise, to the same result.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.native import call, library
from anonymizer.redact.area import Area
from anonymizer.types import Pixels

Mask: TypeAlias = npt.NDArray[np.float32]
"""float32 (H, W) in [0, 1]: the share of each pixel that is replaced."""

Owners: TypeAlias = npt.NDArray[np.int32]
"""int32 (H, W): 0 where nothing is replaced, otherwise the number of a region, from 1 on."""

Integers: TypeAlias = npt.NDArray[np.int32]
Sums: TypeAlias = npt.NDArray[np.int64]

_WEIGHT = 1 << 10
"""What the weights of a pixel of a surface add up to, as integers: sums of integers are the same in any order."""
_SAMPLES = 64
"""Of so many visible rows and columns, or up to twice as many, means are taken."""
_MOST_CELLS, _MOST_CHANNELS = 64, 4  # of the native code


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
        assert self.mask.flags.c_contiguous
        assert self.owners.flags.c_contiguous
        pixels = self.pixels.ctypes.data if self.has_plain_pixels else None
        return _NativePlanes(pixels, self.mask.ctypes.data, self.owners.ctypes.data, *self.pixels.shape[1:])

    @cached_property
    def has_plain_pixels(self) -> bool:
        """Whether native code can read and write the pixels."""
        plain = self.pixels.dtype == np.uint8 and self.pixels.flags.c_contiguous
        return bool(plain and self.pixels.shape[2] <= _MOST_CHANNELS and library() is not None)


@dataclass(frozen=True, slots=True)
class Profile:
    """How a share falls off along both axes of a region's reach.

    Of an ellipse squares of radii, which add up to 1 on it, and those of a larger one around it; otherwise factors of
    the share.
    """

    y: Mask
    """float32 (2, height) or (1, height)."""
    x: Mask
    """float32 (2, width) or (1, width)."""


def share_of(profile: Profile) -> Mask:
    """The share of each pixel that a region by itself replaces, (height, width) of its reach.

    In an ellipse it is 1, and outside the larger one 0; in between it falls linearly along each ray from the centre.
    """
    if len(profile.y) == 1:
        share: Mask = np.outer(profile.y, profile.x)
        return share
    inner, outer = (np.add.outer(y, x) for y, x in zip(profile.y, profile.x, strict=True))
    one = np.float32(1)
    with np.errstate(divide="ignore", invalid="ignore"):  # in the centre, where the result is not used
        reciprocal = one / np.sqrt(outer)
        edge = (reciprocal - one) / (reciprocal - one / np.sqrt(inner))
    soft: Mask = np.where(inner <= 1, one, np.where(outer < 1, edge, np.float32(0)))
    return soft


def draw_region(planes: Planes, reach: Area, profile: Profile, number: int) -> None:
    """Gives a region the pixels of which it has a larger share than any before it."""
    native = library()
    if native is not None:
        corners = reach.top, reach.left, reach.bottom, reach.right
        call(native.draw_region, planes.native, *corners, profile.y, profile.x, len(profile.y) == 2, number)
        return
    share, part = share_of(profile), reach.slices
    wins = share > planes.mask[part]
    np.copyto(planes.mask[part], share, where=wins)
    np.copyto(planes.owners[part], number, where=wins)


def sum_visible(planes: Planes, y_edges: Sequence[int], x_edges: Sequence[int]) -> Sums:
    """The sums of the visible pixels in each cell of a grid, and behind them their count, (rows, columns, C + 1).

    Of large grids not every pixel is taken, but every second, third... row and column of each cell.

    Args:
        y_edges: where the rows of cells begin and the last one ends, in the picture; cells may be empty.
    """
    step = max(1, max(y_edges[-1] - y_edges[0], x_edges[-1] - x_edges[0]) // _SAMPLES)
    sums, native = _no_sums(planes, y_edges, x_edges), library()
    if native is not None and planes.has_plain_pixels:
        call(native.sum_visible, planes.native, step, *_to_native(y_edges), *_to_native(x_edges), sums)
    else:
        _sum_in_grid(planes.pixels, planes.mask == 0, step, y_edges, x_edges, sums)
    return sums


def sum_hidden(planes: Planes, number: int, y_edges: Sequence[int], x_edges: Sequence[int]) -> Sums:
    """The same for all pixels that are wholly hidden for a region, and for no other."""
    sums, native = _no_sums(planes, y_edges, x_edges), library()
    if native is not None and planes.has_plain_pixels:
        call(native.sum_hidden, planes.native, number, *_to_native(y_edges), *_to_native(x_edges), sums)
    else:
        _sum_in_grid(planes.pixels, (planes.mask == 1) & (planes.owners == number), 1, y_edges, x_edges, sums)
    return sums


def _no_sums(planes: Planes, y_edges: Sequence[int], x_edges: Sequence[int]) -> Sums:
    return np.zeros((len(y_edges) - 1, len(x_edges) - 1, planes.pixels.shape[2] + 1), np.int64)


def _to_native(edges: Sequence[int]) -> tuple[ctypes.Array[ctypes.c_int32], int]:
    """Edges of cells, and how many cells there are."""
    return (ctypes.c_int32 * len(edges))(*edges), len(edges) - 1


def _sum_in_grid(
    pixels: Pixels,
    counts: npt.NDArray[np.bool_],
    step: int,
    y_edges: Sequence[int],
    x_edges: Sequence[int],
    sums: Sums,
) -> None:
    """Sums those pixels that count, at every so many rows and columns of each cell, and behind them their number."""
    for row, column in np.ndindex(sums.shape[:2]):
        part = slice(y_edges[row], y_edges[row + 1], step), slice(x_edges[column], x_edges[column + 1], step)
        sums[row, column, :-1] = pixels[part][counts[part]].sum(axis=0, dtype=np.int64)
        sums[row, column, -1] = np.count_nonzero(counts[part])


@dataclass(frozen=True, slots=True)
class Surface:
    """Colours that go over into each other: those of a few cells, by how near they are to a pixel along both axes."""

    rows: Integers
    """int32 (height, down): weights, see `to_weights`."""
    columns: Integers
    """int32 (across, width): the same, the other way round."""
    cells: Integers
    """int32 (down, across, C): colours."""

    def to_pixels(self, dtype: npt.DTypeLike) -> Pixels:
        """(height, width, C)."""
        rows, columns = self.rows.astype(np.float64), self.columns.astype(np.float64)
        painted: Pixels = np.empty((len(self.rows), self.columns.shape[1], self.cells.shape[2]), dtype)
        for channel in range(painted.shape[2]):
            sums = rows @ self.cells[:, :, channel] @ columns
            painted[:, :, channel] = np.floor((sums + _WEIGHT**2 / 2) / _WEIGHT**2)
        return painted


def to_weights(weights: npt.NDArray[np.floating]) -> Integers:
    """Weights (N, cells) as integers, those of each of N pixels with the same sum."""
    ends = weights.cumsum(axis=1)
    ends *= _WEIGHT / ends[:, -1:]
    rounded: Integers = np.rint(ends).astype(np.int32)
    rounded[:, 1:] -= rounded[:, :-1].copy()
    return rounded


def blend(planes: Planes, reach: Area, number: int, painted: Pixels | Surface) -> None:
    """Puts what was painted for a region, (height, width, C) of its reach, in its place, by its share of each pixel."""
    native, pixels, part = library(), planes.pixels, reach.slices
    if native is not None and isinstance(painted, Surface) and planes.has_plain_pixels:
        down, across = len(painted.rows[0]), len(painted.columns)
        assert across <= _MOST_CELLS
        corners = reach.top, reach.left, reach.bottom, reach.right
        weights = painted.rows, down, painted.columns, across
        call(native.blend_surface, planes.native, *corners, number, *weights, painted.cells)
        return
    replacement = painted.to_pixels(pixels.dtype) if isinstance(painted, Surface) else painted
    share = planes.mask[part] * (planes.owners[part] == number)
    colors = pixels[part].astype(np.float32)
    change = (replacement - colors) * share[:, :, np.newaxis]
    pixels[part] = np.floor(colors + change + np.float32(0.5))
