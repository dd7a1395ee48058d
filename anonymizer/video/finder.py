"""Says what is in single frames of a film, also what is only weakly seen: tracks may confirm it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from anonymizer.detect.detector import Detector
from anonymizer.detect.frames import ModelFinder, detect
from anonymizer.detect.signature import SignatureDetector
from anonymizer.detect.zones import keep_in_zones
from anonymizer.files.picture import Encoding, Frame, Picture
from anonymizer.kinds import Kind
from anonymizer.pipeline import Finder, find_in
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, Pixels8

WEAK = 0.5
"""Detections from this share of their threshold on may be confirmed by tracks."""


class FrameFinder(Protocol):
    """Says what is in a single frame."""

    @property
    def thresholds(self) -> Mapping[Kind, float]:
        """What it looks for, with the score from which on a detection is sure."""

    @property
    def not_counted(self) -> int:
        """How many detections there were so far where the zones say that nothing counts."""

    def find(self, pixels: Pixels8) -> Sequence[Detection]:
        """What is in an upright frame, uint8 (H, W, 3), RGB; also weak detections, which tracks may confirm.

        Raises:
            PictureError: nothing can be said about the frame.
        """


def frame_finder(finder: Finder) -> FrameFinder:
    """Looks at frames as a finder looks at pictures; by models that can, in views made for films."""
    if isinstance(finder, ModelFinder):
        return _ModelFrameFinder(finder.detectors, finder.settings)
    return _PictureFrameFinder(finder)


class _ModelFrameFinder:
    """Asks models."""

    def __init__(self, detectors: Sequence[Detector], settings: DetectSettings) -> None:
        self._settings = settings
        self._detectors = [each.for_films(WEAK) if isinstance(each, SignatureDetector) else each for each in detectors]
        # Other detectors have thresholds of their own: what they answer is sure.
        self.thresholds: dict[Kind, float] = {}
        for each in detectors:
            of_kinds = each.thresholds if isinstance(each, SignatureDetector) else dict.fromkeys(each.kinds, 0.0)
            for kind, threshold in of_kinds.items():
                self.thresholds[kind] = min(threshold, self.thresholds.get(kind, threshold))
        self.not_counted = 0

    def find(self, pixels: Pixels8) -> list[Detection]:
        found = detect(pixels, self._detectors, self._settings.projection)
        counted = keep_in_zones(found, (pixels.shape[0], pixels.shape[1]), self._settings)
        self.not_counted += sum(one.score >= self.thresholds[one.kind] for one in found if one not in counted)
        return counted


class _PictureFrameFinder:
    """Asks a finder of pictures, all of whose answers are sure."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self.thresholds = dict.fromkeys(finder.kinds, 0.0)
        self.not_counted = 0

    def find(self, pixels: Pixels8) -> Sequence[Detection]:
        picture = Picture((Frame(pixels),), content=b"", encoding=Encoding("PNG"))
        (found,) = find_in(picture, self._finder)
        self.not_counted += found.not_counted
        return found.detections
