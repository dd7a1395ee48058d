"""Looking through pictures to train on for places that a model takes for heads where none is labelled.

    python -m weights.head.mine FOLDER --data DATA/empty --data DATA/scut_head

FOLDER holds a model and its `model.yaml`. `train.py` shows these places more often.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click
import cv2
import numpy as np

from weights.plate.mine import overlaps

from . import data
from .evaluate import Find, finder_of

MISTAKEN = 0.2
"""Lowest score of a place that is taken for a head."""
SURE = 0.4
"""Surer places are not noted in pictures that show heads: many of them are heads without a label."""
MOST = 30
"""So many places of a picture are noted at most, best first."""


def look_through(rows: Iterable[data.Row], find: Find) -> dict[str, list[list[float]]]:
    """The places of each picture, by its name."""
    return {row.name: places_of(row, *find(data.decode(row.path))) for row in rows}


def places_of(row: data.Row, boxes: np.ndarray, scores: np.ndarray) -> list[list[float]]:
    """Places that were taken for heads: x_min, y_min, x_max, y_max in pixels.

    Places that share at least a fifth of the smaller area with a labelled head, or with one that is ignored, are left
    out.
    """
    boxes = boxes[(scores >= MISTAKEN) & ((scores < SURE) | (len(row.boxes) == 0))]
    if len(boxes):
        boxes = boxes[~overlaps(boxes, row.boxes)]
    return [[round(float(side), 1) for side in box] for box in boxes[:MOST]]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--data", "packs", multiple=True, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--preset", default="balanced", show_default=True, help="Views to look in.")
@click.option("--group", "groups", multiple=True, help="Look at pictures of these groups alone.")
@click.option("--every", default=1, show_default=True, help="Look at one of so many pictures.")
def main(folder: Path, packs: tuple[Path, ...], preset: str, groups: tuple[str, ...], every: int) -> None:
    """Write `mistaken.json` to each pack: places of its pictures to train on that the model takes for heads."""
    cv2.setNumThreads(1)
    find = finder_of(folder, preset)
    for pack in packs:
        rows = [row for row in data.read_pack(pack, "train") if not groups or row.group in groups][::every]
        places = look_through(rows, find)
        (pack / "mistaken.json").write_text(json.dumps(places))
        click.echo(f"{pack.name}: {sum(map(len, places.values()))} places in {len(places)} pictures")


if __name__ == "__main__":
    main()
