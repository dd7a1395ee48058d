"""Sizes for heads that have only a point, read from a trained network, and heads that the labels left out.

    python -m weights.head.sizes last.weights.h5 PACK

Writes `sizes.json` in the pack: per picture `sizes`, of each head point, in pixels, and `unlabelled`, boxes of sure and
large heads without a point, which are not learnt as background.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import click
import cv2
import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from . import data
from .evaluate import decode, look, suppress
from .network import STRIDE, build

SURE = 0.15
"""Score at a point from which on the network's size there is believed."""
NEIGHBOURS = 5
"""Other heads get the middle size of so many sure ones around them: perspective changes slowly."""
UNLABELLED_SCORE, UNLABELLED_SIZE = 0.3, 32.0
"""In dense crowds the nearest heads often have no point: what is learnt as background there is missed elsewhere."""


def read_sizes(answer: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Sizes of heads at points, (n, 2) x, y in pixels of the picture; float32 (n,), pixels.

    `answer`: the network's output for the whole picture, float32 (h, w, 5).
    """
    score = 1 / (1 + np.exp(-answer[..., 0]))
    best = cv2.dilate(score, np.ones((3, 3), np.uint8))
    rows = (points[:, 1] / STRIDE).astype(int).clip(0, score.shape[0] - 1)
    columns = (points[:, 0] / STRIDE).astype(int).clip(0, score.shape[1] - 1)
    sizes = (np.exp(answer[rows, columns, 1:3].mean(axis=-1)) * STRIDE).astype(np.float32)
    sure = best[rows, columns] >= SURE
    if sure.sum() < NEIGHBOURS:
        return np.where(sure, sizes, data.guess_sizes(points)).astype(np.float32)
    for index in np.flatnonzero(~sure):
        distances = ((points[sure] - points[index]) ** 2).sum(axis=1)
        sizes[index] = np.median(sizes[sure][np.argsort(distances)[:NEIGHBOURS]])
    return np.asarray(sizes, np.float32)


def find_unlabelled(answer: np.ndarray, points: np.ndarray) -> Sequence[list[float]]:
    """Boxes of large heads without a point."""
    boxes, scores = suppress(*decode(answer))
    found = []
    for box, score in zip(boxes, scores, strict=True):
        labelled = ((points >= box[:2]) & (points <= box[2:])).all(axis=1).any()
        if score >= UNLABELLED_SCORE and np.sqrt((box[2:] - box[:2]).prod()) >= UNLABELLED_SIZE and not labelled:
            found.append([round(float(side), 1) for side in box])
    return found


@click.command()
@click.argument("weights", type=click.Path(exists=True, path_type=Path))
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--threads", default=1, show_default=True)
def main(weights: Path, pack: Path, threads: int) -> None:
    """Write PACK/sizes.json."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    network = build()
    network.load_weights(weights)
    run = tf.function(lambda pixels: network(pixels, training=False), reduce_retracing=True)

    noted = {}
    for entry in json.loads((pack / "annotations.json").read_text()):
        points = np.asarray(entry.get("head_points", []), np.float32).reshape(-1, 2)
        if len(points):
            pixels = data.decode(pack / entry["image"])
            answer = look(lambda pixels: run(tf.constant(pixels)).numpy(), pixels, 1.0)
            noted[entry["image"]] = {
                "sizes": [round(float(size), 1) for size in read_sizes(answer, points)],
                "unlabelled": find_unlabelled(answer, points),
            }
    (pack / "sizes.json").write_text(json.dumps(noted))
    sizes = np.concatenate([note["sizes"] for note in noted.values()])
    unlabelled = sum(len(note["unlabelled"]) for note in noted.values())
    click.echo(
        f"{len(noted)} pictures; sizes at 10, 50, 90 %: {np.percentile(sizes, [10, 50, 90]).round(1).tolist()}; "
        f"{unlabelled} large heads without a point"
    )


if __name__ == "__main__":
    main()
