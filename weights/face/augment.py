"""Making training examples for faces: a random view of a picture as it is, and the same turned, covered and worn.

Rows are those of `weights.head.data`; a box that is not `measured` is a place to look at, no label. A teacher looks at
the view as it is; what it finds there is what the student shall find in both.
Boxes are x_min, y_min, x_max, y_max in pixels of the view.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator

from weights.head.augment import CHANNELS, warp_boxes, warped
from weights.head.data import Row
from weights.plate.augment import wear

from .data import EMPTY
from .network import SCORE_FLOOR, STRIDE

Find = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From a picture, uint8 RGB, to boxes, float32 (n, 4) in its pixels, and scores, float32 (n,)."""

SIZES = ((0.42, 6.0, 32.0), (0.25, 24.0, 110.0), (0.14, 100.0, 330.0))
"""Share of the views, and the sizes to which a face is drawn there: root of its area, pixels of the view.

The rest of the views shows the picture at its own size or enlarged by 2, as the presets do.
"""
LARGEST_SCALE = 3.0
LARGEST = 0.85
"""Nor is a face drawn larger. Share of the view's side."""
AT_FACE = 0.8
"""Share of the views around a face; the others lie anywhere in the picture."""
TURNED = 0.7
"""Share of the changed views that are turned: most by quarters, the rest by any angle."""
BY_QUARTERS = 0.6
WORN = 0.65
"""Share of the turned views with other tones, blur, noise or JPEG; those that are not turned always have."""
COVERED = 0.35
"""Share of the changed views in which something lies over half of the faces."""
SMALLEST_LEARNT = 5.0
"""Smaller faces are neither learnt nor background. Pixels of the view, root of the area."""
SPREAD, SMALLEST_SPREAD = 0.1, 0.8
"""Around the middle of a face scores fall off at least like a Gaussian: its deviation as a share of the face's sides,
and the least one in cells."""
FARTHEST = 1.0
"""Cells farther from a face's middle, along either axis, learn neither size nor offset: so the original was trained."""
SURE = 0.4
"""Of faces below this score neither size nor offset is learnt."""
SMALLEST_COVERED = 12.0
"""Pixels of the view."""
SMALLEST_VISIBLE = 0.35
"""Faces of which the view shows less are neither learnt nor background."""


@dataclasses.dataclass
class Scene:
    """A square view: `pixels` uint8 RGB (S, S, 3); `boxes` float32 (n, 4); `scores` float32 (n,), how sure it is that a
    box is a face; `ignore` bool (n,), neither face nor background."""

    pixels: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    ignore: np.ndarray


def examples(rng: Generator, row: Row, size: int, find: Find) -> list[tuple[np.ndarray, np.ndarray]]:
    """A view of a picture as it is and changed, uint8 (S, S, 3), each with its target, float32 (S/4, S/4, 8)."""
    scene = look(rng, row, size)
    if row.group != EMPTY:
        scene = taught(scene, *find(scene.pixels))
    return [(view.pixels, targets(view)) for view in (scene, changed(rng, scene))]


def changed(rng: Generator, scene: Scene) -> Scene:
    """The scene turned, covered or worn."""
    if rng.random() < COVERED:
        scene = dataclasses.replace(scene, pixels=scene.pixels.copy())
        cover(rng, scene)
    is_turned = rng.random() < TURNED
    if is_turned:
        by_quarters = rng.random() < BY_QUARTERS
        angle = rng.integers(1, 4) * np.pi / 2 + rng.normal(0, 0.05) if by_quarters else rng.uniform(-np.pi, np.pi)
        scene = turned(scene, float(angle), _fill_colour(rng))
    if not is_turned or rng.random() < WORN:
        scene = dataclasses.replace(scene, pixels=wear(rng, scene.pixels))
    return scene


def taught(scene: Scene, boxes: np.ndarray, scores: np.ndarray) -> Scene:
    """The scene with what a teacher found beside the labels."""
    free = np.array([not _lies_on(box, scene.boxes).any() for box in boxes], bool)
    return Scene(
        scene.pixels,
        np.concatenate([scene.boxes, boxes[free]]).astype(np.float32),
        np.concatenate([scene.scores, scores[free]]).astype(np.float32),
        np.concatenate([scene.ignore, np.zeros(int(free.sum()), bool)]),
    )


def _lies_on(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Which boxes have their middle in `box`, or hold the middle of `box`; bool (n,)."""
    middles, middle = (boxes[:, :2] + boxes[:, 2:]) / 2, (box[:2] + box[2:]) / 2
    inside = ((middles >= box[:2]) & (middles <= box[2:])).all(axis=1)
    return np.asarray(inside | ((boxes[:, :2] <= middle) & (boxes[:, 2:] >= middle)).all(axis=1))


def turned(scene: Scene, angle: float, fill: tuple[int, ...]) -> Scene:
    """The scene turned around its middle by an angle in radians; its corners may get lost."""
    size = scene.pixels.shape[0]
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = (np.eye(2) - linear) @ np.full(2, size / 2)
    pixels = cv2.warpAffine(
        scene.pixels,
        np.column_stack([linear, shift + linear @ (0.5, 0.5) - 0.5]),  # OpenCV counts from the middles of pixels
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )
    return _clipped(pixels, warp_boxes(scene.boxes, linear, shift), scene.scores, scene.ignore)


def _clipped(pixels: np.ndarray, boxes: np.ndarray, scores: np.ndarray, ignore: np.ndarray) -> Scene:
    """Boxes are clipped to the view, as WIDER FACE labels faces that the border of a picture cuts."""
    clipped = boxes.clip(0, pixels.shape[0])
    visible = (clipped[:, 2:] - clipped[:, :2]).prod(axis=1)
    share = visible / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1).clip(1e-6)
    kept = visible > 1
    return Scene(pixels, clipped[kept], scores[kept], (ignore | (share < SMALLEST_VISIBLE))[kept])


def targets(scene: Scene) -> np.ndarray:
    """What the network shall answer, float32 (S/4, S/4, 8).

    Channels: score; whether the score may not be lower either; how much the offset counts; how much the size counts;
    log height and log width in cells; offset of the middle from the cell's, y and x, in cells.
    """
    cells = scene.pixels.shape[0] // STRIDE
    target = np.zeros((cells, cells, CHANNELS), np.float32)
    target[..., 0] = SCORE_FLOOR
    boxes = scene.boxes / STRIDE
    sides, middles = boxes[:, 2:] - boxes[:, :2], (boxes[:, 2:] + boxes[:, :2]) / 2
    learnt = ~scene.ignore & (np.sqrt(sides.prod(axis=1)) * STRIDE >= SMALLEST_LEARNT)
    places = np.arange(cells) + 0.5
    for i in np.argsort(scene.scores, kind="stable"):
        (width, height), (x, y) = sides[i], middles[i]
        away_y, away_x = (y - places)[:, None], (x - places)[None]
        if not learnt[i]:
            target[(np.abs(away_y) <= height / 2 + 0.5) & (np.abs(away_x) <= width / 2 + 0.5), 0] = 1
            continue
        across, down = (max(SPREAD * side, SMALLEST_SPREAD) for side in (width, height))
        fall = np.exp(-0.5 * ((away_y / down) ** 2 + (away_x / across) ** 2))
        target[..., 0] = np.maximum(target[..., 0], scene.scores[i] * fall)
    for i in [i for i in np.argsort(scene.scores, kind="stable") if learnt[i]]:
        (width, height), (x, y) = sides[i], middles[i]
        away_y, away_x = (y - places)[:, None], (x - places)[None]
        row, column = min(int(y), cells - 1), min(int(x), cells - 1)
        target[row, column, :2] = scene.scores[i], 1
        if scene.scores[i] >= SURE:
            near = (np.abs(away_y) <= FARTHEST) & (np.abs(away_x) <= FARTHEST)
            target[near, 2:6] = 1, 1, np.log(height), np.log(width)
            target[..., 6][near] = np.broadcast_to(away_y, near.shape)[near]
            target[..., 7][near] = np.broadcast_to(away_x, near.shape)[near]
    return target


def _scale(rng: Generator, face_size: float) -> float:
    """How much a picture is enlarged around a face of a size, in its pixels."""
    choice = rng.random()
    for share, smallest, largest in SIZES:
        if choice < share:
            return float(np.exp(rng.uniform(np.log(smallest), np.log(largest)))) / face_size
        choice -= share
    return float(rng.choice([1, 2]) * np.exp(rng.normal(0, 0.05)))


def view_matrix(rng: Generator, row: Row, size: int) -> np.ndarray:
    """Map pixels of the picture to the view: scale, squeeze, rotation, mirror, shift. float64 (2, 3)."""
    known = np.flatnonzero(~row.ignore)
    if len(known) and rng.random() < AT_FACE:
        box = row.boxes[rng.choice(known)]
        middle = (box[:2] + box[2:]) / 2
        face_size = float(np.sqrt(np.prod(box[2:] - box[:2])))
        scale = min(_scale(rng, face_size), LARGEST * size / face_size)
        margin = float(np.clip(0.4 * scale * face_size / size, 0.03, 0.45))
    else:
        middle = rng.uniform(0, 1, 2) * (row.width, row.height)
        largest = float(np.sqrt((row.boxes[:, 2:] - row.boxes[:, :2]).prod(axis=1)).max(initial=1.0))
        scale = min(float(np.exp(rng.uniform(np.log(0.35), np.log(2.0)))), LARGEST * size / largest)
        margin = 0.05
    scale = float(np.clip(scale, 0.8 * size / max(row.width, row.height), LARGEST_SCALE))
    squeeze = np.exp(rng.normal(0, 0.06))
    angle = rng.normal(0, 0.12)
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


def look(rng: Generator, row: Row, size: int) -> Scene:
    """A random view of a picture with its labels, upright."""
    ((pixels, boxes),) = warped(rng, row, [view_matrix(rng, row, size)], size)
    labels = row.measured
    return _clipped(pixels, boxes[labels], np.ones(int(labels.sum()), np.float32), row.ignore[labels])


def cover(rng: Generator, scene: Scene) -> None:
    """Draw a mask, an object or hair over every second face, at most over half of it, in place."""
    for box in scene.boxes[~scene.ignore & (scene.scores >= SURE)]:
        side = float(np.sqrt(np.prod(box[2:] - box[:2])))
        if side < SMALLEST_COVERED or rng.random() < 0.5:
            continue
        middle = (box[:2] + box[2:]) / 2
        choice = rng.random()
        if choice < 0.4:
            _draw_mask(rng, scene.pixels, middle, side / 2)
        elif choice < 0.75:
            _draw_object(rng, scene.pixels, middle, side)
        else:
            _draw_hair(rng, scene.pixels, middle, side / 2)


def _fill_colour(rng: Generator) -> tuple[int, ...]:
    return (0, 0, 0) if rng.random() < 0.5 else tuple(int(v) for v in rng.integers(0, 256, 3))


def _colour(rng: Generator) -> tuple[int, ...]:
    if rng.random() < 0.5:  # white, pale blue, black, grey
        base = np.array([(235, 235, 235), (150, 190, 215), (25, 25, 30), (120, 120, 125)])[rng.integers(4)]
        return tuple(int(v) for v in np.clip(base + rng.normal(0, 12, 3), 0, 255))
    return tuple(int(v) for v in rng.integers(0, 256, 3))


def _fill(pixels: np.ndarray, points: np.ndarray, colour: tuple[int, ...]) -> None:
    corners = np.rint(points * 8).astype(np.int32)
    cv2.fillPoly(pixels, [corners], colour, lineType=cv2.LINE_AA, shift=3)


def _draw_mask(rng: Generator, pixels: np.ndarray, middle: np.ndarray, half: float) -> None:
    """A mask over mouth and nose; `half` of the face's side, in pixels, is the unit of its corners."""
    top, edge = rng.uniform(-0.15, 0.3), rng.uniform(0.7, 0.95)
    shape = np.array(
        [(-edge, top + 0.1), (0, top), (edge, top + 0.1), (0.75 * edge, 0.75), (0, 1.1), (-0.75 * edge, 0.75)]
    )
    shape = shape + (rng.normal(0, 0.12), 0)
    _fill(pixels, shape * half + middle, _colour(rng))


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


def _draw_hair(rng: Generator, pixels: np.ndarray, middle: np.ndarray, half: float) -> None:
    """Strands over one side of the face."""
    colour = np.array([(30, 22, 18), (70, 48, 30), (120, 95, 60), (150, 150, 150)])[rng.integers(4)]
    left = rng.uniform(-1.1, 0.2)
    width = max(1, int(half * 0.08))
    for _ in range(int(rng.integers(4, 12))):
        x = left + rng.uniform(0, 0.8)
        strand = np.array([(x, -1.1), (x + rng.normal(0, 0.15), 0), (x + rng.normal(0, 0.3), rng.uniform(0.3, 1.3))])
        points = np.rint((strand * half + middle) * 8).astype(np.int32)
        tone = tuple(int(v) for v in np.clip(colour * rng.uniform(0.7, 1.3), 0, 255))
        cv2.polylines(pixels, [points], False, tone, width, cv2.LINE_AA, 3)
