"""What a run found, in numbers, and which of its pictures need an eye first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from anonymizer.kinds import KINDS, Kind
from anonymizer.record.recorded import RecordedPicture, RecordedPictures
from anonymizer.record.recording import Recording
from anonymizer.types import Detection

DOUBT = 0.3
"""A detection is doubtful up to this share of the way from the threshold to 1.

Of 1,219 detections in 100 annotated pictures, by the bundled face model, 74 % of those below were no face, and 3 % of
those above: 84, 69, 51, 21 % by tenths from the threshold on, then 7 % up to 0.6, and 1 %.
"""
TINY_PX = 16
"""An object is tiny if its shorter side is below that: of such faces models miss most."""
SIZES_PX = (8, 16, 32, 64, 128, 256)
"""Limits between the classes of sizes."""
SCORE_CLASSES = 20
"""So many classes of scores, all equally wide, from 0 to 1."""


@dataclass
class KindStatistics:
    """All detections of a kind."""

    number: int = 0
    doubtful: int = 0
    tiny: int = 0
    scores: list[int] = field(default_factory=lambda: [0] * SCORE_CLASSES)
    """How many there are in each class of scores."""
    sizes: list[int] = field(default_factory=lambda: [0] * (len(SIZES_PX) + 1))
    """How many there are in each class of sizes, by their shorter sides."""


@dataclass(frozen=True)
class Concern:
    """Why a picture needs an eye."""

    picture: str
    failure: str | None = None
    """Why nothing is known of it."""
    doubtful: Mapping[Kind, int] = field(default_factory=dict)
    tiny: Mapping[Kind, int] = field(default_factory=dict)
    lowest: float = 1.0
    """The lowest of its doubtful scores, as the share of the way from the threshold to 1."""

    @property
    def urgency(self) -> tuple[bool, int, float, int, str]:
        """Sorts the most urgent first: failures, then by the number of doubtful objects, and of tiny ones."""
        doubtful, tiny = sum(self.doubtful.values()), sum(self.tiny.values())
        return self.failure is None, -doubtful, self.lowest, -tiny, self.picture


@dataclass
class Statistics:
    """Of a run."""

    pictures: int = 0
    without_detections: int = 0
    kinds: dict[Kind, KindStatistics] = field(default_factory=dict)
    """Of the kinds that were looked for or found."""
    concerns: list[Concern] = field(default_factory=list)
    """The most urgent first."""

    @property
    def failures(self) -> int:
        return sum(concern.failure is not None for concern in self.concerns)


def collect_statistics(pictures: RecordedPictures) -> Statistics:
    """Of all frames of all pictures; of films, of their tracks."""
    thresholds = thresholds_of(pictures.recording)
    statistics = Statistics(kinds={kind: KindStatistics() for kind in pictures.recording.kinds})
    for picture in pictures:
        concern = _add(statistics, picture, thresholds)
        if concern.doubtful or concern.tiny:
            statistics.concerns.append(concern)
    statistics.concerns += [Concern(name, failure=reason) for name, reason in pictures.problems.items()]
    statistics.concerns.sort(key=lambda concern: concern.urgency)
    return statistics


def thresholds_of(recording: Recording) -> dict[Kind, float]:
    """From which score on a run took detections; 0 where nobody knows."""
    lowest: dict[Kind, float] = {}
    for model in recording.models:
        for kind, threshold in model.thresholds.items():
            lowest[kind] = min(threshold, lowest.get(kind, 1.0))
    return {kind: lowest.get(kind, 0.0) for kind in KINDS}


def _add(statistics: Statistics, picture: RecordedPicture, thresholds: Mapping[Kind, float]) -> Concern:
    doubtful: dict[Kind, int] = {}
    tiny: dict[Kind, int] = {}
    surest_share = 1.0
    detections = _objects_of(picture)
    for detection in detections:
        kind = detection.kind
        numbers = statistics.kinds.setdefault(kind, KindStatistics())
        size_px = min(detection.box.width, detection.box.height)
        numbers.number += 1
        numbers.scores[min(int(detection.score * SCORE_CLASSES), SCORE_CLASSES - 1)] += 1
        numbers.sizes[sum(size_px >= limit for limit in SIZES_PX)] += 1
        share = _certainty(detection, thresholds[kind])
        if share < DOUBT:
            numbers.doubtful += 1
            doubtful[kind] = doubtful.get(kind, 0) + 1
            surest_share = min(surest_share, share)
        if size_px < TINY_PX:
            numbers.tiny += 1
            tiny[kind] = tiny.get(kind, 0) + 1
    statistics.pictures += 1
    statistics.without_detections += not detections
    return Concern(picture.name, None, doubtful, tiny, surest_share)


def _objects_of(picture: RecordedPicture) -> list[Detection]:
    """All detections; of a film each track once, where it was seen best, and what stands still once."""
    detections = [detection for frame in picture.frames for detection in frame.detections]
    if not picture.is_film:
        return detections
    best: dict[object, Detection] = {}
    for one in detections:
        key = one if one.track is None else one.track
        if key not in best or one.score > best[key].score:
            best[key] = one
    return list(best.values())


def _certainty(detection: Detection, threshold: float) -> float:
    """Share of the way from the threshold to 1; 1 where there is no threshold, as for what people drew."""
    return (detection.score - threshold) / (1 - threshold) if 0 < threshold < 1 else 1.0


def size_classes() -> Sequence[str]:
    """The classes of sizes in words, in pixels."""
    between = [f"{low}-{high}" for low, high in pairwise(SIZES_PX)]
    return [f"< {SIZES_PX[0]}", *between, f">= {SIZES_PX[-1]}"]
