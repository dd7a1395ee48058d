"""The cells that `gaussian` and `mosaic` paint: of one tone, or in the brightness of one cell of an object or a few.

Colours would reveal too much: recognisers have named faces by their mean colour alone, see README.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import PixelBox
from anonymizer.redact.colors import brightness, in_range_of
from anonymizer.redact.planes import Integers
from anonymizer.redact.scene import MethodName, RedactionTarget, Scene
from anonymizer.redact.sums import Sums, sum_hidden, sum_visible
from anonymizer.redact.surroundings import area_around, means_or_gray

LEVELS = 6
"""Values that the brightness of a cell can take."""
TONES = ("#4b443e", "#8c8178", "#c8bfb5")
"""In place of an object of which no cell shows: for dark, middle and bright surroundings. More of their colours told a
retrained recogniser where a picture was taken, and with that who may be on it, see anonymizer/audit/README.md."""
PLAIN_CELLS: Mapping[MethodName, int] = {"gaussian": 8, "mosaic": 2}
"""Cells in such a tone along the longer side: with more of them, transitions to the surroundings are narrower. Behind
`gaussian`, the places where eyes, nose and mouth were show hardly any of these transitions."""
Levels: TypeAlias = npt.NDArray[np.uint8]
"""uint8 (rows, columns): the brightness of the cells of an object, each 0 to LEVELS - 1; or one number of `TONES`."""


@dataclass(frozen=True, slots=True)
class CellColors:
    """The cells of N objects, and what is visible around them."""

    cells: npt.NDArray[np.float64]
    """(N, rows, columns): brightness, one of LEVELS values in the range of the picture."""
    around: npt.NDArray[np.float64]
    """(N, C): mean colour of what is visible around."""
    visible: Sums
    """(N, rows + 2, columns + 2, C + 1): what is visible in the cells, and in one more cell on every side."""


def padded_cells(scene: Scene, targets: Sequence[RedactionTarget]) -> list[Integers]:
    """The colours of the cells of each target, with one cell of surroundings on every side.

    Returns:
        For each target int32 (rows + 2, columns + 2, C).
    """
    colors: dict[int, Integers] = {}  # by the index of the target
    maximum = np.iinfo(scene.pixels.dtype).max
    for indexes in _by_grid(targets):
        alike = [targets[index] for index in indexes]
        if alike[0].style.cells:
            padded = _in_surroundings(reduce_to_cells(scene, alike), maximum)
        else:
            padded = _in_tone(scene, alike)
        colors.update(zip(indexes, padded, strict=True))
    return [colors[index] for index in range(len(targets))]


def _by_grid(targets: Sequence[RedactionTarget]) -> Iterator[list[int]]:
    """Indexes of the targets that have the same number of rows and of columns of cells, which show something or not."""
    indexes: dict[tuple[bool, tuple[int, int]], list[int]] = {}
    for index, target in enumerate(targets):
        indexes.setdefault((target.style.cells > 0, grid_of(target)), []).append(index)
    yield from indexes.values()


def _in_tone(scene: Scene, targets: Sequence[RedactionTarget]) -> Integers:
    """Cells that show nothing of the targets, and on every side one more in the mean colour of what is visible there.

    Returns:
        int32 (N, rows + 2, columns + 2, C).
    """
    visible = sum_around(scene, targets, *cell_edges(targets))
    tones = np.array([in_range_of(scene.pixels, tone) for tone in TONES])[_tone_numbers(scene, visible)]
    shape = (len(targets), *grid_of(targets[0]), scene.pixels.shape[2])
    return pad_cells(np.broadcast_to(tones[:, np.newaxis, np.newaxis], shape), visible)


def _tone_numbers(scene: Scene, visible: Sums) -> Levels:
    """Which of the tones N targets have, (N,), by the brightness of what is visible around, see `sum_around`."""
    around = brightness(means_or_gray(visible.sum(axis=(1, 2)), scene.pixels.dtype))
    share = around / np.iinfo(scene.pixels.dtype).max
    return np.asarray((share * len(TONES)).clip(0, len(TONES) - 1), np.uint8)


def levels_of(scene: Scene, targets: Sequence[RedactionTarget]) -> list[Levels]:
    """The brightness of the cells of each target; of one without cells the number of its tone, (1, 1)."""
    levels: dict[int, Levels] = {}  # by the index of the target
    step = np.iinfo(scene.pixels.dtype).max // (LEVELS - 1)
    for indexes in _by_grid(targets):
        alike = [targets[index] for index in indexes]
        if alike[0].style.cells:
            of_targets = np.rint(reduce_to_cells(scene, alike).cells / step).astype(np.uint8)
        else:
            numbers = _tone_numbers(scene, sum_around(scene, alike, *cell_edges(alike)))
            of_targets = numbers[:, np.newaxis, np.newaxis]
        levels.update(zip(indexes, of_targets, strict=True))
    return [levels[index] for index in range(len(targets))]


def _in_surroundings(reduced: CellColors, maximum: int) -> Integers:
    """The cells, tinted like the surroundings, and on every side one more in the mean colour of what is visible there.

    Returns:
        int32 (N, rows + 2, columns + 2, C).
    """
    tint = reduced.around - brightness(reduced.around)[:, np.newaxis]
    tinted = (reduced.cells[..., np.newaxis] + tint[:, np.newaxis, np.newaxis]).clip(0, maximum)
    return pad_cells(tinted, reduced.visible)


def pad_cells(cells: npt.NDArray[np.float64], visible: Sums) -> Integers:
    """The cells, and on every side one more in the mean colour of what is visible there.

    Args:
        cells: (N, rows, columns, C).
        visible: see `CellColors`.

    Returns:
        int32 (N, rows + 2, columns + 2, C).
    """
    # Where nothing is visible, the outermost cells are repeated.
    padded = np.pad(cells, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    counts = visible[..., -1:].copy()
    counts[:, 1:-1, 1:-1] = 0
    np.divide(visible[..., :-1], counts, out=padded, where=counts > 0)
    return np.asarray(np.rint(padded), np.int32)


def reduce_to_cells(scene: Scene, targets: Sequence[RedactionTarget]) -> CellColors:
    """The mean brightness of the pixels hidden for each target, cell by cell, rounded to one of LEVELS values.

    Pixels hidden for other objects are not read.

    Args:
        targets: all with the same number of rows and columns of cells.
    """
    y, x = cell_edges(targets)
    visible = sum_around(scene, targets, y, x)
    around = means_or_gray(visible.sum(axis=(1, 2)), scene.pixels.dtype)
    own = sum_hidden(scene, np.array([target.number for target in targets], np.int32), y, x)
    # A cell hidden for other objects alone gets the mean of its object; where that is unknown, the colour around.
    own = np.where(own[..., -1:] > 0, own, own.sum(axis=(1, 2), keepdims=True))
    colors = np.where(
        own[..., -1:] > 0, own[..., :-1] / np.maximum(own[..., -1:], 1), around[:, np.newaxis, np.newaxis]
    )
    step = np.iinfo(scene.pixels.dtype).max // (LEVELS - 1)
    return CellColors(np.rint(brightness(colors) / step) * step, around, visible)


def sum_around(scene: Scene, targets: Sequence[RedactionTarget], y: Integers, x: Integers) -> Sums:
    """Sums of what is visible in the cells of N targets and around them, see `CellColors.visible`.

    Args:
        y: the edges of the cells, see `cell_edges`.
        x: the same for the columns.
    """
    areas = [area_around(scene, target) for target in targets]
    wide_y = np.column_stack([[area.top for area in areas], y, [area.bottom for area in areas]])
    wide_x = np.column_stack([[area.left for area in areas], x, [area.right for area in areas]])
    return sum_visible(scene, wide_y, wide_x)


def cell_edges(targets: Sequence[RedactionTarget], grid: tuple[int, int] | None = None) -> tuple[Integers, Integers]:
    """Where the rows and columns of cells of each target begin, and the last ones end.

    The cells are about square; the longer side of a target has at most `style.cells` of them, or PLAIN_CELLS.

    Args:
        targets: N, all with the same number of rows and columns of cells.
        grid: rows and columns, where they are settled already.

    Returns:
        int32 (N, rows + 1) and (N, columns + 1), in pixels of the picture.
    """
    rows, columns = grid or grid_of(targets[0])
    cores = np.array(
        [[(core.top, core.left), (core.height, core.width)] for core in (target.region.core for target in targets)]
    )
    starts, lengths = cores[:, 0], cores[:, 1]
    y = starts[:, :1] + lengths[:, :1] * np.arange(rows + 1) // rows
    x = starts[:, 1:] + lengths[:, 1:] * np.arange(columns + 1) // columns
    return y.astype(np.int32), x.astype(np.int32)


def grid_of(target: RedactionTarget) -> tuple[int, int]:
    """How many rows and columns of cells a target has."""
    core, cells = target.region.core, target.style.cells or PLAIN_CELLS[target.style.method]
    return _count(core.height, core, cells), _count(core.width, core, cells)


def _count(length: int, core: PixelBox, cells: int) -> int:
    return min(length, max(1, round(length * cells / core.longer_side)))
