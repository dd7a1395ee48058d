"""Scores doubtful objects again, one by one, at a size that the model scores well: the second look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import exp, log

from anonymizer.detect.description import SecondLook, ViewSpec
from anonymizer.detect.merge import IOU_THRESHOLD
from anonymizer.detect.views import Crop, close_crop
from anonymizer.types import Detection, Pixels8

_MIN_SCORE = 0.02
"""Scores are limited to _MIN_SCORE..1 - _MIN_SCORE, so that one look does not outweigh all others."""


def rescore(
    picture: Pixels8,
    objects: Sequence[Detection],
    spec: ViewSpec,
    second_look: SecondLook,
    find: Callable[[Crop], Sequence[Detection]],
) -> list[Detection]:
    """The same objects in the same order, with new scores for the doubtful ones.

    The log odds of a new score are the weighted mean of those of the old score and of the second look. The score of the
    second look is the mean, over some sizes, of the best score that the model gives to a box that overlaps the object.

    Args:
        picture: uint8 (H, W, 3), RGB.
        spec: how the picture is turned, and the exponent of its scores then.
        find: returns what a model finds in a crop, in pixels of the picture.
    """
    chosen = _choose(objects, second_look)
    scores = dict.fromkeys(chosen, 0.0)
    for size in second_look.sizes:
        for index in chosen:
            crop = close_crop(picture, objects[index].box, spec, size, second_look.side)
            scores[index] += _best_score(objects[index], find(crop)) / len(second_look.sizes)
    return [
        replace(one, score=_new_score(one.score, scores[index], second_look)) if index in scores else one
        for index, one in enumerate(objects)
    ]


def _choose(objects: Sequence[Detection], second_look: SecondLook) -> list[int]:
    """Indices of the doubtful objects, the highest scores first, at most as many as the second look allows."""
    is_doubtful = [second_look.is_doubtful(one.score) and one.box.area > 0 for one in objects]
    doubtful = (index for index, chosen in enumerate(is_doubtful) if chosen)
    return sorted(doubtful, key=lambda index: -objects[index].score)[: second_look.max_objects]


def _best_score(one: Detection, found: Sequence[Detection]) -> float:
    """Best score of the detections of the same kind that overlap the object; 0 if there are none."""
    scores = (other.score for other in found if other.kind == one.kind and one.box.iou(other.box) > IOU_THRESHOLD)
    return max(scores, default=0.0)


def _new_score(first: float, second: float, second_look: SecondLook) -> float:
    weight = second_look.weight
    odds = (1 - weight) * _log_odds(first) + weight * _log_odds(second) + second_look.bias
    return 1 / (1 + exp(-odds))


def _log_odds(score: float) -> float:
    score = min(max(score, _MIN_SCORE), 1 - _MIN_SCORE)
    return log(score / (1 - score))
