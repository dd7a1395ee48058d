"""Pictures to learn faces from: with boxes of faces, with heads in which a teacher found faces, and without any."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from weights.head.data import Row, read_pack

SURE = 0.45
"""A teacher's face inside a labelled head is learnt from this score on; a head without one is ignored."""
DOUBTFUL = 0.25
"""A teacher's face outside the labels is ignored from this score on."""
HELD_OUT_OF = 4
"""One of so many pictures without faces is held out, by the hash of its name."""


def read_faces(pack: Path, part: str, teacher: Mapping[str, np.ndarray]) -> list[Row]:
    """The pictures of a part of a pack, `train` or `held_out`, whose faces are labelled.

    What a teacher found, float32 (n, 5) with the score last, by name of the picture, is ignored where it overlaps no
    labelled face: most of that are faces without a label, heads seen from behind and drawings.
    """
    rows = []
    for entry in json.loads((pack / "annotations.json").read_text()):
        if entry["part"] != part or "face" not in entry["annotated"]:
            continue
        faces = [box for box in entry["boxes"] if box["kind"] == "face"]
        corners = [[box[side] for side in ("x_min", "y_min", "x_max", "y_max")] for box in faces]
        boxes = np.asarray(corners, np.float32).reshape(-1, 4)
        found = teacher.get(entry["image"], np.zeros((0, 5), np.float32))
        others = [face[:4] for face in found if face[4] >= DOUBTFUL and not _lies_on(face[:4], boxes).any()]
        rows.append(
            Row(
                path=pack / entry["image"],
                name=entry["image"],
                group=pack.name,
                boxes=np.concatenate([boxes, np.asarray(others, np.float32).reshape(-1, 4)]),
                ignore=np.asarray([box["ignore"] for box in faces] + [True] * len(others), bool),
                measured=np.ones(len(boxes) + len(others), bool),
                width=entry["width"],
                height=entry["height"],
            )
        )
    return rows


def read_heads(pack: Path, part: str, teacher: Mapping[str, np.ndarray]) -> list[Row]:
    """The pictures of a part of a pack with labelled heads in which a teacher looked for faces.

    Heads in which it is not sure of a face are ignored: they may be seen from behind. All else is background.
    """
    rows = []
    for row in read_pack(pack, part):
        if row.name not in teacher:
            continue
        boxes, ignore = [], []
        taken: set[int] = set()
        found = teacher[row.name]
        for head in row.boxes:
            inside = _lies_on(head, found[:, :4]) & (found[:, 4] >= SURE)
            free = [int(index) for index in np.flatnonzero(inside) if index not in taken]
            best = max(free, key=lambda index: float(found[index, 4]), default=None)
            taken.update([best] if best is not None else [])
            boxes.append(head if best is None else found[best, :4])
            ignore.append(best is None)
        others = [face[:4] for i, face in enumerate(found) if i not in taken and face[4] >= DOUBTFUL]
        rows.append(
            dataclasses.replace(
                row,
                group=pack.name,
                boxes=np.asarray(boxes + others, np.float32).reshape(-1, 4),
                ignore=np.asarray(ignore + [True] * len(others), bool),
                measured=np.zeros(len(boxes) + len(others), bool),
            )
        )
    return rows


def read_negatives(folder: Path, part: str, skip: Sequence[str] = ()) -> list[Row]:
    """The pictures of a folder, which show no face, but for those whose names are to be skipped."""
    rows = []
    for path in sorted(folder.rglob("*")):
        digest = int(hashlib.sha256(path.name.encode()).hexdigest(), 16)
        is_held_out = digest % HELD_OUT_OF == 0
        pixels = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_4) if path.name not in skip and path.is_file() else None
        if pixels is None or is_held_out != (part == "held_out"):
            continue
        height, width = pixels.shape[:2]
        nothing = np.zeros((0, 4), np.float32)
        none = np.zeros(0, bool)
        rows.append(Row(path, path.name, "negatives", nothing, none, none, 4 * width, 4 * height))
    return rows


def read_teacher(path: Path) -> dict[str, np.ndarray]:
    """What `teach.py` wrote: float32 (n, 5), corners and score, by name of the picture."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["image"]: np.asarray(line["found"], np.float32).reshape(-1, 5) for line in lines}


def _lies_on(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Which boxes have their middle in `box` widened by half, or hold the middle of `box`; bool (n,)."""
    middles, middle = (boxes[:, :2] + boxes[:, 2:]) / 2, (box[:2] + box[2:]) / 2
    grow = (box[2:] - box[:2]) / 4
    inside = ((middles >= box[:2] - grow) & (middles <= box[2:] + grow)).all(axis=1)
    return np.asarray(inside | ((boxes[:, :2] <= middle) & (boxes[:, 2:] >= middle)).all(axis=1))
