"""Making one training example: a random view of a picture, worn, and what the network shall answer.

Boxes are x_min, y_min, x_max, y_max in pixels of the view.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.random import Generator

from weights.plate.augment import wear

from .data import Row, decode
from .network import STRIDE

__all__ = ["View", "look", "targets", "wear"]

SMALLEST, LARGEST = 5.0, 200.0
"""Heads are drawn to sizes between these. Pixels of the view."""
SMALLEST_LEARNT = 4.0
"""Smaller heads are neither learnt as heads nor as background. Pixels."""
AT_HEAD = 0.8
"""Share of the views around a head; the others lie anywhere in the picture, mostly on background."""
SEEN_SIDES, SEEN_SCALES = (256.0, 800.0), (1.0, 2.0)
"""Views without a head in the middle are seen as the program sees them: the picture's longer side so long, or at such a
scale."""
AT_MISTAKEN = 0.3
"""Share of the views around a place that was taken for a head, where such are known; 0.6 in pictures without heads."""
CHANNELS = 8
GUESSED_SIZE_WEIGHT = 0.0
"""Of the loss of a size that is only guessed: its heat alone is learnt."""


@dataclasses.dataclass
class View:
    """A square view: `pixels` uint8 RGB (S, S, 3); the rest as in `Row`."""

    pixels: np.ndarray
    boxes: np.ndarray
    ignore: np.ndarray
    measured: np.ndarray


def view_matrix(rng: Generator, row: Row, size: int) -> np.ndarray:
    """Map pixels of the picture to the view: scale, squeeze, rotation, mirror, shift. float64 (2, 3)."""
    width, height = row.width, row.height
    sides = np.sqrt(np.prod(row.boxes[:, 2:] - row.boxes[:, :2], axis=1))
    is_at_mistaken = len(row.mistaken) > 0 and rng.random() < (AT_MISTAKEN if len(sides) else 2 * AT_MISTAKEN)
    if is_at_mistaken or not len(sides):
        middle = rng.uniform(0, 1, 2) * (width, height)
        if is_at_mistaken:
            box = row.mistaken[rng.integers(len(row.mistaken))]
            middle = (box[:2] + box[2:]) / 2
        scale = rng.choice([*(side / max(width, height) for side in SEEN_SIDES), *SEEN_SCALES])
        scale *= np.exp(rng.normal(0, 0.2))
    elif rng.random() < AT_HEAD:
        index = rng.integers(len(sides))
        middle = (row.boxes[index, :2] + row.boxes[index, 2:]) / 2
        if row.measured[index]:
            wanted = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))
            if rng.random() < 0.6:
                wanted = np.exp(rng.uniform(np.log(SMALLEST), np.log(48)))
            scale = wanted / sides[index]
        else:
            scale = np.exp(rng.uniform(np.log(0.45), np.log(2.5)))
    else:
        middle = np.array([rng.uniform(0, width), rng.uniform(0, height)])
        scale = np.exp(rng.uniform(np.log(0.35), np.log(1.6)))
    scale = float(np.clip(scale, 0.8 * size / max(width, height), 3.0))
    squeeze = np.exp(rng.uniform(-0.3, 0.3)) if rng.random() < 0.25 else np.exp(rng.normal(0, 0.05))
    angle = rng.normal(0, 0.15) if rng.random() < 0.4 else 0.0
    if rng.random() < 0.12:
        angle = rng.uniform(-np.pi, np.pi)
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([mirror * scale * squeeze, scale / squeeze])
    shift = rng.uniform(0.1 * size, 0.9 * size, 2) - linear @ middle
    if abs(angle) < 0.5:  # mostly fill the view with picture
        ends = linear @ np.array([[0, width, 0, width], [0, 0, height, height]])
        for axis in range(2):
            if rng.random() < 0.9:
                low, high = sorted((size - ends[axis].max(), -ends[axis].min()))
                shift[axis] = np.clip(shift[axis], low, high)
    return np.column_stack([linear, shift])


def warp_boxes(boxes: np.ndarray, linear: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Bounds of the ellipses in boxes after a linear map: a head that is turned stays round."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2 @ linear.T + shift
    halves = np.sqrt(((boxes[:, 2:] - boxes[:, :2]) / 2) ** 2 @ (linear.T**2))
    return np.concatenate([middles - halves, middles + halves], axis=1).astype(np.float32)


def shrink_for(scale: float) -> int:
    """By which factor a picture is shrunk before it is seen at a scale, so that nothing is skipped."""
    return 1 if scale > 0.7 else 2 if scale > 0.35 else 4


def warped(
    rng: Generator, row: Row, matrices: Sequence[np.ndarray], size: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What views of one picture, which is decoded once, show: uint8 (S, S, 3), and where its boxes lie there.

    Args:
        matrices: of each view, see `view_matrix`.
    """
    scales = [float(np.sqrt(abs(np.linalg.det(matrix[:, :2])))) for matrix in matrices]
    stored = {shrink_for(max(scales)): decode(row.path, shrink_for(max(scales)))}
    for shrink in (2, 4):
        if shrink // 2 in stored:
            stored[shrink] = cv2.resize(stored[shrink // 2], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    for matrix, scale in zip(matrices, scales, strict=True):
        pixels = stored[shrink_for(scale)]
        factor = np.array([row.width, row.height]) / pixels.shape[1::-1]
        fill = (0, 0, 0) if rng.random() < 0.5 else tuple(int(v) for v in rng.integers(0, 256, 3))
        seen = cv2.warpAffine(
            pixels,
            np.column_stack([matrix[:, :2] * factor, matrix[:, 2]]),
            (size, size),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=fill,
        )
        yield seen, warp_boxes(row.boxes, matrix[:, :2], matrix[:, 2])


def look(rng: Generator, row: Row, size: int, views: int = 1) -> list[View]:
    """Random views of one picture."""
    matrices = [view_matrix(rng, row, size) for _ in range(views)]
    found = []
    for seen, boxes in warped(rng, row, matrices, size):
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        inside = ((middles >= 0) & (middles < size)).all(axis=1)
        # Heads whose middle is outside, but not all of them: neither learnt nor background.
        cut = ~inside & (boxes[:, 2:] > 0).all(axis=1) & (boxes[:, :2] < size).all(axis=1)
        ignore = row.ignore | ~inside
        kept = inside | cut
        found.append(View(seen, boxes[kept], ignore[kept], row.measured[kept]))
    return found


def targets(view: View) -> np.ndarray:
    """What the network shall answer, float32 (S/4, S/4, 8).

    Channels: heat in [0, 1], 1 in the cell of a head's middle and falling off from the middle itself; weight of
    the background loss, 0 in ignored places; weight of the offset loss; weight of the size loss; log height and
    log width in cells; offset of the middle from the cell's, y and x, in cells.
    """
    cells = view.pixels.shape[0] // STRIDE
    target = np.zeros((cells, cells, CHANNELS), np.float32)
    target[..., 1] = 1
    boxes = view.boxes / STRIDE
    sides = boxes[:, 2:] - boxes[:, :2]
    middles = (boxes[:, 2:] + boxes[:, :2]) / 2
    for i in np.argsort(-sides.prod(axis=1)):
        (width, height), (x, y) = sides[i], middles[i]
        if view.ignore[i] or np.sqrt(width * height) * STRIDE < SMALLEST_LEARNT:
            x0, y0 = np.floor(boxes[i, :2]).astype(int).clip(0, cells)
            x1, y1 = np.ceil(boxes[i, 2:]).astype(int).clip(0, cells)
            target[y0:y1, x0:x1, 1] = 0
            continue
        share = 0.1 if view.measured[i] else 0.05
        spread_x, spread_y = max(share * width, 0.5), max(share * height, 0.5)
        row, column = min(int(y), cells - 1), min(int(x), cells - 1)
        reach_x, reach_y = int(3 * spread_x) + 1, int(3 * spread_y) + 1
        rows = np.arange(max(0, row - reach_y), min(cells, row + reach_y + 1))
        columns = np.arange(max(0, column - reach_x), min(cells, column + reach_x + 1))
        away_y, away_x = y - rows - 0.5, x - columns - 0.5
        heat = np.exp(-0.5 * (away_y / spread_y) ** 2)[:, None] * np.exp(-0.5 * (away_x / spread_x) ** 2)[None]
        heat[row - rows[0], column - columns[0]] = 1
        patch = target[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        np.maximum(patch[..., 0], heat, out=patch[..., 0])
        near = heat > 0.35
        patch[near, 2] = heat[near]
        patch[near, 3] = heat[near] * (1.0 if view.measured[i] else GUESSED_SIZE_WEIGHT)
        patch[near, 4] = np.log(height)
        patch[near, 5] = np.log(width)
        patch[..., 6][near] = np.broadcast_to(away_y[:, None], near.shape)[near]
        patch[..., 7][near] = np.broadcast_to(away_x[None], near.shape)[near]
    return target
