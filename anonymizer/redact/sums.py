"""Sums of the pixels in the cells of a grid: of those that are visible, and of those hidden for one target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.native import call
from anonymizer.redact.planes import Integers, Planes

Sums: TypeAlias = npt.NDArray[np.int64]
"""int64 (..., C + 1): the sum of each channel, and last the number of pixels."""
_Part: TypeAlias = tuple[slice, slice]

_SAMPLES = 64
"""Means of visible pixels are taken over so many rows and columns, or up to twice as many."""


def sum_visible(planes: Planes, y_edges: Integers, x_edges: Integers) -> Sums:
    """Sums of the visible pixels in each cell of N grids, (N, rows, columns, C + 1).

    In large grids only every second, third... row and column of each cell is read.

    Args:
        y_edges: int32 (N, rows + 1): where the rows of cells begin and the last one ends, in the picture; cells may be
            empty.
        x_edges: int32 (N, columns + 1): the same for the columns.
    """
    library, sums = planes.native_library, _no_sums(planes, y_edges, x_edges)
    if library is not None:
        call(library.sum_visible, planes.addresses, *_grids(y_edges, x_edges), _SAMPLES, sums)
        return sums
    for y, x, of_grid in zip(y_edges.tolist(), x_edges.tolist(), sums, strict=True):
        step = max(1, max(y[-1] - y[0], x[-1] - x[0]) // _SAMPLES)
        _sum_in_grid(planes, partial(_is_visible, planes), step, y, x, of_grid)
    return sums


def sum_hidden(planes: Planes, numbers: Integers, y_edges: Integers, x_edges: Integers) -> Sums:
    """Sums of the pixels that are wholly hidden for one target, in each cell of N grids, (N, rows, columns, C + 1).

    Every pixel is read.

    Args:
        numbers: int32 (N,), of the targets.
        y_edges: as of `sum_visible`.
        x_edges: as of `sum_visible`.
    """
    library, sums = planes.native_library, _no_sums(planes, y_edges, x_edges)
    if library is not None:
        numbers = np.ascontiguousarray(numbers, np.int32)
        call(library.sum_hidden, planes.addresses, *_grids(y_edges, x_edges), numbers, sums)
        return sums
    for number, y, x, of_grid in zip(numbers.tolist(), y_edges.tolist(), x_edges.tolist(), sums, strict=True):
        _sum_in_grid(planes, partial(_is_hidden, planes, number), 1, y, x, of_grid)
    return sums


def _is_visible(planes: Planes, part: _Part) -> npt.NDArray[np.bool_]:
    return np.asarray(planes.mask[part] == 0)


def _is_hidden(planes: Planes, number: int, part: _Part) -> npt.NDArray[np.bool_]:
    return np.asarray((planes.mask[part] == 1) & (planes.owners[part] == number))


def _no_sums(planes: Planes, y_edges: Integers, x_edges: Integers) -> Sums:
    return np.zeros((len(y_edges), y_edges.shape[1] - 1, x_edges.shape[1] - 1, planes.pixels.shape[2] + 1), np.int64)


def _grids(y_edges: Integers, x_edges: Integers) -> tuple[int, Integers, int, Integers, int]:
    """The arguments of the native code: how many grids, and along each axis their edges and the number of cells."""
    y, x = np.ascontiguousarray(y_edges, np.int32), np.ascontiguousarray(x_edges, np.int32)
    return len(y), y, y.shape[1] - 1, x, x.shape[1] - 1


def _sum_in_grid(
    planes: Planes,
    counts: Callable[[_Part], npt.NDArray[np.bool_]],
    step: int,
    y_edges: Sequence[int],
    x_edges: Sequence[int],
    sums: Sums,
) -> None:
    """Adds up the pixels that count, in every step-th row and column of each cell of one grid."""
    for row, column in np.ndindex(sums.shape[:2]):
        part = slice(y_edges[row], y_edges[row + 1], step), slice(x_edges[column], x_edges[column + 1], step)
        count = counts(part)
        sums[row, column, :-1] = planes.pixels[part][count].sum(axis=0, dtype=np.int64)
        sums[row, column, -1] = np.count_nonzero(count)
