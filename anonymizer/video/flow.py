"""Where boxes move from frame to frame: sparse optical flow.

B. Lucas and T. Kanade, An iterative image registration technique, IJCAI 1981, in pyramids (J.-Y. Bouguet, 2000). A box
moves by the median of its points, and grows by the median change of their distances (Z. Kalal et al., Forward-backward
error, ICPR 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.geometry import Box

Gray: TypeAlias = npt.NDArray[np.uint8]
"""uint8 (H, W): the brightness of an upright frame, at any scale."""
Patch: TypeAlias = npt.NDArray[np.float32]
"""float32 (PATCH, PATCH): what a box shows, scaled."""
Patches: TypeAlias = npt.NDArray[np.float32]
"""float32 (N, PATCH, PATCH)."""
_Points: TypeAlias = npt.NDArray[np.float64]

POINTS = 4
"""Along each side of a box."""
LEAST_POINTS = 6
"""With fewer points that can be followed, a box is lost."""
PATCH = 24
"""Height and width of what is compared of a box, in pixels."""
ALIKE = 0.5
"""Correlation from which on a box still shows what it showed."""
MOST_GROWTH = 0.1
"""A box grows or shrinks from a frame to the next by this share at most."""
_FLAT = 4.0
"""Standard deviation of brightness below which a patch shows nothing that could be compared."""
_WINDOW = (15, 15)
_LEVELS = 3


@dataclass(frozen=True, slots=True)
class Trail:
    """Where a box goes in some frames, one after the other."""

    boxes: Sequence[Box]
    """One for each frame, as long as it still shows what it showed."""
    end: Box
    """The last of them; where there is none, the box itself."""
    holds: bool
    """Whether it was followed to the last frame."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Pixels of gray frames per pixel of the film."""

    x: float
    y: float

    def to_gray(self, boxes: Sequence[Box]) -> _Points:
        """(N, 4): x_min, y_min, x_max, y_max."""
        return np.array([box.xyxy for box in boxes]).reshape(-1, 4) * (self.x, self.y, self.x, self.y)

    def to_film(self, boxes: _Points) -> list[Box]:
        return [Box(*box) for box in (boxes / (self.x, self.y, self.x, self.y)).tolist()]


def follow(boxes: Sequence[Box], patches: Sequence[Patch], grays: Sequence[Gray], scale: Scale) -> list[Trail]:
    """Follows boxes from the first of some frames to the last.

    Args:
        boxes: where they are in the first frame, in pixels of the film.
        patches: what each box showed when it was last sure, see `patches_of`.
        grays: one or more frames next to each other in time, forwards or backwards.
    """
    ways: list[list[Box]] = [[] for _ in boxes]
    now, shown, followed = scale.to_gray(boxes), np.array(patches), np.arange(len(boxes))
    for before, after in pairwise(grays):
        if not len(followed):
            break
        moved, is_found = _move(now, before, after)
        is_found &= correlations(shown[followed], _patches(after, moved)) >= ALIKE
        now, followed = moved[is_found], followed[is_found]
        for index, box in zip(followed.tolist(), scale.to_film(now), strict=True):
            ways[index].append(box)
    return [
        Trail(way, way[-1] if way else box, len(way) == len(grays) - 1) for way, box in zip(ways, boxes, strict=True)
    ]


def patches_of(gray: Gray, boxes: Sequence[Box], scale: Scale) -> Patches:
    """What N boxes show, each with mean 0 and standard deviation 1; all 0 where one shows nothing."""
    return _patches(gray, scale.to_gray(boxes))


def correlations(some: Patches, others: Patches) -> npt.NDArray[np.float32]:
    """Of each two patches, (N,), -1 to 1; 1 where both show nothing."""
    products: npt.NDArray[np.float32] = (some * others).mean(axis=(1, 2))
    show_nothing = ~(some.any(axis=(1, 2)) | others.any(axis=(1, 2)))
    return np.where(show_nothing, np.float32(1), products)


def _patches(gray: Gray, boxes: _Points) -> Patches:
    middles = (np.arange(PATCH) + 0.5) / PATCH
    corners, sizes = boxes[:, :2, np.newaxis], np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)[:, :, np.newaxis]
    x, y = ((corners + sizes * middles) - 0.5).astype(np.float32).swapaxes(0, 1)  # (N, PATCH) each
    shape = len(boxes), PATCH, PATCH
    rows = np.broadcast_to(y[:, :, np.newaxis], shape).reshape(-1, PATCH)
    columns = np.broadcast_to(x[:, np.newaxis, :], shape).reshape(-1, PATCH)
    seen = np.concatenate(
        [
            cv2.remap(gray, columns[part], rows[part], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for part in _parts(len(rows))
        ]
        or [np.zeros((0, PATCH), np.uint8)]
    )
    shown = seen.reshape(shape).astype(np.float32)
    shown -= shown.mean(axis=(1, 2), keepdims=True)
    spread = shown.std(axis=(1, 2), keepdims=True)
    patches: Patches = np.where(spread >= _FLAT, shown / np.maximum(spread, np.float32(_FLAT)), np.float32(0))
    return patches


def _parts(rows: int) -> list[slice]:
    """OpenCV takes maps of less than 2 ** 15 rows."""
    step = PATCH * 1024
    return [slice(start, start + step) for start in range(0, rows, step)]


def _move(boxes: _Points, before: Gray, after: Gray) -> tuple[_Points, npt.NDArray[np.bool_]]:
    """Where boxes, (N, 4), are in the next frame, and whether enough of their points were found there, (N,)."""
    share = (np.arange(POINTS) + 0.5) / POINTS
    grid = np.stack(np.meshgrid(share, share), axis=-1).reshape(-1, 2)
    points = (boxes[:, np.newaxis, :2] + grid * (boxes[:, 2:] - boxes[:, :2])[:, np.newaxis]).astype(np.float32)
    there, found, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
        before, after, points.reshape(-1, 1, 2), None, winSize=_WINDOW, maxLevel=_LEVELS
    )
    goes_to = np.asarray(there, np.float32).reshape(points.shape)
    limits = np.array(after.shape[::-1])
    is_found = np.asarray(found).reshape(points.shape[:2]) > 0
    is_found &= ((points >= 0) & (points < limits) & (goes_to >= 0) & (goes_to < limits)).all(axis=2)
    is_enough: npt.NDArray[np.bool_] = is_found.sum(axis=1) >= LEAST_POINTS
    shift = np.stack([_medians((goes_to - points)[:, :, axis], is_found, 0.0) for axis in (0, 1)], axis=1)
    # Each point with the one half of all points further on, which is far away.
    by = POINTS**2 // 2
    was, became = (np.linalg.norm(each - np.roll(each, by, axis=1), axis=2) for each in (points, goes_to))
    growth = _medians(became / np.maximum(was, 1e-6), is_found & np.roll(is_found, by, axis=1), 1.0)
    growth = growth.clip(1 - MOST_GROWTH, 1 + MOST_GROWTH)[:, np.newaxis]
    centres, halves = (boxes[:, :2] + boxes[:, 2:]) / 2 + shift, (boxes[:, 2:] - boxes[:, :2]) / 2 * growth
    return np.hstack([centres - halves, centres + halves]), is_enough


def _medians(
    values: npt.NDArray[np.float32], counts: npt.NDArray[np.bool_], otherwise: float
) -> npt.NDArray[np.float64]:
    """The median of those values in each row, (N, P), that count; `otherwise` where none does."""
    ordered = np.sort(np.where(counts, values, np.float32(np.inf)), axis=1)
    number, rows = counts.sum(axis=1), np.arange(len(values))
    middles = [ordered[rows, np.maximum(number - by, 0) // 2] for by in (1, 0)]
    middles[1] = np.where(number % 2 == 0, middles[1], middles[0])
    return np.where(number > 0, (middles[0] + middles[1]) / 2, otherwise).astype(np.float64)
