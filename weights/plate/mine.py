"""Looking through the training data with the weights so far: places to ignore and places to learn from.

``python -m weights.plate.mine MODEL OUT --data PACK --negatives FOLDER`` does it before a training goes on from given
weights: ``train.py --out OUT`` uses what it finds from the first step on.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterable

import click
import cv2
import numpy as np
from PIL import Image

from . import data
from .data import Sample
from .evaluate import Run, TfliteModel, detect

Places = dict[str, dict[str, list[list[float]]]]
"""For each sort of place: boxes by the name of the picture, x_min, y_min, x_max, y_max in shares of its sides."""

CONFIDENT = 0.5
"""Lowest score of a place to ignore."""
SQUARE = 1.3
"""Places less than that many times as wide as high are not ignored: most are wheels."""
DOUBTFUL = 0.15
"""Lowest score of a hard place."""


def look_through(run: Run, plates: Iterable[Sample], negatives: Iterable[Sample], sheets: pathlib.Path) -> Places:
    """Note places of the pictures with plates, and of those without.

    - ``ignore``: confident detections that no label of a picture with plates covers. Mostly unlabelled plates;
      they are neither learnt as plates nor as background.
    - ``hard``: detections on pictures without plates. Views around them are shown more often.

    Sheets of both, most confident first, are written to the folder ``sheets`` as ``ignore.png`` and ``hard.png``,
    twelve in a row; ``ignore.txt`` and ``hard.txt`` name the pictures, with scores, in the same order.
    """
    notes: Places = {"ignore": {}, "hard": {}}
    seen: dict[str, list[tuple[float, str, np.ndarray]]] = {"ignore": [], "hard": []}

    def note(kind: str, sample: Sample, boxes: np.ndarray, scores: np.ndarray) -> None:
        if not len(boxes):
            return
        sides = np.tile(sample.levels[0].shape[1::-1], 2)
        notes[kind][sample.name] = np.round(boxes / sides, 5).astype(float).tolist()
        for box, score in zip(boxes, scores, strict=True):
            seen[kind].append((float(score), sample.name, surroundings(sample.levels[0], box)))

    for sample in plates:
        boxes, scores = detect(run, sample.levels[0], (640,), CONFIDENT)
        width, height = (boxes[:, 2:] - boxes[:, :2]).T
        free = ~overlaps(boxes, sample.boxes) & (width >= SQUARE * height)
        note("ignore", sample, boxes[free], scores[free])
    for sample in negatives:
        note("hard", sample, *detect(run, sample.levels[0], (320, 640, 1280), DOUBTFUL))
    for kind, crops in seen.items():
        crops.sort(key=lambda item: -item[0])
        sheet([crop for _, _, crop in crops[:240]], sheets / f"{kind}.png")
        lines = [f"{score:.3f} {name}" for score, name, _ in crops[:240]]
        (sheets / f"{kind}.txt").write_text("".join(f"{line}\n" for line in lines))
    return notes


def boxes_of(places: dict[str, list[list[float]]], sample: Sample) -> np.ndarray:
    """The boxes noted for a picture, float32 (n, 4), in its pixels."""
    sides = np.tile(sample.levels[0].shape[1::-1], 2)
    return np.asarray(np.reshape(places.get(sample.name, []), (-1, 4)) * sides, np.float32)


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


def surroundings(pixels: np.ndarray, box: np.ndarray, side: int = 240) -> np.ndarray:
    """Cut out a box with as much again around it, shrunk to ``side`` pixels at most."""
    grow = 0.5 * (box[2:] - box[:2]) + 6
    x0, y0 = np.maximum(box[:2] - grow, 0).astype(int)
    x1, y1 = (box[2:] + grow).astype(int)
    crop = np.array(pixels[y0:y1, x0:x1])
    scale = side / max(crop.shape[:2])
    return np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)) if scale < 1 else crop


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=pathlib.Path))
@click.argument("out", type=click.Path(path_type=pathlib.Path))
@click.option("--data", "packs", multiple=True, type=click.Path(exists=True, path_type=pathlib.Path))
@click.option("--negatives", multiple=True, type=click.Path(exists=True, path_type=pathlib.Path))
@click.option("--skip", type=click.Path(exists=True, path_type=pathlib.Path))
@click.option("--max-side", default=1280, show_default=True, help="Pictures are shrunk to that many pixels.")
def main(
    model: pathlib.Path,
    out: pathlib.Path,
    packs: tuple[pathlib.Path, ...],
    negatives: tuple[pathlib.Path, ...],
    skip: pathlib.Path | None,
    max_side: int,
) -> None:
    """Look through packs and folders with the TFLite file MODEL and write OUT/mined.json and sheets to look at.

    Pictures that are held out are left alone. Options as those of the training.
    """
    cv2.setNumThreads(1)
    out.mkdir(parents=True, exist_ok=True)
    skipped = set(skip.read_text().split()) if skip else set()
    rows = [row for pack in packs for row in data.read_pack(pack)]
    empty = [row for folder in negatives for row in data.read_negatives(folder, skipped)]
    samples, without = (
        (data.load(row, max_side) for row in some if not data.is_held_out(row)) for some in (rows, empty)
    )
    found = look_through(TfliteModel(model), samples, without, out)
    (out / "mined.json").write_text(json.dumps(found))
    for kind, places in found.items():
        click.echo(f"{kind}: {sum(map(len, places.values()))} places in {len(places)} pictures")


if __name__ == "__main__":
    main()
