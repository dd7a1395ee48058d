"""Merges detections of the same object into one."""

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
"""Boxes of a kind with a larger intersection over union are of the same object."""
_SIZE_TOLERANCE = 1.1
"""Size limits are soft by this factor: a view may misjudge the size of an object near its limit."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ViewDetections:
    """The detections of one view of a picture."""

    detections: Sequence[Detection]
    vote_min_size: float = 0.0
    vote_max_size: float = inf
    """The view has a vote on the scores of objects whose longer side, in pixels of the picture, is in this range."""

    def has_vote(self, size: float, has_found: bool) -> bool:
        """Whether it has a vote on an object of a size. Near the limits it has one only if it has found the object."""
        tolerance = _SIZE_TOLERANCE if has_found else 1 / _SIZE_TOLERANCE
        return self.vote_min_size / tolerance <= size <= self.vote_max_size * tolerance


def merge_detections(detections: Sequence[Detection]) -> list[Detection]:
    """One detection per object: its best one, whose extent contains the others. See `merge_views`."""
    return merge_views([ViewDetections(detections)], min_score_ratio=1.0)


def merge_views(
    views: Sequence[ViewDetections],
    thresholds: Mapping[Kind, float] = MappingProxyType({}),
    min_score_ratio: float = 0.35,
) -> list[Detection]:
    """One detection per object, by falling score within each kind.

    Detections are grouped as in greedy non-maximum suppression: the best one takes all others of its kind that overlap
    it. The score of a group is a mean as in weighted boxes fusion (Solovyev et al. 2019, arXiv:1910.13302): the mean of
    the best scores of the views that have a vote on an object of this size, where a view that has not found the object
    counts as 0. The box, unlike there, is the hull of all boxes with a sufficient score, since hiding too much is
    better than too little; `extent` also contains the others. All of them overlap the best box, so neither grows from
    object to object. Boxes without an area come first.

    Each box is compared only with those that begin near it from left to right, so that the time grows hardly faster
    than the number of boxes. Detections with an outline are kept as they are.

    Args:
        thresholds: lowest score per kind; 0 for kinds that are missing.
        min_score_ratio: only detections with at least this share of the best score extend the box.
    """
    merged = []
    for kind in KINDS:
        threshold = thresholds.get(kind, 0.0)
        found = [(d, index) for index, view in enumerate(views) for d in view.detections if d.kind == kind]
        # Boxes without an area overlap nothing, and of an outline nothing may be lost.
        merged += [d for d, _ in found if not _may_merge(d) and d.score >= threshold]
        found = [(d, index) for d, index in found if _may_merge(d)]
        found.sort(key=lambda pair: -pair[0].score)
        leaders = sum(d.score >= threshold for d, _ in found)  # a mean is never above the best
        objects = [
            _fuse([found[index] for index in group], views, min_score_ratio)
            for group in _group(_corners([d for d, _ in found]), leaders)
        ]
        merged += sorted((d for d in objects if d.score >= threshold), key=lambda d: -d.score)
    return merged


def _may_merge(detection: Detection) -> bool:
    return detection.box.area > 0 and detection.outline is None


def _corners(detections: Sequence[Detection]) -> Floats:
    """(N, 4): x_min, y_min, x_max, y_max."""
    return np.array([d.box.xyxy for d in detections]).reshape(-1, 4)


def _fuse(group: Sequence[tuple[Detection, int]], views: Sequence[ViewDetections], min_score_ratio: float) -> Detection:
    """One detection for the detections of one object, each with the index of its view. The best comes first."""
    best = group[0][0]
    scores: dict[int, float] = {}
    for detection, index in group:
        scores[index] = max(scores.get(index, 0.0), detection.score)
    size = best.box.longer_side
    voting = [index for index, view in enumerate(views) if view.has_vote(size, index in scores)] or [*scores]
    score = sum(scores.get(index, 0.0) for index in voting) / len(voting)
    box = hull([detection.box for detection, _ in group if detection.score >= min_score_ratio * best.score])
    extent = hull([box, *(detection.redaction_box for detection, _ in group)])
    return Detection(box, score, best.kind, None if extent == box else extent)


def _group(corners: Floats, leaders: int) -> list[list[int]]:
    """Groups the boxes into objects; indices of the boxes, in each group the best first.

    Args:
        corners: (N, 4) of all boxes, the best first.
        leaders: only the first so many boxes can be the best of a group.
    """
    order = np.argsort(corners[:, 0], kind="stable")
    position = np.argsort(order)
    by_x = corners[order]
    areas = (by_x[:, 2:] - by_x[:, :2]).prod(axis=1)
    widths = corners[:, 2] - corners[:, 0]
    # Boxes with such an intersection over union begin near each other: only those are compared.
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
