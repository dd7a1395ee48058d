"""Looks at doubtful objects once more, each by itself and at a size that the model judges well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import exp, log

from anonymizer.detect.catalogue import Look, SecondLook
from anonymizer.detect.merge import IOU_THRESHOLD
from anonymizer.detect.views import View, close_view
from anonymizer.types import Detection, Pixels8

_LEAST = 0.02
"""A score below counts as this one, and one above 1 - _LEAST as that: one look must not outweigh all others."""


def look_again(
    picture: Pixels8,
    objects: Sequence[Detection],
    look: Look,
    how: SecondLook,
    find: Callable[[View], Sequence[Detection]],
) -> list[Detection]:
    """The same objects in the same order, with new scores for the doubtful ones.

    The log odds of a new score are the weighted mean of those of the old one and of the second look's. That one is the
    mean, over some sizes, of the best score that the model gives to what overlaps the object.

    Args:
        picture: uint8 (H, W, 3), RGB.
        look: how the picture is turned, and what a score is worth then.
        find: what a model finds in a view, in pixels of the picture.
    """
    is_doubtful = [how.is_doubtful(one.score) and one.box.width * one.box.height > 0 for one in objects]
    chosen = sorted(
        (index for index, doubt in enumerate(is_doubtful) if doubt), key=lambda index: -objects[index].score
    )
    chosen = chosen[: how.most]
    seen = dict.fromkeys(chosen, 0.0)
    for size in how.sizes:
        for index in chosen:
            view = close_view(picture, objects[index].box, look, size, how.side)
            seen[index] += _best_score(objects[index], find(view)) / len(how.sizes)
    return [
        replace(one, score=_new_score(one.score, seen[index], how)) if index in seen else one
        for index, one in enumerate(objects)
    ]


def _best_score(one: Detection, found: Sequence[Detection]) -> float:
    """Of the detections of the same kind that overlap one; 0 if there are none."""
    scores = (other.score for other in found if other.kind == one.kind and one.box.iou(other.box) > IOU_THRESHOLD)
    return max(scores, default=0.0)


def _new_score(first: float, second: float, how: SecondLook) -> float:
    odds = (1 - how.weight) * _log_odds(first) + how.weight * _log_odds(second) + how.bias
    return 1 / (1 + exp(-odds))


def _log_odds(score: float) -> float:
    score = min(max(score, _LEAST), 1 - _LEAST)
    return log(score / (1 - score))
