"""Pictures to learn faces from: with boxes of faces, without any face, and others, in which a teacher finds them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from weights.head.data import Row, read_pack

HELD_OUT_OF = 4
"""One of so many pictures of a folder is held out, by the hash of its name."""
EMPTY = "negatives"
"""Group of the pictures without faces."""


def read_faces(pack: Path, part: str) -> list[Row]:
    """The pictures of a part of a pack, `train` or `held_out`, whose faces are labelled."""
    rows = []
    for entry in json.loads((pack / "annotations.json").read_text()):
        if entry["part"] != part or "face" not in entry["annotated"]:
            continue
        faces = [box for box in entry["boxes"] if box["kind"] == "face"]
        corners = [[box[side] for side in ("x_min", "y_min", "x_max", "y_max")] for box in faces]
        rows.append(
            Row(
                path=pack / entry["image"],
                name=entry["image"],
                group=pack.name,
                boxes=np.asarray(corners, np.float32).reshape(-1, 4),
                ignore=np.asarray([box["ignore"] for box in faces], bool),
                measured=np.ones(len(faces), bool),
                width=entry["width"],
                height=entry["height"],
            )
        )
    return rows


def read_unlabelled(source: Path, part: str) -> list[Row]:
    """The pictures of a part of a pack, or of a folder, whose faces nobody has labelled.

    Heads, where a pack has them, are boxes that are not `measured`: places to look at, with or without a face.
    """
    if not (source / "annotations.json").is_file():
        return _read_folder(source, part, source.name)
    rows = []
    heads = {row.name: row for row in read_pack(source, part)}
    for entry in json.loads((source / "annotations.json").read_text()):
        if entry["part"] != part:
            continue
        head = heads.get(entry["image"])
        boxes = head.boxes[~head.ignore] if head else np.zeros((0, 4), np.float32)
        none = np.zeros(len(boxes), bool)
        path = source / entry["image"]
        rows.append(Row(path, entry["image"], source.name, boxes, none, none, entry["width"], entry["height"]))
    return rows


def read_negatives(folder: Path, part: str, skip: Sequence[str] = ()) -> list[Row]:
    """The pictures of a folder, which show no face, but for those whose names are to be skipped."""
    return _read_folder(folder, part, EMPTY, skip)


def _read_folder(folder: Path, part: str, group: str, skip: Sequence[str] = ()) -> list[Row]:
    rows = []
    for path in sorted(folder.rglob("*")):
        digest = int(hashlib.sha256(path.name.encode()).hexdigest(), 16)
        is_held_out = digest % HELD_OUT_OF == 0
        if is_held_out != (part == "held_out") or path.name in skip or not path.is_file():
            continue
        pixels = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_4)
        if pixels is None:
            continue
        height, width = pixels.shape[:2]
        nothing = np.zeros((0, 4), np.float32)
        none = np.zeros(0, bool)
        rows.append(Row(path, path.name, group, nothing, none, none, 4 * width, 4 * height))
    return rows
