"""Measuring a head model on the held-out parts of packs, as the program runs it.

    python -m weights.head.evaluate FOLDER --data PACK --data PACK --preset balanced

A head is found if its middle (its point, where only that is labelled) lies inside the box of a detection that is not
another head's. Heads smaller than 8 pixels count neither way, and neither do detections on them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import cv2
import numpy as np

from anonymizer.detect.catalogue import find_models
from anonymizer.detect.load import load_model
from anonymizer.detect.merge import merge_detections
from anonymizer.detect.signature import SignatureDetector

from . import data
from .network import STRIDE

SMALLEST = 8.0
"""Pixels of the picture."""
SCORE_FLOOR = 0.05
OVERLAP = 0.4
"""Intersection over union from which on of two boxes the better one stays."""
THRESHOLDS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)
SIZE_MULTIPLE = 32
Answer = Callable[[np.ndarray], np.ndarray]
"""From pixels, float32 (1, H, W, 3), to the network's output, float32 (1, H/4, W/4, 5)."""
Find = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From a picture, uint8 RGB, to boxes, float32 (n, 4) in its pixels, and scores, float32 (n,), best first."""


def finder_of(folder: Path, preset: str) -> Find:
    """What the program finds with the model that a `model.yaml` in a folder describes."""
    (model,) = find_models(folder)
    detector = SignatureDetector(model, load_model(model), preset, dict.fromkeys(model.found_kinds, SCORE_FLOOR))

    def find(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = sorted(merge_detections(detector.detect(pixels)), key=lambda detection: -detection.score)
        boxes = [(d.box.x_min, d.box.y_min, d.box.x_max, d.box.y_max) for d in found]
        return np.asarray(boxes, np.float32).reshape(-1, 4), np.asarray([d.score for d in found], np.float32)

    return find


def look(answer: Answer, pixels: np.ndarray, scale: float) -> np.ndarray:
    """The network's output for a picture at a scale, float32 (h, w, 5)."""
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    seen = pixels if scale == 1 else cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=interpolation)
    height, width = seen.shape[:2]
    padded = np.pad(seen, ((0, -height % SIZE_MULTIPLE), (0, -width % SIZE_MULTIPLE), (0, 0)))
    return np.asarray(answer(padded[np.newaxis].astype(np.float32))[0])


def decode(answer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes, float32 (n, 4), in pixels of what the network saw, and scores of the peaks among neighbouring cells."""
    score = 1 / (1 + np.exp(-answer[..., 0]))
    peak = (score >= SCORE_FLOOR) & (score >= cv2.dilate(score, np.ones((3, 3), np.uint8)))
    rows, columns = np.nonzero(peak)
    log_height, log_width, offset_y, offset_x = answer[rows, columns, 1:].T
    y, x = rows + 0.5 + offset_y, columns + 0.5 + offset_x
    half_height, half_width = np.exp(log_height) / 2, np.exp(log_width) / 2
    boxes = np.stack([x - half_width, y - half_height, x + half_width, y + half_height], axis=1) * STRIDE
    return boxes.astype(np.float32), score[rows, columns]


def suppress(boxes: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Greedy non-maximum suppression; what is left, best first."""
    order = np.argsort(-scores)
    boxes, scores = boxes[order], scores[order]
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    alive = np.ones(len(boxes), bool)
    for i in range(len(boxes)):
        if alive[i]:
            shared = np.minimum(boxes[i, 2:], boxes[i + 1 :, 2:]) - np.maximum(boxes[i, :2], boxes[i + 1 :, :2])
            overlap = shared.clip(0).prod(axis=1)
            alive[i + 1 :] &= overlap < OVERLAP * (areas[i] + areas[i + 1 :] - overlap)
    return boxes[alive], scores[alive]


def match(row: data.Row, boxes: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which detection finds which head.

    Returns the scores of the detections of heads, the scores of those of nothing, and the number of heads that count
    (0-dimensional). Each detection, best first, takes the head nearest to its middle among those inside it that are
    still free.
    """
    middles = (row.boxes[:, :2] + row.boxes[:, 2:]) / 2
    counts = ~row.ignore & ((row.boxes[:, 2:] - row.boxes[:, :2]).max(axis=1) >= SMALLEST)
    free = np.ones(len(middles), bool)
    hits, wrong = [], []
    for box, score in zip(boxes, scores, strict=True):
        inside = free & ((middles >= box[:2]) & (middles <= box[2:])).all(axis=1)
        if not inside.any():
            wrong.append(score)
            continue
        candidates = np.flatnonzero(inside)
        distances = ((middles[candidates] - (box[:2] + box[2:]) / 2) ** 2).sum(axis=1)
        head = candidates[distances.argmin()]
        free[head] = False
        if counts[head]:
            hits.append(score)
    return np.asarray(hits), np.asarray(wrong), np.asarray(counts.sum())


def measure(rows: Sequence[data.Row], find: Find) -> dict[str, dict[str, list[float]]]:
    """Per group: at each threshold recall, precision, mean absolute error of the count, and false heads a picture."""
    figures = {}
    for group, members in sorted(data.by_group(rows).items()):
        found = []
        for row in members:
            boxes, scores = find(data.decode(row.path))
            found.append((*match(row, boxes, scores), (~row.ignore).sum()))
        heads = sum(int(count) for _, _, count, _ in found)
        table: dict[str, list[float]] = {}
        for threshold in THRESHOLDS:
            hits = sum(int((hit >= threshold).sum()) for hit, _, _, _ in found)
            wrong = sum(int((miss >= threshold).sum()) for _, miss, _, _ in found)
            errors = [abs(int((hit >= threshold).sum() + (miss >= threshold).sum()) - n) for hit, miss, _, n in found]
            table[str(threshold)] = [
                round(hits / max(heads, 1), 4),
                round(hits / max(hits + wrong, 1), 4),
                round(float(np.mean(errors)), 2),
                round(wrong / len(members), 2),
            ]
        figures[f"{group} ({len(members)} pictures, {heads} heads)"] = table
    return figures


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--data", "packs", multiple=True, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--preset", default="balanced", show_default=True)
@click.option("--every", default=1, show_default=True, help="Look at one of so many pictures.")
def main(folder: Path, packs: tuple[Path, ...], preset: str, every: int) -> None:
    """Print recall, precision, count error and false heads per group and threshold, on the held-out parts of packs.

    FOLDER holds a model and its model.yaml.
    """
    rows = [row for pack in packs for row in data.read_pack(pack, "held_out")][::every]
    figures = measure(rows, finder_of(folder, preset))
    for group, table in figures.items():
        click.echo(group)
        for threshold, (recall, precision, error, wrong) in table.items():
            heads = f"recall {recall:.3f}  precision {precision:.3f}  MAE {error:.2f}  "
            click.echo(f"  {threshold:5s} {heads if ' 0 heads' not in group else ''}{wrong:.2f} false heads a picture")
    click.echo(json.dumps(figures))


if __name__ == "__main__":
    main()
