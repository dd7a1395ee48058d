"""Detections in the frames of a picture: in their pixels and in their alpha channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from anonymizer.detect.detector import Detector
from anonymizer.detect.load import load_detectors
from anonymizer.detect.merge import merge_detections
from anonymizer.detect.panorama import unwrap, wrap
from anonymizer.detect.tones import to_rgb_8_bits, varies
from anonymizer.detect.zones import keep_in_zones
from anonymizer.files.frames import turn_frame
from anonymizer.files.orientation import turn_box_back, turn_outline_back
from anonymizer.files.picture import Frame, Picture
from anonymizer.kinds import Kind
from anonymizer.outlines import RestOutline
from anonymizer.settings import DetectSettings, Projection
from anonymizer.types import Alpha, Detection, FrameDetections, Job, Pixels


@dataclass(frozen=True)
class ModelFinder:
    """Finds by models; the `Finder` of a usual run."""

    detectors: Sequence[Detector]
    settings: DetectSettings

    @property
    def kinds(self) -> frozenset[Kind]:
        """What the models look for."""
        return frozenset(kind for detector in self.detectors for kind in detector.kinds)

    def find(self, picture: Picture, job: Job | None = None) -> list[FrameDetections]:
        """What is found in each frame by itself.

        Raises:
            PictureError: a model gave no usable answer.
        """
        return [find_in_frame(frame, self.detectors, self.settings) for frame in picture.frames]


def load_finder(settings: DetectSettings) -> ModelFinder:
    """A finder with the models for all wanted kinds.

    Raises:
        ModelError: a model is missing, damaged or not a detection model.
    """
    return ModelFinder(load_detectors(settings), settings)


def find_in_frame(frame: Frame, detectors: Sequence[Detector], settings: DetectSettings) -> FrameDetections:
    """What is found in the colours of a frame, its further bands and its alpha channel, as far as zones let it count.

    Raises:
        PictureError: a model gave no usable answer.
    """
    size = (frame.pixels.shape[0], frame.pixels.shape[1])
    found = merge_detections(list(_find_each_way(frame, detectors, settings.projection)))
    counted = keep_in_zones(found, size, settings)
    in_alpha = None if frame.alpha is None else [one for one in counted if varies(frame.alpha, one.redaction_box)]
    return FrameDetections(counted, in_alpha, len(found) - len(counted))


def _find_each_way(frame: Frame, detectors: Sequence[Detector], projection: Projection) -> Iterator[Detection]:
    """What is found in a frame; where it is in doubt which way is up, also what is found in the other ways."""
    yield from _find_in_planes(frame, detectors, projection)
    for turn in frame.other_turns:
        turned = turn_frame(frame, turn)
        size = (turned.pixels.shape[0], turned.pixels.shape[1])
        for one in _find_in_planes(turned, detectors, projection):
            yield _turned_back(one, turn, size)


def _find_in_planes(frame: Frame, detectors: Sequence[Detector], projection: Projection) -> list[Detection]:
    """What is found in colours, further bands and alpha."""
    found = detect(frame.view, detectors, projection)
    found += [one for band in frame.bands if np.ptp(band) for one in detect(band, detectors, projection)]
    return [*found, *detect_in_alpha(frame.alpha, detectors, projection)]


def _turned_back(found: Detection, turn: int, size: tuple[int, int]) -> Detection:
    """A detection in a picture of this height and width that was turned, where it lies in the picture before."""
    if found.outline is not None and not isinstance(found.outline, RestOutline):
        outline = turn_outline_back(found.outline, turn, size)
        return replace(found, box=outline.box, outline=outline)
    extent = None if found.extent is None else turn_box_back(found.extent, turn, size)
    return replace(found, box=turn_box_back(found.box, turn, size), extent=extent)


def spread_to_neighbours(found: Sequence[FrameDetections], is_animation: bool) -> list[FrameDetections]:
    """What to redact in each frame: in animations also what is found in the frames directly before and after.

    Models lose an object in single frames, which would show it.
    """
    if not is_animation:
        return list(found)
    everywhere, in_alpha = [frame.detections for frame in found], [frame.to_hide_in_alpha for frame in found]
    return [FrameDetections(_near(everywhere, number), _near(in_alpha, number)) for number in range(len(found))]


def _near(frames: Sequence[Sequence[Detection]], number: int) -> list[Detection]:
    """What is in a frame and in the two beside it, each once: a zone is in all of them.

    What is kept in a frame is not hidden because it is not kept in the next one.
    """
    near = [
        one
        for other in range(max(0, number - 1), min(len(frames), number + 2))
        for one in frames[other]
        if other == number or not isinstance(one.outline, RestOutline)
    ]
    return list(dict.fromkeys(near))


def detect(pixels: Pixels, detectors: Sequence[Detector], projection: Projection = "flat") -> list[Detection]:
    """Everything that any of the detectors finds in a picture, gray or RGB, of 8 or 16 bits, (H, W, C).

    Raises:
        PictureError: a model gave no usable answer.
    """
    rgb = to_rgb_8_bits(pixels)
    if projection == "flat":
        return merge_detections([found for detector in detectors for found in detector.detect(rgb)])
    wrapped, width = wrap(rgb), rgb.shape[1]
    return merge_detections([part for each in detectors for part in unwrap(each.detect(wrapped), width)])


def detect_in_alpha(alpha: Alpha | None, detectors: Sequence[Detector], projection: Projection) -> list[Detection]:
    """What an alpha channel shows by itself, in front of something bright or of something dark."""
    if alpha is None or not np.ptp(alpha):
        return []
    plane = alpha[:, :, np.newaxis]
    return merge_detections([*detect(plane, detectors, projection), *detect(~plane, detectors, projection)])
