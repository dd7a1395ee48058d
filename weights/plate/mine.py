"""Looking at the training data with a trained model: places to ignore and places to learn from.

``python -m weights.plate.mine MODEL NOTES.json --data PACK --negatives DIR`` writes notes for
``train.py --mined``:

- ``ignore``: confident detections on pack pictures that no label covers. Mostly unlabelled plates; they are
  neither learnt as plates nor as background. Places that are not clearly wider than high stay background:
  there, wheels and lamps are found more often than plates.
- ``hard``: detections on pictures without plates. Views around them are shown more often.
"""

from __future__ import annotations

import json
import pathlib

import click
import numpy as np
from PIL import Image

from . import data
from .evaluate import TfliteModel, detect


def overlaps(boxes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Tell which boxes share at least a fifth of the smaller area with a label, bool (n,)."""
    if not len(labels):
        return np.zeros(len(boxes), bool)
    low = np.maximum(boxes[:, None, :2], labels[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], labels[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(b[:, 2:] - b[:, :2], axis=1) for b in (boxes, labels)]
    return (shared >= 0.2 * np.minimum(areas[0][:, None], areas[1][None, :])).any(axis=1)


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


_FOLDER = click.Path(exists=True, file_okay=False, path_type=pathlib.Path)


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=pathlib.Path))
@click.argument("notes", type=click.Path(path_type=pathlib.Path))
@click.option("--data", "packs", multiple=True, type=_FOLDER)
@click.option("--negatives", multiple=True, type=_FOLDER)
@click.option(
    "--skip",
    type=click.Path(exists=True, path_type=pathlib.Path),
    help="File names to leave out, one a line.",
)
@click.option("--side", "sides", multiple=True, type=int, default=(640, 1280), show_default=True)
@click.option("--confident", default=0.4, show_default=True, help="Lowest score of a place to ignore.")
@click.option("--doubtful", default=0.1, show_default=True, help="Lowest score of a hard place.")
@click.option("--sheets", type=click.Path(path_type=pathlib.Path), help="Folder for sheets of what was found.")
def main(model, notes, packs, negatives, skip, sides, confident, doubtful, aspect, sheets) -> None:
    """Write NOTES.json with places to ignore and hard places, found by MODEL."""
    run = TfliteModel(model, threads=2)
    skipped = set(skip.read_text().split()) if skip else set()
    result: dict[str, dict[str, list]] = {"ignore": {}, "hard": {}}
    seen: dict[str, list[tuple[float, np.ndarray]]] = {"ignore": [], "hard": []}

    def note(kind: str, sample: data.Sample, boxes: np.ndarray, scores: np.ndarray) -> None:
        if len(boxes):
            result[kind][sample.name] = np.round(boxes, 1).astype(float).tolist()
            for box, score in zip(boxes, scores, strict=True):
                seen[kind].append((float(score), surroundings(sample.levels[0], box)))

    for row in (row for pack in packs for row in data.read_pack(pack)):
        sample = data.load(row, 1280)
        boxes, scores = detect(run, sample.levels[0], sides, confident)
        free = ~overlaps(boxes, sample.boxes)
        free &= boxes[:, 2] - boxes[:, 0] >= aspect * (boxes[:, 3] - boxes[:, 1])
        note("ignore", sample, boxes[free], scores[free])
    for row in (row for folder in negatives for row in data.read_folder(folder, skipped)):
        sample = data.load(row, 1280)
        note("hard", sample, *detect(run, sample.levels[0], sides, doubtful))
    notes.write_text(json.dumps(result))
    for kind, crops in seen.items():
        click.echo(f"{kind}: {len(crops)} places in {len(result[kind])} pictures")
        if sheets:
            sheets.mkdir(parents=True, exist_ok=True)
            crops.sort(key=lambda item: -item[0])
            sheet([crop for _, crop in crops[:240]], sheets / f"{kind}.png")


if __name__ == "__main__":
    main()
