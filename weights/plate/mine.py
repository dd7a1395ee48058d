"""Looking through the training data with the weights so far: places to ignore and places to learn from."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from .data import Sample
from .evaluate import Run, detect

Places = dict[str, list[list[list[float]]]]
"""Boxes per picture, for each sort of place."""

CONFIDENT = 0.5
"""Lowest score of a place to ignore."""
DOUBTFUL = 0.15
"""Lowest score of a hard place."""


def look_through(run: Run, plates: Sequence[Sample], negatives: Sequence[Sample], sheets: pathlib.Path) -> Places:
    """Note, for each picture, boxes as x_min, y_min, x_max, y_max in pixels.

    - ``ignore``: confident detections that no label of a picture with plates covers. Mostly unlabelled plates;
      they are neither learnt as plates nor as background.
    - ``hard``: detections on pictures without plates. Views around them are shown more often.

    Sheets of both, most confident first, are written to the folder ``sheets`` as ``ignore.png`` and ``hard.png``.
    """
    notes: Places = {"ignore": [], "hard": []}
    seen: dict[str, list[tuple[float, np.ndarray]]] = {"ignore": [], "hard": []}

    def note(kind: str, sample: Sample, boxes: np.ndarray, scores: np.ndarray) -> None:
        notes[kind].append(np.round(boxes, 1).astype(float).tolist())
        for box, score in zip(boxes, scores, strict=True):
            seen[kind].append((float(score), surroundings(sample.levels[0], box)))

    for sample in plates:
        boxes, scores = detect(run, sample.levels[0], (640,), CONFIDENT)
        free = ~overlaps(boxes, sample.boxes)
        note("ignore", sample, boxes[free], scores[free])
    for sample in negatives:
        note("hard", sample, *detect(run, sample.levels[0], (640, 1280), DOUBTFUL))
    for kind, crops in seen.items():
        crops.sort(key=lambda item: -item[0])
        sheet([crop for _, crop in crops[:240]], sheets / f"{kind}.png")
    return notes


def overlaps(boxes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Tell which boxes share at least a fifth of the smaller area with a label, bool (n,)."""
    if not len(labels):
        return np.zeros(len(boxes), bool)
    low = np.maximum(boxes[:, None, :2], labels[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], labels[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(b[:, 2:] - b[:, :2], axis=1) for b in (boxes, labels)]
    return np.asarray((shared >= 0.2 * np.minimum(areas[0][:, None], areas[1][None, :])).any(axis=1))


def sheet(crops: list[np.ndarray], target: pathlib.Path, side: int = 120, columns: int = 12) -> None:
    """Write a sheet of small pictures to look at."""
    canvas = Image.new("RGB", (columns * side, -(-max(1, len(crops)) // columns) * side))
    for i, crop in enumerate(crops):
        picture = Image.fromarray(crop)
        picture.thumbnail((side - 2, side - 2))
        canvas.paste(picture, (i % columns * side, i // columns * side))
    canvas.save(target)


def surroundings(pixels: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Cut out a box with as much again around it."""
    grow = 0.5 * (box[2:] - box[:2]) + 6
    x0, y0 = np.maximum(box[:2] - grow, 0).astype(int)
    x1, y1 = (box[2:] + grow).astype(int)
    return pixels[y0:y1, x0:x1]
