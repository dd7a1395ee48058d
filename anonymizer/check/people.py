"""What people say about a place in doubt: somebody whose face was hidden has no second one, and everybody has one.

A network that finds whole people was trained on other pictures than those for faces and heads, and hands and round
things do not mislead it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from anonymizer.detect.merge import merge_detections
from anonymizer.geometry import Box, slices_around
from anonymizer.types import Detection

SEEN_FROM = 0.1
"""Score of people that count."""
CEILING = 0.98
HIDDEN_FROM = 0.05
"""Share of the upper part from which on the face was hidden: far fewer pixels than a face has there."""
ABOVE, UPPER_PART, WIDTHS_DOWN, MOST_DOWN = 0.05, 0.35, 0.8, 0.6
"""The upper part of a person's box, in shares of its height: it begins so far above, and ends at the second share, or
at the third of its width, but not below the last: of somebody whose legs are not seen the face is a larger part."""
SMALLEST, LARGEST, LARGEST_WIDTHS = 0.07, 1.3, 1.95
"""Longer side of a face or head, in shares of the height of its person; at most so many widths."""
# Chosen on places in doubt in 158 redacted pictures of WIDER train and 52 held-out ones of SCUT-HEAD B: see the
# history of the head model.
FACELESS_WEIGHT, BODY_WEIGHT = 0.6, -0.3
"""Of the log odds of the score of somebody whose face this may be, and of somebody where no face is."""


@dataclass(frozen=True)
class Person:
    """Somebody in a redacted picture."""

    box: Box
    score: float
    is_hidden: bool
    """Whether something in the upper part is redacted."""


def people_in(found: Sequence[Detection], is_hidden: npt.NDArray[np.bool_]) -> list[Person]:
    """
    Args:
        found: people, as often as views show them.
        is_hidden: (H, W): pixels that were redacted.
    """
    return [Person(one.box, one.score, _is_hidden(one.box, is_hidden)) for one in merge_detections(found)]


def log_odds_of(place: Box, people: Sequence[Person]) -> float:
    """How much more likely people make it that a face shows in a place, less likely below 0."""
    faceless = body = SEEN_FROM
    for one in people:
        if not _holds_centre(one.box, place) and not _holds_centre(_upper_part(one.box), place):
            continue
        if not _is_where_a_face_is(place, one.box):
            body = max(body, one.score)
        elif not one.is_hidden:
            faceless = max(faceless, one.score)
    return FACELESS_WEIGHT * _above_least(faceless) + BODY_WEIGHT * _above_least(body)


def _is_where_a_face_is(place: Box, person: Box) -> bool:
    largest = min(LARGEST * person.height, LARGEST_WIDTHS * person.width)
    return SMALLEST * person.height < place.longer_side < largest and _holds_centre(_upper_part(person), place)


def _upper_part(person: Box) -> Box:
    height, width = person.height, person.width
    down = max(UPPER_PART * height, min(WIDTHS_DOWN * width, MOST_DOWN * height))
    return Box(person.x_min, person.y_min - ABOVE * height, person.x_max, person.y_min + down)


def _is_hidden(person: Box, is_hidden: npt.NDArray[np.bool_]) -> bool:
    return bool(is_hidden[slices_around(_upper_part(person), is_hidden.shape)].mean() >= HIDDEN_FROM)


def _holds_centre(box: Box, other: Box) -> bool:
    x, y = other.center
    return box.x_min <= x <= box.x_max and box.y_min <= y <= box.y_max


def _above_least(score: float) -> float:
    """Log odds above those of the least score that counts."""
    score = min(score, CEILING)
    return log(score / (1 - score)) - log(SEEN_FROM / (1 - SEEN_FROM))
