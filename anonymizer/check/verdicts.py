"""Judges the detections in a picture by comparing them with its record of what was redacted.

A record counts only where the pixels confirm it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.check.detail import is_featureless, is_featureless_within
from anonymizer.check.finding import Finding
from anonymizer.check.thresholds import Thresholds
from anonymizer.detect.tones import to_8_bits
from anonymizer.geometry import slices_around
from anonymizer.kinds import GIVEN_KINDS, TRAITS
from anonymizer.redact.frame import mask_detections, redact_detections
from anonymizer.redact.touched import touched_pixels_at
from anonymizer.settings import Settings
from anonymizer.types import Detection, Pixels, Pixels8

COVERED_FROM = 0.6
"""A detection is explained if this share of the ellipse in its box was redacted: boxes of blurred heads lie askew."""
INSIDE_FROM = 0.6
"""Of half its thickness: so deep in an outline something was seen. Models draw outlines of text around hidden text,
too, and wider than it: by a third of their thickness on every side."""
CONTEXT_PX = 256
"""A redacted area changes what the models see within this distance. Of 28 new detections at the run's threshold, all
more than 32 pixels from any redacted area, one lay further away than 128."""


BROKEN = "recorded as redacted, but the pixels show detail"
MAX_OVERLAY_DIFFERENCE = 16.0
"""Mean difference in levels of 256. JPEG compression changes an overlay by less, a face without one differs by more."""


@dataclass(frozen=True)
class Redacted:
    """The record of a picture, compared with its pixels."""

    is_recorded: bool
    """Whether there is a record at all."""
    mask: npt.NDArray[np.bool_]
    """(H, W): pixels that were certainly redacted."""
    broken: Sequence[Detection] = ()
    """Recorded detections whose pixels do not look redacted."""


def compare_with_record(
    pixels: Pixels, recorded: Sequence[Detection] | None, settings: Settings, zones: Sequence[Detection] = ()
) -> Redacted:
    """
    Args:
        recorded: the detection JSON of the picture; None if it has no record.
        settings: of the anonymizing run: margins and shapes.
        zones: what is hidden in it whatever the record says.
    """
    shape = (pixels.shape[0], pixels.shape[1])
    nothing = np.zeros(shape, bool)
    everything = list(dict.fromkeys([*(recorded or ()), *zones]))
    if not everything:
        return Redacted(recorded is not None, nothing)
    inside = [detection for detection in everything if _touches(detection, shape)]
    mask = mask_detections(pixels, inside, settings.redact) >= 1
    shown = to_8_bits(pixels)
    places = [slices_around(detection.box, shape) for detection in inside]
    is_overlaid = _is_overlaid(pixels, inside, settings)
    is_hidden = [
        settings.redact.method_of(detection.kind) != "none"
        and (_is_smooth(shown, detection, place, mask) or is_overlaid(place, mask[place]))
        for detection, place in zip(inside, places, strict=True)
    ]
    hidden = [detection for detection, hides in zip(inside, is_hidden, strict=True) if hides]
    broken = [detection for detection, hides in zip(inside, is_hidden, strict=True) if not hides]
    sure = mask if not broken else mask_detections(pixels, hidden, settings.redact) >= 1
    return Redacted(recorded is not None, sure, broken)


def _is_smooth(shown: Pixels8, detection: Detection, place: tuple[slice, slice], mask: npt.NDArray[np.bool_]) -> bool:
    outline = detection.outline
    if outline is None:
        return is_featureless(shown[place], mask[place])
    return is_featureless_within(shown[place], touched_pixels_at(outline, place), outline.size_px)


def judge_given(file: str, redacted: Redacted) -> list[Finding]:
    """A finding for each zone and whatever else people hid, if its pixels show what is there: no model looks for it."""
    return [
        Finding(file, one.kind, BROKEN, "finding", one.box, one.score)
        for one in redacted.broken
        if one.kind in GIVEN_KINDS
    ]


def _is_overlaid(
    pixels: Pixels, recorded: Sequence[Detection], settings: Settings
) -> Callable[[tuple[slice, slice], npt.NDArray[np.bool_]], bool]:
    """Returns a test of whether an area shows what `image` or `inpaint` put there: done again, it changes little."""
    if not any(settings.redact.method_of(detection.kind) in ("image", "inpaint") for detection in recorded):
        return lambda place, where: False
    both = to_8_bits(np.concatenate([pixels, redact_detections(pixels, recorded, settings.redact)]))
    differences = np.abs(np.diff(both.astype(np.int16).reshape(2, *pixels.shape), axis=0)[0])

    def is_overlaid(place: tuple[slice, slice], where: npt.NDArray[np.bool_]) -> bool:
        return bool(where.any() and differences[place][where].mean() <= MAX_OVERLAY_DIFFERENCE)

    return is_overlaid


def _touches(detection: Detection, shape: tuple[int, int]) -> bool:
    box = detection.box
    return box.x_min < shape[1] and box.y_min < shape[0] and box.x_max > 0 and box.y_max > 0


def judge(file: str, found: Sequence[Detection], redacted: Redacted, thresholds: Thresholds) -> list[Finding]:
    """One finding for each detection in a picture that is to be published."""
    return [_judge(file, detection, redacted, thresholds) for detection in found]


def _judge(file: str, detection: Detection, redacted: Redacted, thresholds: Thresholds) -> Finding:
    def say(text: str, level: str = "finding") -> Finding:
        return Finding(file, detection.kind, text, level, detection.box, detection.score)  # type: ignore[arg-type]

    if any(_is_centre_in(detection, broken) for broken in redacted.broken):
        return say(BROKEN)
    if covered_share(detection, redacted.mask) >= COVERED_FROM:
        return say("seen again in a redacted area", "noted")
    if TRAITS[detection.kind].resembles_redaction and _is_near(detection, redacted.mask):
        return say("seen near redacted areas, which look like it", "warning")
    if not redacted.is_recorded or detection.score >= thresholds.sure[detection.kind]:
        return say("not redacted")
    if detection.score >= thresholds.run[detection.kind] and not _is_near(detection, redacted.mask):
        return say("not redacted, though recorded detections are, and the models see here what they saw then")
    return say("seen weakly outside the redacted areas", "warning")


def _is_centre_in(detection: Detection, other: Detection) -> bool:
    x, y = detection.box.center
    box = other.redaction_box
    return box.x_min <= x <= box.x_max and box.y_min <= y <= box.y_max


def _is_near(detection: Detection, mask: npt.NDArray[np.bool_]) -> bool:
    return bool(mask[slices_around(detection.box, mask.shape, CONTEXT_PX)].any())


def covered_share(detection: Detection, mask: npt.NDArray[np.bool_]) -> float:
    """The share of the ellipse in the box of a detection that a mask covers, or of the inside of its outline."""
    place = slices_around(detection.box, mask.shape)
    part = mask[place]
    if detection.outline is not None:
        depth = cv2.distanceTransform(touched_pixels_at(detection.outline, place).astype(np.uint8), cv2.DIST_L2, 3)
        return float(part[depth >= INSIDE_FROM * depth.max()].mean())
    rows, columns = ((np.arange(length) + 0.5) / length * 2 - 1 for length in part.shape)
    ellipse = rows[:, np.newaxis] ** 2 + columns**2 <= 1
    return float(part[ellipse].mean())
