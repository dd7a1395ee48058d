"""Where a face may have been missed: evidence that the anonymizing run did not use.

What a run missed because its model was not sure, the same model sees with a low score in the gate too. So the gate
also looks for heads, from any side, and for whole people, and looks closely, also turned, at each place in doubt. One
score for all that says how likely it is that a face shows there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log
from typing import Protocol

import numpy as np
import numpy.typing as npt

from anonymizer.check.finding import Finding
from anonymizer.check.people import SEEN_FROM, Person, log_odds_of, people_in
from anonymizer.check.verdicts import COVERED_FROM, covered_share
from anonymizer.detect.catalogue import find_models
from anonymizer.detect.detector import Detector
from anonymizer.detect.load import load_model
from anonymizer.detect.merge import merge_detections
from anonymizer.detect.signature import SignatureDetector
from anonymizer.detect.tones import to_rgb_8_bits
from anonymizer.detect.zones import keep_in_zones
from anonymizer.geometry import Box
from anonymizer.kinds import DEFAULT_KINDS, PEOPLE_KINDS, Kind
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, Pixels, Pixels8

FACE: Kind = "face"
HEAD: Kind = PEOPLE_KINDS[0]
PERSON: Kind = "person"
UNHIDDEN = "a head outside the redacted areas: a face may have been missed"
OTHERS_PRESET = "fast"
"""Heads and people are looked for in two small views each, at a quarter and a third of the cost of faces."""
HEADS_FROM = 0.1
"""Score of heads that are places in doubt."""
CLOSE_FROM = 0.02
"""Score down to which a close look sees something."""
SMALLEST_HEAD_PX = 16
"""Longer side. There are hundreds of smaller ones in any pattern."""
MAX_HEADS = 20
"""So many heads of a picture are looked at, the surest first: a time limit."""
FACE_PX, HEAD_PX, SIDE_PX = 40, 48, 96
"""Longer side of a place in doubt in the close looks for faces and heads; height and width of what is seen."""
FACE_TURNS, HEAD_TURNS = (1, 2, 3), (0, 2)
# Fitted by logistic regression to places in doubt in redacted pictures: 133 of WIDER train, of which parts were turned,
# dark, blurred, shrunk or covered so that the run missed 143 faces, and 70 held-out ones of SCUT-HEAD B with 224 heads
# that nobody hid. In these pictures, among the first so many places as there are pictures were 37 of those faces, and
# 60 % were such heads. By the score of the face model alone these are 29 and 13 %, by the head model's 6 and 53 %.
# How many faces were found nearby, and of what size, added nothing.
INTERCEPT = 1.4
WEIGHTS = (0.3, 1.0, 0.55, 0.45)
"""Of the log odds of the score as a face and as a head, and of the close looks for faces and for heads."""
FLOORS = (0.05, 0.05, 0.03, 0.03)
"""Lower scores count as these."""
CEILING = 0.95
SAME_FROM = 0.25
"""Intersection over union from which on a close look shows the same object."""
UNLIKELY_BELOW = 0.1
"""Heads that are less likely to show a face are not even noted."""
OTHERS = 0.36
"""A plate at the same share of its threshold as a face counts as much."""


class CloseDetector(Detector, Protocol):
    """A detector that can look at one place alone."""

    def look_closely(self, picture: Pixels8, box: Box, size: float, side: int, turns: int = 0) -> list[Detection]:
        """See `SignatureDetector.look_closely`."""


@dataclass(frozen=True)
class SecondOpinion:
    """Says how likely it is that a face was missed somewhere."""

    faces: CloseDetector
    heads: CloseDetector
    settings: DetectSettings
    """Its zones say where nothing counts."""
    people: Detector | None = None
    """Finds whole people. Without it they say nothing."""

    def weigh(
        self, verdicts: Sequence[Finding], file: str, pixels: Pixels, is_hidden: npt.NDArray[np.bool_]
    ) -> list[Finding]:
        """The same findings; the score of each warning is that of all evidence, and there are new warnings.

        Args:
            verdicts: on what the models of the run see in a picture.
            pixels: of that picture, upright, uint8 or uint16 (H, W, C).
            is_hidden: (H, W).

        Raises:
            PictureError: a model gave no usable answer.
        """
        shown = to_rgb_8_bits(pixels)
        heads = self._heads_outside(shown, is_hidden)
        people = [] if self.people is None else people_in(self.people.detect(shown), is_hidden)
        weighed = []
        for verdict in verdicts:
            same = [head for head in heads if verdict.box is not None and _holds(head.box, verdict.box)]
            heads = [head for head in heads if head not in same]
            weighed.append(self._weigh(verdict, shown, max((head.score for head in same), default=0.0), people))
        for head in heads[:MAX_HEADS]:
            score = self._probability(shown, head.box, 0.0, head.score, people)
            if score >= UNLIKELY_BELOW:
                weighed.append(Finding(file, FACE, UNHIDDEN, "warning", head.box, score))
        return weighed

    def _heads_outside(self, shown: Pixels8, is_hidden: npt.NDArray[np.bool_]) -> list[Detection]:
        """The surest first."""
        found = merge_detections(self.heads.detect(shown))
        large = [one for one in found if one.box.longer_side >= SMALLEST_HEAD_PX]
        outside = [one for one in large if covered_share(one, is_hidden) < COVERED_FROM]
        return keep_in_zones(outside, (shown.shape[0], shown.shape[1]), self.settings)

    def _weigh(self, verdict: Finding, shown: Pixels8, head: float, people: Sequence[Person]) -> Finding:
        if verdict.level != "warning" or verdict.box is None or verdict.score is None:
            return verdict
        if verdict.kind != FACE:
            return replace(verdict, score=OTHERS * verdict.score)
        return replace(verdict, score=self._probability(shown, verdict.box, verdict.score, head, people))

    def _probability(self, shown: Pixels8, box: Box, face: float, head: float, people: Sequence[Person]) -> float:
        """How likely it is that a face shows in a box, by its scores as a face and a head, close looks and people."""
        close_face = max(_best(self.faces, shown, box, FACE_PX, turns) for turns in FACE_TURNS)
        close_heads = [_best(self.heads, shown, box, HEAD_PX, turns) for turns in HEAD_TURNS]
        evidence = (face, head, close_face, sum(close_heads) / len(close_heads))
        odds = INTERCEPT + sum(
            weight * _log_odds(min(max(score, floor), CEILING))
            for weight, score, floor in zip(WEIGHTS, evidence, FLOORS, strict=True)
        )
        odds += log_odds_of(box, people)
        return 1 / (1 + exp(-odds))


def _best(detector: CloseDetector, shown: Pixels8, box: Box, size: float, turns: int) -> float:
    """The best score in a close look at a box of what may be the object in it: a face is smaller than its head."""
    found = detector.look_closely(shown, box, size, SIDE_PX, turns)
    return max((one.score for one in found if _is_same(one.box, box)), default=0.0)


def _is_same(found: Box, box: Box) -> bool:
    return found.iou(box) > SAME_FROM or (_holds(found, box) and box.area / 6 < found.area < 2 * box.area)


def _holds(box: Box, other: Box) -> bool:
    """Whether the centre of another box lies in a box."""
    x, y = other.center
    return box.x_min <= x <= box.x_max and box.y_min <= y <= box.y_max


def _log_odds(score: float) -> float:
    return log(score / (1 - score))


def load_second_opinion(settings: DetectSettings) -> SecondOpinion | None:
    """None where no faces are looked for, or where there is no model for faces or none for heads.

    Raises:
        ModelError: a model is missing, damaged or not a detection model.
    """
    if FACE not in (settings.kinds or DEFAULT_KINDS):
        return None
    models = find_models(settings.weights)
    face = next((one for one in models if FACE in one.found_kinds and settings.preset in one.views), None)
    head = next((one for one in models if HEAD in one.found_kinds and OTHERS_PRESET in one.views), None)
    person = next((one for one in models if PERSON in one.found_kinds and OTHERS_PRESET in one.views), None)
    if face is None or head is None:
        return None
    return SecondOpinion(
        SignatureDetector(face, load_model(face), settings.preset, {FACE: CLOSE_FROM}),
        SignatureDetector(head, load_model(head), OTHERS_PRESET, {HEAD: HEADS_FROM}),
        settings,
        None if person is None else SignatureDetector(person, load_model(person), OTHERS_PRESET, {PERSON: SEEN_FROM}),
    )
