"""Pictures with heads and without: reading packs, and sizes for heads with only a point."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

SMALLEST_GUESS, LARGEST_GUESS = 6.0, 60.0
"""Limits of a size that is guessed from the distance of neighbours. Pixels."""
GUESSED_SHARE = 0.7
"""A head's size as a share of the distance to its third neighbour, in crowds."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One picture with its heads.

    `boxes`: float32 (n, 4), x_min, y_min, x_max, y_max in pixels; `ignore`: bool (n,), neither head nor
    background; `measured`: bool (n,), false where only the middle is known and the size is a guess; `mistaken`:
    float32 (m, 4), places without a head that a model took for one (`mine.py`).
    """

    path: Path
    name: str
    group: str
    boxes: np.ndarray
    ignore: np.ndarray
    measured: np.ndarray
    width: int
    height: int
    mistaken: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros((0, 4), np.float32))


def read_pack(pack: Path, part: str) -> list[Row]:
    """The pictures of a pack that belong to a part, `train` or `held_out`, and have heads labelled, or hold none.

    Sizes of heads without a box come from `sizes.json` in the pack (`weights.head.sizes`) where there is one, and from
    the neighbours' distance otherwise; places that were taken for heads come from `mistaken.json` (`mine.py`).
    """
    known = pack / "sizes.json"
    sizes = json.loads(known.read_text()) if known.is_file() else {}
    mined = pack / "mistaken.json"
    mistaken = json.loads(mined.read_text()) if mined.is_file() else {}
    rows = []
    for entry in json.loads((pack / "annotations.json").read_text()):
        if entry.get("part", part) != part or not {"head", "head_points"} & set(entry["annotated"]):
            continue
        heads = [box for box in entry["boxes"] if box["kind"] == "head"]
        corners = [[box[side] for side in ("x_min", "y_min", "x_max", "y_max")] for box in heads]
        boxes = np.asarray(corners, np.float32).reshape(-1, 4)
        ignore = np.asarray([box["ignore"] for box in heads], bool)
        points = np.asarray(entry.get("head_points", []), np.float32).reshape(-1, 2)
        note = sizes.get(entry["image"])
        half = (np.asarray(note["sizes"], np.float32) if note else guess_sizes(points))[:, None] / 2
        unlabelled = np.asarray(note["unlabelled"] if note and part == "train" else [], np.float32).reshape(-1, 4)
        rows.append(
            Row(
                path=pack / entry["image"],
                name=entry["image"],
                group=entry["group"],
                boxes=np.concatenate([boxes, np.concatenate([points - half, points + half], axis=1), unlabelled]),
                ignore=np.concatenate([ignore, np.zeros(len(points), bool), np.ones(len(unlabelled), bool)]),
                measured=np.concatenate(
                    [np.ones(len(boxes), bool), np.full(len(points), bool(note)), np.ones(len(unlabelled), bool)]
                ),
                width=entry["width"],
                height=entry["height"],
                mistaken=np.asarray(mistaken.get(entry["image"], []), np.float32).reshape(-1, 4),
            )
        )
    return rows


def guess_sizes(points: np.ndarray) -> np.ndarray:
    """Sizes of heads from the distance to the third neighbour, in pixels, float32 (n,).

    As in LSC-CNN (Sam et al. 2019, arXiv:1906.07538): where a crowd is dense, heads nearly touch.
    """
    if len(points) < 4:
        return np.full(len(points), LARGEST_GUESS / 2, np.float32)
    guesses = []
    for point in points:
        distances = np.sqrt(((points - point) ** 2).sum(axis=1))
        guesses.append(np.partition(distances, 3)[3] * GUESSED_SHARE)
    return np.asarray(guesses, np.float32).clip(SMALLEST_GUESS, LARGEST_GUESS)


def decode(path: Path, shrink: int = 1) -> np.ndarray:
    """A picture as upright uint8 RGB, its sides divided by `shrink`: 1, 2 or 4.

    Raises:
        OSError: It cannot be read.
    """
    flags = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}
    pixels = cv2.imread(str(path), flags[shrink])
    if pixels is None:
        raise OSError(f"{path} cannot be read")
    return np.ascontiguousarray(pixels[:, :, ::-1])


def by_group(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each group."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return groups
