"""Measuring a head model on the held-out parts of packs.

    python -m weights.head.evaluate last.weights.h5 --data PACK --data PACK --scale 1 --scale 2

A head is found if its middle (its point, where only that is labelled) lies inside the box of a detection that is not
another head's. Heads smaller than 8 pixels count neither way, and neither do detections on them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import cv2
import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from . import data
from .network import STRIDE, build

SMALLEST = 8.0
"""Pixels of the picture."""
SCORE_FLOOR = 0.05
OVERLAP = 0.4
"""Intersection over union from which on of two boxes the better one stays."""
THRESHOLDS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)
SIZE_MULTIPLE = 32
Answer = Callable[[np.ndarray], np.ndarray]
"""From pixels, float32 (1, H, W, 3), to the network's output, float32 (1, H/4, W/4, 5)."""


def detect(answer: Answer, pixels: np.ndarray, scales: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Heads in a picture, uint8 RGB: boxes float32 (n, 4) in its pixels, scores float32 (n,), best first."""
    boxes, scores = [], []
    for scale in scales:
        found, certainty = decode(look(answer, pixels, scale))
        boxes.append(found / scale)
        scores.append(certainty)
    return suppress(np.concatenate(boxes), np.concatenate(scores))


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


def measure(rows: Sequence[data.Row], answer: Answer, scales: Sequence[float]) -> dict[str, dict[str, list[float]]]:
    """Per group: at each threshold recall, precision and the mean absolute error of the count."""
    figures = {}
    for group, members in sorted(data.by_group(rows).items()):
        found = []
        for row in members:
            boxes, scores = detect(answer, data.decode(row.path), scales)
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
            ]
        figures[f"{group} ({len(members)} pictures, {heads} heads)"] = table
    return figures


@click.command()
@click.argument("weights", type=click.Path(exists=True, path_type=Path))
@click.option("--data", "packs", multiple=True, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--scale", "scales", multiple=True, type=float, default=(1.0,), show_default=True)
@click.option("--every", default=1, show_default=True, help="Look at one of so many pictures.")
@click.option("--threads", default=1, show_default=True)
def main(weights: Path, packs: tuple[Path, ...], scales: tuple[float, ...], every: int, threads: int) -> None:
    """Print recall, precision and count error per group and threshold, on the held-out parts of the packs."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    network = build()
    network.load_weights(weights)
    run = tf.function(lambda pixels: network(pixels, training=False), reduce_retracing=True)
    rows = [row for pack in packs for row in data.read_pack(pack, "held_out")][::every]
    figures = measure(rows, lambda pixels: run(tf.constant(pixels)).numpy(), scales)
    for group, table in figures.items():
        click.echo(group)
        for threshold, (recall, precision, error) in table.items():
            click.echo(f"  {threshold:5s} recall {recall:.3f}  precision {precision:.3f}  MAE {error:.2f}")
    click.echo(json.dumps(figures))


if __name__ == "__main__":
    main()
