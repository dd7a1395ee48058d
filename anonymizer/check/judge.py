"""Judges what the detectors see in a picture, in the light of what is recorded to be redacted there.

A record is taken at its word only where the pixels bear it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymizer.check.detail import is_featureless
from anonymizer.check.finding import Finding
from anonymizer.check.place import place_of
from anonymizer.check.sensitive import Thresholds
from anonymizer.pipeline import redact_detections, to_8_bits
from anonymizer.settings import Settings
from anonymizer.types import Detection, Pixels

COVERED_FROM = 0.6
"""A detection is explained if so much of it, without its corners, was redacted: those of blurred heads lie askew."""
CONTEXT_PX = 256
"""How far around itself a redacted area changes what the models see. Of 28 detections at the run's threshold that were
new and lay more than 32 pixels from any redacted area, one lay further away than 128."""


@dataclass(frozen=True)
class Redacted:
    """The record of a picture, compared with its pixels."""

    is_recorded: bool
    """Whether there is a record at all."""
    mask: npt.NDArray[np.bool_]
    """(H, W): what was redacted for sure."""
    broken: Sequence[Detection] = ()
    """Recorded detections whose pixels do not look redacted."""


def compare_with_record(pixels: Pixels, recorded: Sequence[Detection] | None, settings: Settings) -> Redacted:
    """
    Args:
        recorded: what the detection JSON of the picture says; None if there is none.
        settings: of the anonymizing run: margins and shapes.
    """
    shape = (pixels.shape[0], pixels.shape[1])
    nothing = np.zeros(shape, bool)
    if not recorded:
        return Redacted(recorded is not None, nothing)
    inside = [detection for detection in recorded if _touches(detection, shape)]
    mask = redact_detections(pixels, inside, settings)[1] >= 1
    shown = to_8_bits(pixels)
    places = [place_of(detection.box, shape) for detection in inside]
    is_hidden = [is_featureless(shown[place], mask[place]) for place in places]
    hidden = [detection for detection, hides in zip(inside, is_hidden, strict=True) if hides]
    broken = [detection for detection, hides in zip(inside, is_hidden, strict=True) if not hides]
    sure = mask if not broken else redact_detections(pixels, hidden, settings)[1] >= 1
    return Redacted(True, sure, broken)


def _touches(detection: Detection, shape: tuple[int, int]) -> bool:
    box = detection.box
    return box.x_min < shape[1] and box.y_min < shape[0] and box.x_max > 0 and box.y_max > 0


def judge(file: str, found: Sequence[Detection], redacted: Redacted, thresholds: Thresholds) -> list[Finding]:
    """What each detection in a picture that is to be published means."""
    return [_judge(file, detection, redacted, thresholds) for detection in found]


def _judge(file: str, detection: Detection, redacted: Redacted, thresholds: Thresholds) -> Finding:
    def say(text: str, level: str = "finding") -> Finding:
        return Finding(file, detection.kind, text, level, detection.box, detection.score)  # type: ignore[arg-type]

    if any(_is_centre_in(detection, broken) for broken in redacted.broken):
        return say("recorded as redacted, but the pixels show detail")
    if _covered_share(detection, redacted.mask) >= COVERED_FROM:
        return say("seen again in a redacted area", "noted")
    if not redacted.is_recorded or detection.score >= thresholds.sure[detection.kind]:
        return say("not redacted")
    if detection.score >= thresholds.run[detection.kind] and not _is_near(detection, redacted.mask):
        return say("not redacted, though recorded detections are, and the models see here what they saw then")
    return say("seen weakly outside the redacted areas", "warning")


def _is_centre_in(detection: Detection, other: Detection) -> bool:
    x, y = (detection.box.x_min + detection.box.x_max) / 2, (detection.box.y_min + detection.box.y_max) / 2
    box = other.hidden_box
    return box.x_min <= x <= box.x_max and box.y_min <= y <= box.y_max


def _is_near(detection: Detection, mask: npt.NDArray[np.bool_]) -> bool:
    return bool(mask[place_of(detection.box, mask.shape, CONTEXT_PX)].any())


def _covered_share(detection: Detection, mask: npt.NDArray[np.bool_]) -> float:
    """How much of the ellipse in the box of a detection lies under a mask."""
    part = mask[place_of(detection.box, mask.shape)]
    rows, columns = ((np.arange(length) + 0.5) / length * 2 - 1 for length in part.shape)
    ellipse = rows[:, np.newaxis] ** 2 + columns**2 <= 1
    return float(part[ellipse].mean())
