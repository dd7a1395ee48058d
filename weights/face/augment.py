"""Making one training example for faces: a random view of a picture, turned, covered, worn, and what to answer.

Rows are those of `weights.head.data`; a box that is not `measured` came from a teacher, and its size is not learnt.
Boxes are x_min, y_min, x_max, y_max in pixels of the view.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from weights.head.augment import View, targets, warped
from weights.head.data import Row
from weights.plate.augment import wear

__all__ = ["example", "look", "targets"]

SIZES = ((0.45, 6.0, 32.0), (0.25, 24.0, 110.0), (0.08, 100.0, 200.0))
"""Share of the views, and the sizes to which a face is drawn there: root of its area, pixels of the view.

The rest of the views shows the picture at its own size or enlarged by 2, as the presets do.
"""
LARGEST_SCALE = 3.0
LARGEST = 200.0
"""Nor is a face drawn larger for the rest. Pixels of the view."""
AT_FACE = 0.8
"""Share of the views around a face; the others lie anywhere in the picture."""
TURNED = 0.45
"""Share of the views that are turned: by quarters, or by any angle."""
WORN = 0.65
"""Share of the views with other tones, blur, noise or JPEG."""
COVERED = 0.35
"""Share of the views in which something lies over half of the faces."""
FARTHEST = 1.0
"""Cells farther from a face's middle, along either axis, learn neither size nor offset."""
SMALLEST_COVERED = 12.0
"""Pixels of the view."""
SMALLEST_VISIBLE = 0.35
"""Faces of which the view shows less are neither learnt nor background."""


def example(rng: Generator, row: Row, size: int, views: int = 1) -> list[tuple[np.ndarray, np.ndarray]]:
    """Views of one picture, uint8 (S, S, 3), each with its target, float32 (S/4, S/4, 8)."""
    made = []
    for view, linear in look(rng, row, size, views):
        if rng.random() < COVERED:
            cover(rng, view, linear)
        target = targets(view)
        # As the original was trained: sizes and offsets are asked of the cells at the middle alone.
        target[np.abs(target[..., 6:]).max(axis=-1) > FARTHEST, 2:4] = 0
        made.append((wear(rng, view.pixels) if rng.random() < WORN else view.pixels, target))
    return made


def _angle(rng: Generator) -> float:
    """Radians."""
    if rng.random() >= TURNED:
        return float(rng.normal(0, 0.15))
    if rng.random() < 0.5:
        return float(rng.integers(1, 4) * np.pi / 2 + rng.normal(0, 0.1))
    return float(rng.uniform(-np.pi, np.pi))


def _scale(rng: Generator, face_size: float) -> float:
    choice = rng.random()
    for share, smallest, largest in SIZES:
        if choice < share:
            return float(np.exp(rng.uniform(np.log(smallest), np.log(largest)))) / face_size
        choice -= share
    return min(float(rng.choice([1, 2]) * np.exp(rng.normal(0, 0.05))), LARGEST / face_size)


def view_matrix(rng: Generator, row: Row, size: int) -> np.ndarray:
    """Map pixels of the picture to the view: scale, squeeze, rotation, mirror, shift. float64 (2, 3)."""
    known = np.flatnonzero(~row.ignore)
    if len(known) and rng.random() < AT_FACE:
        box = row.boxes[rng.choice(known)]
        middle = (box[:2] + box[2:]) / 2
        face_size = float(np.sqrt(np.prod(box[2:] - box[:2])))
        scale = _scale(rng, face_size)
        margin = float(np.clip(0.4 * scale * face_size / size, 0.03, 0.45))
    else:
        middle = rng.uniform(0, 1, 2) * (row.width, row.height)
        largest = float(np.sqrt((row.boxes[:, 2:] - row.boxes[:, :2]).prod(axis=1)).max(initial=1.0))
        scale = min(float(np.exp(rng.uniform(np.log(0.35), np.log(2.0)))), LARGEST / largest)
        margin = 0.05
    scale = float(np.clip(scale, 0.8 * size / max(row.width, row.height), LARGEST_SCALE))
    squeeze = np.exp(rng.normal(0, 0.06))
    angle = _angle(rng)
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([mirror * scale * squeeze, scale / squeeze])
    shift = rng.uniform(margin, 1 - margin, 2) * size - linear @ middle
    ends = linear @ np.array([[0, row.width, 0, row.width], [0, 0, row.height, row.height]])
    for axis in range(2):
        if rng.random() < 0.85:  # mostly fill the view with picture
            low, high = sorted((size - ends[axis].max(), -ends[axis].min()))
            shift[axis] = np.clip(shift[axis], low, high)
    return np.column_stack([linear, shift])


def look(rng: Generator, row: Row, size: int, views: int = 1) -> list[tuple[View, np.ndarray]]:
    """Random views of one picture; each with its linear map, float64 (2, 2).

    Boxes are clipped to the view, as WIDER FACE labels faces that the border of a picture cuts.
    """
    matrices = [view_matrix(rng, row, size) for _ in range(views)]
    found = []
    for matrix, (seen, boxes) in zip(matrices, warped(rng, row, matrices, size), strict=True):
        clipped = boxes.clip(0, size)
        visible = (clipped[:, 2:] - clipped[:, :2]).prod(axis=1)
        share = visible / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1).clip(1e-6)
        kept = visible > 1
        ignore = row.ignore | (share < SMALLEST_VISIBLE)
        found.append((View(seen, clipped[kept], ignore[kept], row.measured[kept]), matrix[:, :2]))
    return found


def cover(rng: Generator, view: View, linear: np.ndarray) -> None:
    """Draw a mask, an object or hair over every second face, at most over half of it, in place."""
    upright = linear / np.sqrt(abs(np.linalg.det(linear)))
    for box in view.boxes[~view.ignore]:
        side = float(np.sqrt(np.prod(box[2:] - box[:2])))
        if side < SMALLEST_COVERED or rng.random() < 0.5:
            continue
        middle = (box[:2] + box[2:]) / 2
        choice = rng.random()
        if choice < 0.4:
            _draw_mask(rng, view.pixels, middle, side / 2 * upright)
        elif choice < 0.75:
            _draw_object(rng, view.pixels, middle, side)
        else:
            _draw_hair(rng, view.pixels, middle, side / 2 * upright)


def _colour(rng: Generator) -> tuple[int, ...]:
    if rng.random() < 0.5:  # white, pale blue, black, grey
        base = np.array([(235, 235, 235), (150, 190, 215), (25, 25, 30), (120, 120, 125)])[rng.integers(4)]
        return tuple(int(v) for v in np.clip(base + rng.normal(0, 12, 3), 0, 255))
    return tuple(int(v) for v in rng.integers(0, 256, 3))


def _fill(pixels: np.ndarray, points: np.ndarray, colour: tuple[int, ...]) -> None:
    corners = np.rint(points * 8).astype(np.int32)
    cv2.fillPoly(pixels, [corners], colour, lineType=cv2.LINE_AA, shift=3)


def _draw_mask(rng: Generator, pixels: np.ndarray, middle: np.ndarray, axes: np.ndarray) -> None:
    """A mask over mouth and nose; `axes` maps the unit square of the face, -1..1, y downwards, to pixels."""
    top, edge = rng.uniform(-0.15, 0.3), rng.uniform(0.7, 0.95)
    shape = np.array(
        [(-edge, top + 0.1), (0, top), (edge, top + 0.1), (0.75 * edge, 0.75), (0, 1.1), (-0.75 * edge, 0.75)]
    )
    shape = shape + (rng.normal(0, 0.12), 0)
    _fill(pixels, shape @ axes.T + middle, _colour(rng))


def _draw_object(rng: Generator, pixels: np.ndarray, middle: np.ndarray, side: float) -> None:
    """A patch of another part of the view, or a colour, in the shape of an ellipse: a hand, an arm, another head."""
    size = pixels.shape[0]
    angle = rng.uniform(0, 2 * np.pi)
    away = np.array([np.cos(angle), np.sin(angle)]) * side * rng.uniform(0.4, 0.7)
    radii = side * rng.uniform(0.2, 0.45), side * rng.uniform(0.35, 1.2)
    mask = np.zeros((size, size), np.uint8)
    place = tuple(int(v) for v in (middle + away))
    cv2.ellipse(mask, place, tuple(int(r) for r in radii), float(np.degrees(angle)), 0, 360, 255, -1, cv2.LINE_AA)
    if rng.random() < 0.5:
        patch = np.roll(pixels, tuple(rng.integers(size // 4, 3 * size // 4, 2)), axis=(0, 1))
    else:
        patch = np.broadcast_to(np.array(_colour(rng), np.uint8), pixels.shape)
    np.copyto(pixels, patch, where=mask[..., None] > 127)


def _draw_hair(rng: Generator, pixels: np.ndarray, middle: np.ndarray, axes: np.ndarray) -> None:
    """Strands over one side of the face."""
    colour = np.array([(30, 22, 18), (70, 48, 30), (120, 95, 60), (150, 150, 150)])[rng.integers(4)]
    left = rng.uniform(-1.1, 0.2)
    width = max(1, int(np.abs(axes).max() * 0.08))
    for _ in range(int(rng.integers(4, 12))):
        x = left + rng.uniform(0, 0.8)
        strand = np.array([(x, -1.1), (x + rng.normal(0, 0.15), 0), (x + rng.normal(0, 0.3), rng.uniform(0.3, 1.3))])
        points = np.rint((strand @ axes.T + middle) * 8).astype(np.int32)
        tone = tuple(int(v) for v in np.clip(colour * rng.uniform(0.7, 1.3), 0, 255))
        cv2.polylines(pixels, [points], False, tone, width, cv2.LINE_AA, 3)
