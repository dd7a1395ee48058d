"""Fills holes in a picture with patches of what is around them, from coarse to fine.

A. Newson, A. Almansa, Y. Gousseau and P. Perez, Non-local patch-based image inpainting, Image Processing On Line 7
(2017): in copies of the picture, from one in which the hole is small up to the picture itself, each patch in the hole
is compared with patches around it, and each pixel becomes what the most alike of the patches that cover it say. Besides
colours, patches show how rough the picture is there, so that coarse copies tell grass from a wall. In the smallest copy
the hole is closed from its border inward, and all patches are compared; in larger ones candidates come from the copy
before, from the pixels beside, and from places drawn at random, as in PatchMatch (C. Barnes et al., ACM TOG 28, 2009).

Differences and sums are whole numbers, and what is drawn at random is always the same: so the same surroundings make
the same content with any number of threads, and native code and numpy the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, exp, log2, sqrt
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer import native
from anonymizer.types import Pixels

RADIUS_PX = 3
"""Patches have 7 x 7 pixels. With colours and roughness the difference of two stays below 2**24: floats add exactly."""
COARSEST_PX = 12
"""Side of the hole in the smallest copy, about."""
MATCHED_PX = 512
"""And in the largest one in which patches are compared, at most: from there on larger pieces are copied, which bounds
the time."""
FEWEST = 50
"""Copies with fewer patches around the hole are not used."""
COMPARED = 4_000_000
"""Up to so many pairs of patches all are compared."""
ROUNDS = 4
"""Of comparing and mixing, in each copy."""
STEPS_PX = (8, 4, 2, 1)
"""How far away the pixels are whose sources become candidates."""
ROUGHNESS_PX = 9
"""Side of the squares in which roughness is averaged."""
ROUGHNESS = 2
"""How much it counts beside colours."""
AT_ONCE = 512
"""So many patches are compared with all others at once, which bounds the memory."""
_LIKENESS = np.array([round(255 * exp(-step / 8)) for step in range(40)], np.int32)
"""Weight of a patch by its difference, in eighths of the usual one."""
_INWARD = np.array([max(1, round(255 / 1.2**step)) for step in range(64)], np.int32)
"""And by its distance from the border of the hole."""

Values: TypeAlias = npt.NDArray[Any]
"""(H, W, C): uint8, and uint16 for copying."""
Flags: TypeAlias = npt.NDArray[np.bool_]
"""(H, W)."""
Integers: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True)
class _Level:
    """A copy of the picture at one size."""

    seen: Values
    """uint8 (H, W, C + 2): colours, and roughness along both axes. Pixels that are not visible hold what lies smoothly
    between those that are."""
    visible: Flags
    """Shows nothing but visible pixels."""
    wanted: Flags
    """To be filled."""

    @cached_property
    def targets(self) -> Integers:
        """(N, 2): middles of the patches that hold anything that is wanted."""
        return _places(_dilated(self.wanted))

    @cached_property
    def numbers(self) -> Integers:
        """(H, W): of the targets, -1 elsewhere."""
        numbers = np.full(self.wanted.shape, -1, np.int32)
        numbers[self.targets[:, 0], self.targets[:, 1]] = np.arange(len(self.targets), dtype=np.int32)
        return numbers

    @cached_property
    def holes(self) -> Integers:
        """(M, 2): the wanted pixels."""
        return _places(self.wanted)

    @cached_property
    def is_source(self) -> Flags:
        """The middles of patches that are wholly visible."""
        kernel = np.ones((_SIDE, _SIDE), np.uint8)
        eroded = cv2.erode(self.visible.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        return np.asarray(eroded > 0)

    @cached_property
    def inwardness(self) -> Integers:
        """(N,): weights of the targets: the nearer to what is visible, the more."""
        far = cv2.distanceTransform(self.wanted.astype(np.uint8), cv2.DIST_L1, 3)
        return np.asarray(_INWARD[far[self.targets[:, 0], self.targets[:, 1]].astype(np.intp).clip(0, 63)])


_SIDE = 2 * RADIUS_PX + 1


def fill(pixels: Pixels, visible: npt.NDArray[np.uint8], wanted: Flags) -> Pixels:
    """The picture with what is wanted filled; other pixels that are not visible hold anything.

    Args:
        pixels: uint8 or uint16 (H, W, C), C up to 3. Those that are not visible are not read.
        visible: 1 or 0, (H, W); one pixel at least.
        wanted: (H, W), none of it visible.
    """
    is_visible = visible > 0
    shown = np.where(is_visible[:, :, np.newaxis], pixels, 0).astype(pixels.dtype)
    if not wanted.any():
        return shown
    smaller_by = max(0, ceil(log2(_size_of(wanted) / MATCHED_PX)))
    levels = _pyramid(_first_level(shown, is_visible, wanted, smaller_by))
    while levels and np.count_nonzero(levels[-1].is_source) < FEWEST:
        levels.pop()
    if not levels:
        smooth: Pixels = np.where(wanted[:, :, np.newaxis], _smoothed(shown, is_visible), shown)
        return smooth
    sources, weights = _matched(levels)
    if smaller_by:
        return _copied(shown, wanted, levels[0], sources, 2**smaller_by)
    filled: Pixels = shown.copy()
    filled[wanted] = _voted(shown, levels[0], sources, weights)
    return filled


def _size_of(wanted: Flags) -> float:
    """Side of a square as large as the box around it."""
    rows, columns = wanted.any(axis=1).nonzero()[0], wanted.any(axis=0).nonzero()[0]
    return sqrt(int(np.ptp(rows) + 1) * int(np.ptp(columns) + 1))


def _first_level(shown: Pixels, visible: Flags, wanted: Flags, smaller_by: int) -> _Level:
    """The largest copy in which patches are compared: halved so often."""
    edge = [(0, -length % 2**smaller_by) for length in visible.shape]
    values: Values = np.pad(shown, [*edge, (0, 0)])
    visible, wanted = np.pad(visible, edge), np.pad(wanted, edge)
    for _ in range(smaller_by):
        values, visible, wanted = _halved(values, visible, wanted)
    if values.dtype != np.uint8:
        values = values >> 8
    return _Level(_with_roughness(values.astype(np.uint8), visible), visible, wanted)


def _halved(values: Values, visible: Flags, wanted: Flags) -> tuple[Values, Flags, Flags]:
    """A pixel of the copy shows either visible pixels alone, or is not visible."""
    visible = np.asarray(_blocks(visible).all(axis=(1, 3)), bool)
    means = (_blocks(values).sum(axis=(1, 3), dtype=np.uint32) + 2) // 4
    halved = np.where(visible[:, :, np.newaxis], means, 0).astype(values.dtype)
    return halved, visible, np.asarray(_blocks(wanted).any(axis=(1, 3)), bool)


def _blocks(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(H / 2, 2, W / 2, 2, ...)."""
    height, width = plane.shape[:2]
    return plane.reshape(height // 2, 2, width // 2, 2, *plane.shape[2:])


def _with_roughness(values: Values, visible: Flags) -> Values:
    """(H, W, C + 2): the mean step from pixel to pixel around each one follows, along the columns and the rows."""
    gray = values.sum(axis=2, dtype=np.int32)
    planes = [values]
    for one, other in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        counts, steps = np.zeros(visible.shape, np.int32), np.zeros(visible.shape, np.int32)
        counts[one] = visible[one] & visible[other]
        steps[one] = np.abs(gray[one] - gray[other]) * counts[one]
        mean = ROUGHNESS * _box_sums(steps) // np.maximum(_box_sums(counts) * values.shape[2], 1)
        planes.append(np.where(visible, mean, 0).clip(0, 255).astype(np.uint8)[:, :, np.newaxis])
    return np.concatenate(planes, axis=2)


def _box_sums(plane: Integers) -> npt.NDArray[np.int64]:
    by = ROUGHNESS_PX // 2
    sums = np.pad(plane, [(by + 1, by), (by + 1, by)]).cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    return np.asarray(
        sums[ROUGHNESS_PX:, ROUGHNESS_PX:]
        - sums[:-ROUGHNESS_PX, ROUGHNESS_PX:]
        - sums[ROUGHNESS_PX:, :-ROUGHNESS_PX]
        + sums[:-ROUGHNESS_PX, :-ROUGHNESS_PX]
    )


def _pyramid(first: _Level) -> list[_Level]:
    """From the first copy to one in which the hole is small; each has half the size of the one before."""
    depth = max(0, round(log2(_size_of(first.wanted) / COARSEST_PX)))
    seen, visible, wanted = first.seen, first.visible, first.wanted
    levels = []
    for step in range(depth + 1):
        if step:
            edge = [(0, length % 2) for length in visible.shape]
            seen, visible, wanted = _halved(np.pad(seen, [*edge, (0, 0)]), np.pad(visible, edge), np.pad(wanted, edge))
        levels.append(_Level(_smoothed(seen, visible), visible, wanted))
    return levels


def _smoothed(values: Values, visible: Flags) -> Values:
    """What is visible, and smoothly between it what is not: pulled from smaller and smaller copies."""
    floats = _pulled(values.astype(np.float32), visible)
    smoothed: Values = np.where(visible[:, :, np.newaxis], values, np.rint(floats)).astype(values.dtype)
    return smoothed


def _pulled(values: npt.NDArray[np.float32], visible: Flags) -> npt.NDArray[np.float32]:
    if visible.all() or min(visible.shape) < 2:
        mean = np.asarray(values[visible].mean(axis=0) if visible.any() else 0, np.float32)
        return np.where(visible[:, :, np.newaxis], values, mean).astype(np.float32)
    edge = [(0, length % 2) for length in visible.shape]
    weights = _blocks(np.pad(visible, edge)).sum(axis=(1, 3), dtype=np.float32)[:, :, np.newaxis]
    sums = _blocks(np.pad(values * visible[:, :, np.newaxis], [*edge, (0, 0)])).sum(axis=(1, 3), dtype=np.float32)
    smaller = _pulled(sums / np.maximum(weights, 1), weights[:, :, 0] > 0)
    height, width = visible.shape
    larger = cv2.resize(smaller, (2 * smaller.shape[1], 2 * smaller.shape[0]), interpolation=cv2.INTER_LINEAR)
    larger = larger.reshape(*larger.shape[:2], values.shape[2])[:height, :width]
    return np.where(visible[:, :, np.newaxis], values, larger).astype(np.float32)


def _places(flags: Flags) -> Integers:
    """(N, 2): where they are set."""
    return np.ascontiguousarray(np.argwhere(flags), np.int32)


def _dilated(wanted: Flags) -> Flags:
    return np.asarray(cv2.dilate(wanted.astype(np.uint8), np.ones((_SIDE, _SIDE), np.uint8)) > 0)


def _matched(levels: Sequence[_Level]) -> tuple[Integers, Integers]:
    """Where the patches around the first level's targets come from, (N, 2), and their weights, (N,)."""
    random = np.random.RandomState(0)  # whose numbers never change
    filled = _closed(levels[-1])
    sources, _ = _nearest(levels[-1], filled)
    for depth, level in reversed([*enumerate(levels)]):
        if depth < len(levels) - 1:
            sources = _doubled(sources, levels[depth + 1], level)
            filled = _mixed(level, sources, level.inwardness)
        compares_all = len(level.targets) * np.count_nonzero(level.is_source) <= COMPARED
        for _ in range(ROUNDS):
            nearest = _nearest(level, filled) if compares_all else _nearer(level, filled, sources, random)
            sources, weights = nearest[0], _weights(level, nearest[1])
            filled = _mixed(level, sources, weights)
    return sources, weights


def _closed(level: _Level) -> Values:
    """The hole, closed from its border inward: each pixel by the patch that is most like what is known around it."""
    filled: Values = level.seen.copy()
    known = level.visible.copy()
    middles = np.argwhere(level.is_source)
    sources = _patches(level.seen, middles)
    squares = np.square(sources)
    left = level.wanted.copy()
    while left.any():
        near = cv2.dilate(known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        ring = np.argwhere(left & near if (left & near).any() else left)
        is_known = np.repeat(known[:, :, np.newaxis], filled.shape[2], axis=2).astype(np.uint8)
        for start in range(0, len(ring), AT_ONCE):
            part = ring[start : start + AT_ONCE]
            counts = _patches(is_known, part, mode="constant")
            shown = _patches(filled, part) * counts
            costs = counts @ squares.T - 2 * (shown @ sources.T)
            chosen = middles[costs.argmin(axis=1)]
            filled[part[:, 0], part[:, 1]] = level.seen[chosen[:, 0], chosen[:, 1]]
        known[ring[:, 0], ring[:, 1]] = True
        left[ring[:, 0], ring[:, 1]] = False
    return filled


def _padded(values: Values, mode: Literal["edge", "constant"] = "edge") -> Values:
    padded: Values = np.pad(values, [(RADIUS_PX, RADIUS_PX), (RADIUS_PX, RADIUS_PX), (0, 0)], mode=mode)
    return padded


def _patches(
    values: Values, middles: npt.NDArray[Any], mode: Literal["edge", "constant"] = "edge"
) -> npt.NDArray[np.float32]:
    """(N, 49 * C): the patches around N pixels."""
    windows = np.lib.stride_tricks.sliding_window_view(_padded(values, mode), (_SIDE, _SIDE), axis=(0, 1))
    return np.ascontiguousarray(windows[middles[:, 0], middles[:, 1]].reshape(len(middles), -1), np.float32)


def _nearest(level: _Level, filled: Values) -> tuple[Integers, Integers]:
    """The most alike patches of all, and their differences."""
    middles = _places(level.is_source)
    known = _patches(level.seen, middles)
    squares = np.square(known).sum(axis=1)
    sources, costs = np.zeros_like(level.targets), np.zeros(len(level.targets), np.int32)
    shown = _patches(filled, level.targets)
    for start in range(0, len(shown), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        off = squares - 2 * (shown[part] @ known.T)
        best = off.argmin(axis=1)
        sources[part] = middles[best]
        least = np.take_along_axis(off, best[:, np.newaxis], axis=1)[:, 0]
        costs[part] = least + np.square(shown[part]).sum(axis=1)
    return sources, costs


def _nearer(
    level: _Level, filled: Values, sources: Integers, random: np.random.RandomState
) -> tuple[Integers, Integers]:
    """More alike patches than those so far, and their differences."""
    chosen, costs = sources.copy(), np.full(len(sources), np.iinfo(np.int32).max, np.int32)
    padded = np.ascontiguousarray(_padded(filled))
    _take_better(level, padded, sources, chosen, costs)
    size = np.array(level.visible.shape)
    for step in STEPS_PX:
        for way in ((-step, 0), (step, 0), (0, -step), (0, step)):
            beside = level.targets + np.array(way, np.int32)
            is_inside = ((beside >= 0) & (beside < size)).all(axis=1)
            beside = beside.clip(0, size - 1)
            number = level.numbers[beside[:, 0], beside[:, 1]]
            candidates = np.where((is_inside & (number >= 0))[:, np.newaxis], chosen[number] - way, -1)
            _take_better(level, padded, candidates, chosen, costs)
    reach = int(size.max())
    while reach >= 1:
        candidates = chosen + random.randint(-reach, reach + 1, chosen.shape)
        _take_better(level, padded, candidates, chosen, costs)
        reach //= 2
    return chosen, costs


def _take_better(
    level: _Level, padded: Values, candidates: npt.NDArray[Any], chosen: Integers, costs: Integers
) -> None:
    """Takes candidates, (N, 2), as the sources of targets where their patches are more alike."""
    candidates = np.ascontiguousarray(candidates, np.int32)
    library = native.library()
    if library is not None:
        pictures = padded, level.seen, level.is_source.view(np.uint8), *level.seen.shape, RADIUS_PX
        native.call(library.take_better, *pictures, level.targets, len(chosen), candidates, chosen, costs)
        return
    height, width = level.visible.shape
    y, x = candidates.T
    asked = ((y >= 0) & (x >= 0) & (y < height) & (x < width)).nonzero()[0]
    asked = asked[level.is_source[y[asked], x[asked]]]
    off = np.zeros(len(asked), np.int32)
    for row, column in np.ndindex(_SIDE, _SIDE):
        (to_y, to_x), (from_y, from_x) = level.targets[asked].T, candidates[asked].T
        there = padded[to_y + row, to_x + column].astype(np.int32)
        copied = level.seen[from_y + row - RADIUS_PX, from_x + column - RADIUS_PX]
        off += np.square(there - copied).sum(axis=1, dtype=np.int32)
        is_better = off < costs[asked]
        asked, off = asked[is_better], off[is_better]
    costs[asked] = off
    chosen[asked] = candidates[asked]


def _weights(level: _Level, costs: Integers) -> Integers:
    """Of the patches around targets, (N,)."""
    usual = max(1, int(np.partition(costs, 3 * len(costs) // 4)[3 * len(costs) // 4]))
    likeness = _LIKENESS[(8 * costs.astype(np.int64) // usual).clip(0, len(_LIKENESS) - 1)]
    return np.ascontiguousarray(np.maximum(likeness * level.inwardness, 1), np.int32)


def _mixed(level: _Level, sources: Integers, weights: Integers) -> Values:
    """The copy with the hole filled with what the patches say."""
    mixed: Values = level.seen.copy()
    mixed[level.wanted] = _voted(level.seen, level, sources, weights)
    return mixed


def _voted(values: Values, level: _Level, sources: Integers, weights: Integers) -> Values:
    """What the patches that cover a pixel put there, by their weights: (M, C) of the wanted pixels.

    Args:
        values: (H, W, C), what is copied.
    """
    library = native.library()
    if library is not None and values.dtype == np.uint8:
        voted = np.empty((len(level.holes), values.shape[2]), np.uint8)
        picture = np.ascontiguousarray(values), level.numbers, *values.shape, RADIUS_PX
        native.call(library.vote, *picture, sources, weights, level.holes, len(voted), voted)
        return voted
    size = np.array(level.wanted.shape)
    sums, total = np.zeros((len(level.holes), values.shape[2]), np.int64), np.zeros((len(level.holes), 1), np.int64)
    for y, x in _offsets():
        middle = level.holes - np.array((y, x), np.int32)
        is_inside = ((middle >= 0) & (middle < size)).all(axis=1)
        middle = middle.clip(0, size - 1)
        number = np.where(is_inside, level.numbers[middle[:, 0], middle[:, 1]], -1)
        weight = np.where(number >= 0, weights[number], 0)[:, np.newaxis]
        sums += weight.astype(np.int64) * values[sources[number, 0] + y, sources[number, 1] + x]
        total += weight
    return np.asarray((2 * sums + total) // (2 * total), values.dtype)


def _offsets() -> Iterator[tuple[int, int]]:
    reach = range(-RADIUS_PX, RADIUS_PX + 1)
    yield from ((y, x) for y in reach for x in reach)


def _doubled(sources: Integers, small: _Level, large: _Level) -> Integers:
    """The sources of a copy's targets, from those of a copy of half the size."""
    number = small.numbers[large.targets[:, 0] // 2, large.targets[:, 1] // 2]
    return np.ascontiguousarray(2 * sources[number] + large.targets % 2, np.int32)


def _copied(shown: Pixels, wanted: Flags, level: _Level, sources: Integers, by: int) -> Pixels:
    """The picture with the hole filled with pieces of `by` x `by` pixels, each as in a copy smaller by that."""
    filled: Pixels = shown.copy()
    for row in wanted.any(axis=1).nonzero()[0]:
        columns = wanted[row].nonzero()[0]
        number = level.numbers[row // by, columns // by]
        filled[row, columns] = shown[by * sources[number, 0] + row % by, by * sources[number, 1] + columns % by]
    return filled
