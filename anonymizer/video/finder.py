"""Says what is in single frames of a film, also what is only weakly seen: tracks may confirm it."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from anonymizer.detect.detector import Detector, ThresholdDetector
from anonymizer.detect.frames import ModelFinder
from anonymizer.files.picture import Encoding, Frame, Picture
from anonymizer.kinds import Kind
from anonymizer.pipeline import Finder, find_in
from anonymizer.types import Detection, FrameDetections, Pixels8
from anonymizer.video.facts import FilmFacts
from anonymizer.video.view import ViewingDetector, view_of

WEAK = 0.5
"""Detections from this share of their threshold on may be confirmed by tracks."""


@dataclass
class FrameFinder:
    """Asks a finder of pictures what is in single frames."""

    finder: Finder
    thresholds: dict[Kind, float]
    """What it looks for, with the score from which on a detection is sure."""
    not_counted: int = 0
    """How many detections there were so far where the zones say that nothing counts, weak ones too."""
    known: Mapping[bytes, bytes] = field(default_factory=dict)
    """What other processes found, by the digest of the frame, see `note`."""

    def note(self, pixels: Pixels8) -> tuple[bytes, bytes]:
        """What is in a frame, for another process: the digest of its pixels, and what `known` holds for it.

        The digest cannot be that of another frame, so that one process never takes what is in one frame for what is in
        another. It is packed since a film of hours has many frames.

        Raises:
            PictureError: nothing can be said about the frame.
        """
        return _digest(pixels), pickle.dumps(self._look(pixels))

    def find(self, pixels: Pixels8) -> Sequence[Detection]:
        """What is in an upright frame, uint8 (H, W, 3), RGB; also weak detections, which tracks may confirm.

        Raises:
            PictureError: nothing can be said about the frame.
        """
        packed = self.known.get(_digest(pixels)) if self.known else None
        found: FrameDetections = self._look(pixels) if packed is None else pickle.loads(packed)
        self.not_counted += found.not_counted
        return found.detections

    def _look(self, pixels: Pixels8) -> FrameDetections:
        (found,) = find_in(picture_of(pixels), self.finder)
        return found


def _digest(pixels: Pixels8) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16).digest()


def frame_finder(
    finder: Finder, facts: FilmFacts | None = None, known: Mapping[bytes, bytes] | None = None
) -> FrameFinder:
    """Looks at frames as a finder looks at pictures; by models that can, in views made for films.

    Args:
        facts: of the film, whose HDR frames and squeezed pixels models are shown in their own way, see `view`.
        known: what other processes found in some frames with the same finder, see `FrameFinder.note`.
    """
    if not isinstance(finder, ModelFinder):
        return FrameFinder(finder, dict.fromkeys(finder.kinds, 0.0))
    thresholds: dict[Kind, float] = {}
    for each in finder.detectors:
        for kind, threshold in _thresholds_of(each).items():
            thresholds[kind] = min(threshold, thresholds.get(kind, threshold))
    in_films = [each.for_films(WEAK) if isinstance(each, ThresholdDetector) else each for each in finder.detectors]
    found = replace(finder, detectors=in_films)
    return FrameFinder(found if facts is None else viewing(found, facts), thresholds, known=known or {})


def viewing(finder: Finder, facts: FilmFacts) -> Finder:
    """A finder whose models see frames of a film as `view` shows them; one without models stays as it is."""
    view = view_of(facts)
    if not isinstance(finder, ModelFinder) or not view.changes:
        return finder
    return replace(finder, detectors=[ViewingDetector(each, view) for each in finder.detectors])


def _thresholds_of(detector: Detector) -> dict[Kind, float]:
    """Detectors other than ours have thresholds of their own: what they answer is sure."""
    if isinstance(detector, ThresholdDetector):
        return dict(detector.thresholds)
    return dict.fromkeys(detector.kinds, 0.0)


def picture_of(pixels: Pixels8) -> Picture:
    """A frame as a picture by itself."""
    return Picture((Frame(pixels),), content=b"", encoding=Encoding("PNG"))
