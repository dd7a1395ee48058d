"""The training part of WIDER FACE (Yang et al. 2016): boxes of faces."""

from __future__ import annotations

import io
from collections.abc import Iterator

import scipy.io

from .labels import Labels, box
from .repository import Repository

LABELS = "data/wider_face_split/wider_face_train.mat"
FOLDER = "data/WIDER_train/images"
"""Everything else of the source, WIDER val above all, is held back. Never read."""
SMALLEST = 10
"""Faces with a shorter side are ignored, as in the benchmark. Pixels."""


def read(repository: Repository) -> Iterator[Labels]:
    """The labels of every picture of the training part that the repository holds."""
    files = set(repository.paths(FOLDER))
    table = scipy.io.loadmat(io.BytesIO(repository.content(LABELS)))
    for event_index, event in enumerate(table["event_list"][:, 0]):
        for index, name in enumerate(table["file_list"][event_index, 0][:, 0]):
            path = f"{FOLDER}/{event[0]}/{name[0]}.jpg"
            if path not in files:
                continue
            corners = table["face_bbx_list"][event_index, 0][index, 0]
            flags = {
                flag: table[f"{flag}_label_list"][event_index, 0][index, 0][:, 0]
                for flag in ("blur", "occlusion", "pose", "invalid")
            }
            boxes = []
            for i, (x, y, width, height) in enumerate(corners.astype(float).tolist()):
                if min(width, height) > 0:
                    more = {flag: int(values[i]) for flag, values in flags.items()}
                    ignore = bool(more["invalid"]) or min(width, height) < SMALLEST
                    boxes.append(box("face", (x, y, x + width, y + height), ignore, **more))
            yield Labels(path, f"{name[0]}.jpg", f"wider_train/{event[0]}", annotated=("face",), boxes=boxes)
