"""How well objects are found: average precision, as COCO has it (Lin et al. 2014, arXiv:1405.0312)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEAST_IOU = 0.5
"""Intersection over union from which on an object is found."""
IOUS = np.linspace(0.5, 0.95, 10)
"""Over these the mean is taken that COCO names AP."""


@dataclass(frozen=True)
class Objects:
    """What is in a picture."""

    names: Sequence[str]
    """(N,): what each object is."""
    boxes: Floats
    """(N, 4): x_min, y_min, x_max, y_max in pixels."""
    scores: Floats
    """(N,), 0..1; 1 where people say so."""

    def only(self, chosen: npt.NDArray[np.bool_]) -> Objects:
        """Some of them; (N,)."""
        names = [name for name, is_chosen in zip(self.names, chosen, strict=True) if is_chosen]
        return Objects(names, self.boxes[chosen], self.scores[chosen])

    def named(self, name: str) -> Objects:
        return self.only(np.array([one == name for one in self.names], bool))

    def from_score(self, score: float) -> Objects:
        """Those with this score at least."""
        return self.only(self.scores >= score)


@dataclass(frozen=True)
class Precision:
    """Means over the names of objects."""

    at_half: float
    """Mean average precision at an intersection over union of 0.5."""
    mean: float
    """Mean over intersections over union from 0.5 to 0.95."""

    @classmethod
    def of(cls, truth: Sequence[Objects], found: Sequence[Objects], names: Iterable[str]) -> Precision | None:
        """None where there is no object of these names.

        Args:
            truth: of each picture.
            found: of the same pictures.
        """
        of_names = []
        for name in names:
            wanted, guesses = ([one.named(name) for one in pictures] for pictures in (truth, found))
            of_names.append([average_precision(wanted, guesses, least_iou) for least_iou in IOUS.tolist()])
        known = [[value for value in values if value is not None] for values in of_names]
        rows = np.array([values for values in known if values])
        return None if not rows.size else cls(float(rows[:, 0].mean()), float(rows.mean()))


def average_precision(truth: Sequence[Objects], found: Sequence[Objects], least_iou: float) -> float | None:
    """Area under the curve of precision over recall, made falling; None where there is nothing to be found.

    Args:
        truth: objects of one name, of each picture.
        found: of the same pictures.
    """
    total = sum(len(one.boxes) for one in truth)
    if not total:
        return None
    scores = np.concatenate([one.scores for one in found])
    hits = np.concatenate([hits_of(*pair, least_iou) for pair in zip(truth, found, strict=True)])
    hits = np.cumsum(hits[np.argsort(-scores, kind="stable")])
    precision = hits / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(hits / total, prepend=0.0) * best).sum())


def hits_of(truth: Objects, found: Objects, least_iou: float = LEAST_IOU) -> npt.NDArray[np.bool_]:
    """Which of the found objects, of one name, are among the true ones; the surest first, each stands for one, (N,)."""
    hits = np.zeros(len(found.boxes), bool)
    if not len(truth.boxes):
        return hits
    overlap = iou(found.boxes, truth.boxes)
    for index in np.argsort(-found.scores, kind="stable").tolist():
        best = int(overlap[index].argmax())
        if overlap[index, best] >= least_iou:
            hits[index] = True
            overlap[:, best] = -1
    return hits


def iou(first: Floats, second: Floats) -> Floats:
    """(N, M) intersections over unions of boxes (N, 4) and (M, 4)."""
    low = np.maximum(first[:, np.newaxis, :2], second[:, :2])
    high = np.minimum(first[:, np.newaxis, 2:], second[:, 2:])
    shared = (high - low).clip(0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1) for boxes in (first, second)]
    union = areas[0][:, np.newaxis] + areas[1] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))
