"""Faces whose pixels are labelled: reading packs of `weights.data` and of `teach.py`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from weights.data.labels import FACE

LARGEST = 176
"""Pictures are kept in memory with a longer side of at most so many pixels."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One picture with one labelled head.

    `pixels`: uint8 RGB (H, W, 3); `mask`: uint8 (H, W), see `weights.data.labels`; `box`: of the face, x_min, y_min,
    x_max, y_max in pixels, float32 (4,).
    """

    name: str
    group: str
    pixels: np.ndarray
    mask: np.ndarray
    box: np.ndarray


def read_pack(pack: Path, part: str, largest: int = LARGEST) -> list[Row]:
    """The pictures of a pack that belong to a part, `train` or `held_out`, and have a mask."""
    entries = json.loads((pack / "annotations.json").read_text())
    chosen = [entry for entry in entries if entry["part"] == part and "mask" in entry]
    rows = [_read(pack, entry, largest) for entry in chosen]
    return [row for row in rows if row is not None]


def _read(pack: Path, entry: dict[str, object], largest: int) -> Row | None:
    """None where no face is labelled, so that nothing says where the head is."""
    pixels = cv2.imread(str(pack / str(entry["image"])), cv2.IMREAD_COLOR)
    mask = cv2.imread(str(pack / str(entry["mask"])), cv2.IMREAD_GRAYSCALE)
    if pixels is None or mask is None:
        raise OSError(f"{entry['image']} or its mask cannot be read")
    scale = min(1.0, largest / max(mask.shape))
    size = round(mask.shape[1] * scale), round(mask.shape[0] * scale)
    pixels = cv2.resize(pixels[:, :, ::-1], size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
    box = np.asarray(entry.get("face_box") or box_of_face(mask), np.float32)
    if not len(box):
        return None
    factor = scale if entry.get("face_box") else 1.0
    return Row(str(entry["image"]), str(entry["group"]), pixels, mask, box * np.float32(factor))


def box_of_face(mask: np.ndarray) -> list[float]:
    """The box around all pixels of the face, as detectors draw it; empty if there are none."""
    rows, columns = (np.flatnonzero((mask == FACE).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return []
    return [float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)]


def by_group(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of each group."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return groups
