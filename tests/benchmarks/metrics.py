"""How good detections are, against annotations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

HEIGHTS = (0, 16, 32, 64, 128)
"""Faces and plates are told apart by their height in pixels, from each of these on to the next."""
COVERED_SHARE = 0.9
SAME_OBJECT = {"face": 0.4, "plate": 0.5}
"""Intersection over union from which on a detection stands for an annotated object."""
ON_IGNORED = 0.3, 0.5
"""Intersection over union, and share of the detection, from which on it is on an object that does not count."""

Boxes = npt.NDArray[np.float64]
"""(N, 4): x_min, y_min, x_max, y_max."""


@dataclass(frozen=True)
class Annotated:
    """A picture of a pack, with the objects of one kind."""

    path: Path
    group: str
    boxes: Boxes
    ignored: Boxes
    points: npt.NDArray[np.float64]
    """(N, 2): x, y of the heads, in packs of crowds."""
    is_complete: bool
    """Whether every object is annotated, so that whatever else is found is a false alarm."""
    is_of_kind: bool
    """Whether this kind was annotated at all."""


@dataclass(frozen=True)
class Found:
    """The detections in a picture, the surest first."""

    boxes: Boxes
    scores: npt.NDArray[np.float64]

    def from_score(self, threshold: float) -> Found:
        sure = self.scores >= threshold
        return Found(self.boxes[sure], self.scores[sure])

    def widened(self, margin: float) -> Boxes:
        by = margin * (self.boxes[:, 2:] - self.boxes[:, :2])
        return np.hstack([self.boxes[:, :2] - by, self.boxes[:, 2:] + by])


def to_found(rows: Sequence[Sequence[float]]) -> Found:
    """From rows of x_min, y_min, x_max, y_max, score."""
    table = np.array(rows, np.float64).reshape(-1, 5)
    table = table[np.argsort(-table[:, 4], kind="stable")]
    return Found(table[:, :4], table[:, 4])


def read_pack(pack: Path, kind: str) -> list[Annotated]:
    """The pictures of a folder with annotations.json."""
    pictures = []
    for entry in json.loads((pack / "annotations.json").read_text()):
        of_kind = [box for box in entry["boxes"] if box["kind"] == kind]
        corners = [[b["x_min"], b["y_min"], b["x_max"], b["y_max"]] for b in of_kind]
        is_ignored = np.array([bool(b.get("ignore")) for b in of_kind], bool)
        boxes = np.array(corners, np.float64).reshape(-1, 4)
        pictures.append(
            Annotated(
                pack / entry["image"],
                entry.get("group", "all"),
                boxes[~is_ignored],
                boxes[is_ignored],
                np.array(entry.get("head_points", []), np.float64).reshape(-1, 2),
                bool(entry.get("exhaustive", True)),
                kind in entry.get("annotated", [kind]),
            )
        )
    return pictures


def match(picture: Annotated, found: Found, kind: str) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which detections stand for an annotated object, one to one, and which count at all."""
    is_hit, counts = np.zeros(len(found.boxes), bool), np.ones(len(found.boxes), bool)
    overlap, on_ignored = iou(found.boxes, picture.boxes), iou(found.boxes, picture.ignored)
    inside_ignored = shared(found.boxes, picture.ignored) / np.maximum(areas(found.boxes), 1e-9)[:, np.newaxis]
    for index in range(len(found.boxes)):
        if overlap.shape[1] and overlap[index].max() >= SAME_OBJECT[kind]:
            is_hit[index] = True
            overlap[:, overlap[index].argmax()] = 0
        else:
            counts[index] = not ((on_ignored[index] >= ON_IGNORED[0]) | (inside_ignored[index] >= ON_IGNORED[1])).any()
    return is_hit, counts


def is_covered(boxes: Boxes, covers: Boxes) -> npt.NDArray[np.bool_]:
    """Which boxes lie, by at least COVERED_SHARE of their area, inside the union of the others."""
    return np.array([_covered_share(box, covers) >= COVERED_SHARE for box in boxes], bool)


def _covered_share(box: Boxes, covers: Boxes) -> float:
    """Exact: the union is cut into the cells between all its edges."""
    cut = np.hstack([np.maximum(covers[:, :2], box[:2]), np.minimum(covers[:, 2:], box[2:])])
    cut = cut[(cut[:, 2:] > cut[:, :2]).all(axis=1)]
    x_edges, y_edges = np.unique(cut[:, [0, 2]]), np.unique(cut[:, [1, 3]])
    x_middles, y_middles = (x_edges[1:] + x_edges[:-1]) / 2, (y_edges[1:] + y_edges[:-1]) / 2
    in_x = (x_middles >= cut[:, [0]]) & (x_middles <= cut[:, [2]])
    in_y = (y_middles >= cut[:, [1]]) & (y_middles <= cut[:, [3]])
    is_inside = (in_y[:, :, np.newaxis] & in_x[:, np.newaxis, :]).any(axis=0) if len(cut) else np.zeros((0, 0), bool)
    area = (is_inside * np.outer(np.diff(y_edges), np.diff(x_edges))).sum() if len(cut) else 0.0
    return float(area / max(areas(box[np.newaxis])[0], 1e-9))


def average_precision(scores: npt.NDArray[np.float64], is_hit: npt.NDArray[np.bool_], objects: int) -> float:
    """Area under the interpolated curve of precision over recall."""
    recall, precision = precision_recall(scores, is_hit, objects)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * best).sum())


def precision_recall(
    scores: npt.NDArray[np.float64], is_hit: npt.NDArray[np.bool_], objects: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Recall and precision as the threshold falls, one point per detection."""
    hits = np.cumsum(is_hit[np.lexsort((is_hit == 0, -scores))])
    return hits / max(objects, 1), hits / np.arange(1, len(hits) + 1)


def iou(first: Boxes, second: Boxes) -> Boxes:
    """(N, M) intersection over union."""
    both = shared(first, second)
    union = areas(first)[:, np.newaxis] + areas(second) - both
    return np.divide(both, union, out=np.zeros_like(both), where=union > 0)


def shared(first: Boxes, second: Boxes) -> Boxes:
    """(N, M) areas that boxes have in common."""
    corner = np.maximum(first[:, np.newaxis, :2], second[:, :2])
    other = np.minimum(first[:, np.newaxis, 2:], second[:, 2:])
    return np.asarray((other - corner).clip(0).prod(axis=2))


def areas(boxes: Boxes) -> npt.NDArray[np.float64]:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1))
