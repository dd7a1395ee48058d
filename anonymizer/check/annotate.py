"""Small and marked copies of pictures, for people to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from anonymizer.check.finding import Finding, Level
from anonymizer.detect.tones import to_rgb_8_bits
from anonymizer.types import Pixels, Pixels8

COLOURS: Mapping[Level, tuple[int, int, int]] = {
    "finding": (255, 40, 40),
    "warning": (255, 200, 0),
    "noted": (120, 200, 255),
    "accepted": (120, 220, 120),
}
ANNOTATED_PX = 8000
"""The longest side of an annotated copy; JPEG allows 65,535 pixels."""
THUMBNAIL_PX = 320
CLOSE_UP_PX = 128
_SURROUNDINGS = 1.5
"""Side of a close-up, as a multiple of the longer side of its box."""


def mark(pixels: Pixels, findings: Sequence[Finding], longest_px: int, labels: bool) -> Pixels8:
    """The picture as a screen shows it, (h, w, 3), shrunk where it is longer, with the boxes of the findings.

    Only findings in the first frame are drawn.

    Args:
        labels: whether to write kinds and scores beside the boxes.
    """
    scale = min(1.0, longest_px / max(pixels.shape[:2]))
    shown = _scaled(to_rgb_8_bits(pixels), scale)
    thickness = max(1, round(max(shown.shape[:2]) / 600))
    size = max(0.35, max(shown.shape[:2]) / 2000)
    for finding in findings:
        if finding.box is None or finding.frame:
            continue
        box, colour = finding.box, COLOURS[finding.level]
        corner = (round(scale * box.x_min), round(scale * box.y_min))
        cv2.rectangle(shown, corner, (round(scale * box.x_max), round(scale * box.y_max)), colour, thickness)
        if labels:
            place = (corner[0], max(round(30 * size), corner[1] - 2 * thickness))
            cv2.putText(shown, finding.label, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, thickness, cv2.LINE_AA)
    return shown


def close_up(pixels: Pixels, finding: Finding) -> Pixels8 | None:
    """The box of a finding and its surroundings, CLOSE_UP_PX along the longer side; None outside the picture.

    Args:
        pixels: of the frame that the finding is in.
    """
    box = finding.box
    if box is None:
        return None
    half = max(8.0, box.longer_side * _SURROUNDINGS / 2)
    x, y = box.center
    top, left = max(0, int(y - half)), max(0, int(x - half))
    part = pixels[top : max(top + 1, int(y + half)), left : max(left + 1, int(x + half))]
    if not part.size:
        return None
    return _scaled(to_rgb_8_bits(part), CLOSE_UP_PX / max(part.shape[:2]))


def _scaled(pixels: Pixels8, scale: float) -> Pixels8:
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    scaled: Pixels8 = cv2.resize(pixels, size, interpolation=interpolation).astype(np.uint8)
    return scaled
