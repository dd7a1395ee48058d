"""Looks at the surest objects of a picture in all four ways that it can be turned: the turned look.

A model that knows upright objects has a faint idea of one that lies on its side or upside down, and sees it well once
it is turned. So a few small squares tell whether a whole picture is turned, and which single object is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from anonymizer.detect.description import TurnedLook, ViewSpec
from anonymizer.detect.views import Crop, close_crop
from anonymizer.geometry import Box, hull
from anonymizer.types import Detection, Pixels8

SAME_FROM = 0.25
"""Intersection over union from which on a look shows the same object: the box of a turned object fits badly before."""
DECIDING_SHARE = 0.25
"""Objects with less than this share of the best score do not say how the picture is turned. On held-out pictures with
people, upright and turned, nothing else was decided than with all objects, with 40 % fewer looks at upright ones."""
SIZE_OBJECTS, PLACE_OBJECTS = 8, 16
"""So many objects, the surest, say how large most of them are, and where most of them may be. With 16 and 16, fewer of
the held-out pictures with few faces were turned back, with 6 and 6 fewer of those with crowds."""
UPRIGHT, TURNED = 0, (1, 2, 3)
"""Quarters by which a picture is turned, anticlockwise."""


@dataclass(frozen=True)
class TurnedLooks:
    """What a model sees of the objects in a picture when the picture is turned. Each look is taken once."""

    picture: Pixels8
    """uint8 (H, W, 3), RGB."""
    objects: Sequence[Detection]
    """What was found in the picture as it is, each object once."""
    how: TurnedLook
    find: Callable[[Crop], Sequence[Detection]]
    """Returns what a model finds in a crop, in pixels of the picture."""
    _seen: dict[tuple[Detection, int], Detection | None] = field(default_factory=dict)

    def turn_of_picture(self) -> int:
        """By how many quarters, anticlockwise, the picture must be turned to be upright; 0 if that is not clear."""
        return self._turn_by_surest() or self._turn_by_crowd()

    def _turn_by_surest(self) -> int:
        """The turn in which the surest objects have the largest sum of squared scores, if that is enough."""
        candidates = self._candidates()[: self.how.deciding_objects]
        deciding = [one for one in candidates if one.score >= DECIDING_SHARE * candidates[0].score]
        best, turns = self._needed(self._evidence(deciding, UPRIGHT, 0)), UPRIGHT
        for other in TURNED:
            evidence = self._evidence(deciding, other, best)
            if evidence > best:
                best, turns = evidence, other
        return turns

    def _turn_by_crowd(self) -> int:
        """Where no object is sure: the turn in which the place with most of them has the most evidence, if enough.

        A doubtful object of a crowd says little by itself, and what looks most like one in the wrong turn need not be
        one. Those beside it, which the model did not see at all, show in the right turn.
        """
        candidates = self._candidates()
        if not candidates or candidates[0].score >= self.how.sure_score:
            return UPRIGHT
        size = median(one.box.longer_side for one in candidates[:SIZE_OBJECTS])
        middle = self._middle_of_most(candidates, size * self.how.crowd_side / self.how.crowd_size / 2)
        shown = self.how.crowd_size * middle.longer_side / size
        evidence, turns = max((self._evidence_around(middle, turns, shown), turns) for turns in TURNED)
        if evidence <= self._needed(0):  # whatever the picture shows as it is
            return UPRIGHT
        return turns if evidence > self._needed(self._evidence_around(middle, UPRIGHT, shown)) else UPRIGHT

    def _middle_of_most(self, candidates: Sequence[Detection], reach: float) -> Box:
        """The box within whose reach, in pixels to each side, the scores of the candidates have the largest sum."""
        boxes = (one.box for one in candidates[:PLACE_OBJECTS])
        return max(boxes, key=lambda box: sum(one.score for one in candidates if _is_near(box, one.box, reach)))

    def _evidence_around(self, box: Box, turns: int, size: float) -> float:
        crop = close_crop(self.picture, box, ViewSpec(quarter_turns=turns), size, self.how.crowd_side)
        return sum(one.score**2 for one in self.find(crop))

    def _needed(self, upright: float) -> float:
        """Evidence that must be exceeded, given that for the picture as it is."""
        return self.how.min_ratio * upright + self.how.min_evidence

    def turned_objects(self) -> list[Detection]:
        """What is an object by itself only when it is turned, among the doubtful ones: lying people, for example."""
        doubtful = [
            one
            for one in self._candidates()
            if one.score < self.how.to_score and one.box.longer_side >= self.how.min_size
        ]
        found = []
        for one in doubtful[: self.how.max_objects]:
            seen = _best([self._look(one, turns) for turns in TURNED])
            if seen is not None:
                found.append(_widened(replace(seen, score=seen.score**self.how.score_exponent), one.redaction_box))
        return found

    def _candidates(self) -> list[Detection]:
        """The objects that are sure enough to be looked at, the surest first."""
        chosen = (one for one in self.objects if one.score >= self.how.from_score and one.box.area > 0)
        return sorted(chosen, key=lambda one: -one.score)

    def _evidence(self, objects: Sequence[Detection], turns: int, needed: float) -> float:
        """0 if it cannot be above what is needed; then not all objects are looked at."""
        evidence = 0.0
        for number, one in enumerate(objects):
            if evidence + len(objects) - number <= needed:
                return 0.0
            seen = self._look(one, turns)
            evidence += 0.0 if seen is None else seen.score**2
        return evidence

    def _look(self, one: Detection, turns: int) -> Detection | None:
        """What the model is surest of where the object is."""
        if (one, turns) not in self._seen:
            crop = close_crop(self.picture, one.box, ViewSpec(quarter_turns=turns), self.how.size, self.how.side)
            found = [other for other in self.find(crop) if other.kind == one.kind]
            self._seen[one, turns] = _best([other for other in found if one.box.iou(other.box) > SAME_FROM])
        return self._seen[one, turns]


def _is_near(box: Box, other: Box, reach: float) -> bool:
    """Whether the centre of another box is at most this far from that of a box, to each side, in pixels."""
    return max(abs(a - b) for a, b in zip(box.center, other.center, strict=True)) <= reach


def _best(found: Sequence[Detection | None]) -> Detection | None:
    return max((one for one in found if one is not None), key=lambda one: one.score, default=None)


def _widened(one: Detection, by: Box) -> Detection:
    """The same detection, which hides another box of the same object, too."""
    extent = hull((one.box, by))
    return one if extent == one.box else replace(one, extent=extent)
