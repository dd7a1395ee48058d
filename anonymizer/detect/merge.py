"""Makes one list of detections out of several that may have found the same object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import hull
from anonymizer.kinds import KINDS, Kind
from anonymizer.types import Detection

IOU_THRESHOLD = 0.4
"""Intersection over union from which on two boxes of a kind stand for one object."""
_BORDERLINE = 1.1
"""Who answers for objects up to a size may well have taken one within this factor for a larger one."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Opinion:
    """What was found when a picture was looked at in one way."""

    detections: Sequence[Detection]
    smallest: float = 0.0
    """It has a vote on objects whose longer side, in pixels of the picture, is at least this long."""
    largest: float = inf
    """And at most this long."""

    def has_vote(self, size: float, has_found: bool) -> bool:
        """Whether it counts for an object of a size. Near the limits it does if it has found the object."""
        leeway = _BORDERLINE if has_found else 1 / _BORDERLINE
        return self.smallest / leeway <= size <= self.largest * leeway


def merge_detections(detections: Sequence[Detection]) -> list[Detection]:
    """One detection per object: its best one, whose extent holds the others. See `merge_opinions`."""
    return merge_opinions([Opinion(detections)], say=1.0)


def merge_opinions(
    opinions: Sequence[Opinion], thresholds: Mapping[Kind, float] = MappingProxyType({}), say: float = 0.35
) -> list[Detection]:
    """One detection per object, by falling score within each kind.

    The best detection of an object takes in all others of its kind that overlap it, as in greedy non-maximum
    suppression. The score is the mean of the best scores in the opinions that have a vote on an object of such a size,
    0 in those that have not found it, as in weighted boxes fusion (Solovyev et al. 2019, arXiv:1910.13302). The box,
    other than there, holds those of all detections that have a say: better too much is hidden than too little. `extent`
    holds the others too. Since each overlaps the best one, neither grows from object to object. Boxes without an area
    come first.

    Each box is compared only with those that begin near it from left to right, so that the time hardly grows faster
    than the number of boxes.

    Args:
        thresholds: objects of a kind with a lower score are left out.
        say: detections with less than this share of the best one's score have no say in where the object ends.
    """
    merged = []
    for kind in KINDS:
        threshold = thresholds.get(kind, 0.0)
        found = [(d, index) for index, opinion in enumerate(opinions) for d in opinion.detections if d.kind == kind]
        # Boxes without an area overlap nothing.
        merged += [d for d, _ in found if not d.box.area and d.score >= threshold]
        found = [(d, index) for d, index in found if d.box.area]
        found.sort(key=lambda pair: -pair[0].score)
        leaders = sum(d.score >= threshold for d, _ in found)  # a mean is never above the best
        objects = [
            _fuse([found[index] for index in group], opinions, say)
            for group in _group(_corners([d for d, _ in found]), leaders)
        ]
        merged += sorted((d for d in objects if d.score >= threshold), key=lambda d: -d.score)
    return merged


def _corners(detections: Sequence[Detection]) -> Floats:
    """(N, 4): x_min, y_min, x_max, y_max."""
    return np.array([d.box.xyxy for d in detections]).reshape(-1, 4)


def _fuse(group: Sequence[tuple[Detection, int]], opinions: Sequence[Opinion], say: float) -> Detection:
    """One detection for the detections of one object, each with the index of its opinion. The best comes first."""
    best = group[0][0]
    scores: dict[int, float] = {}
    for detection, index in group:
        scores[index] = max(scores.get(index, 0.0), detection.score)
    size = best.box.longer_side
    voters = [index for index, opinion in enumerate(opinions) if opinion.has_vote(size, index in scores)] or [*scores]
    score = sum(scores.get(index, 0.0) for index in voters) / len(voters)
    box = hull([detection.box for detection, _ in group if detection.score >= say * best.score])
    extent = hull([box, *(detection.redaction_box for detection, _ in group)])
    return Detection(box, score, best.kind, None if extent == box else extent)


def _group(corners: Floats, leaders: int) -> list[list[int]]:
    """Indices of the boxes that stand for one object each, the best first; objects that one of the leaders stands for.

    Args:
        corners: of all boxes, the best first.
        leaders: how many of them, from the first on, are good enough.
    """
    order = np.argsort(corners[:, 0], kind="stable")
    position = np.argsort(order)
    by_x = corners[order]
    areas = (by_x[:, 2:] - by_x[:, :2]).prod(axis=1)
    widths = corners[:, 2] - corners[:, 0]
    # Intervals that share so much of their union begin near each other: only those boxes need a look.
    first = np.searchsorted(by_x[:, 0], corners[:, 0] - (1 / IOU_THRESHOLD - 1) * widths, side="left")
    last = np.searchsorted(by_x[:, 0], corners[:, 0] + (1 - IOU_THRESHOLD) * widths, side="right")
    is_free = np.ones(len(corners), bool)
    groups = []
    for best in range(leaders):
        if not is_free[position[best]]:
            continue
        near = slice(first[best], last[best])
        shared = (np.minimum(by_x[near, 2:], corners[best, 2:]) - np.maximum(by_x[near, :2], corners[best, :2])).clip(0)
        shared_area = shared.prod(axis=1)
        is_same = shared_area > IOU_THRESHOLD * (areas[near] + areas[position[best]] - shared_area)
        is_same &= is_free[near]
        is_free[near] &= ~is_same
        groups.append(sorted(order[near][is_same].tolist()))
    return groups
