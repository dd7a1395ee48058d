"""How much of a picture a redaction changes: where something is hidden, and elsewhere, where nothing should change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.audit.leak import changed_pixels
from anonymizer.types import Pixels8

Flags: TypeAlias = npt.NDArray[np.bool_]

LEAST_SIDE_PX = 6
"""Changed areas that are smaller in a direction are taken for what encoding anew did, not for something hidden."""
AROUND_PX = 9
HIDDEN_LEVELS = 16
"""Where nobody knows what may be hidden, it is where the mean difference around a pixel is larger than this. JPEG files
of quality 75 reach 12 in fine detail."""
RIM = 0.5
RIM_PX = 4
"""What is hidden may end softly: so far around it, as a share of its size and in pixels, changes belong to it."""
COLOUR_LEVELS = 8
"""Colours are counted in so many levels for each of red, green and blue."""


@dataclass(frozen=True)
class Change:
    """What differs between a picture and what was made of it."""

    hidden: float
    """Share of the picture in which something is hidden."""
    changed_outside: float
    """Share of the pixels that differ at all, of those that lie outside of what is hidden."""
    largest_outside: int
    """Largest difference there, in levels, 0..255."""
    edges_outside: float
    """Strength of the edges there beside that in the original, summed up; 1: the same."""
    colours: float
    """How much the colours of the whole picture are as they were, 0..1: the part that both histograms share."""


def change(original: Pixels8, redacted: Pixels8, allowed: Flags | None = None) -> Change:
    """
    Args:
        original: uint8 (H, W, 3).
        redacted: of the same size.
        allowed: where something may be hidden, (H, W); None: not known.
    """
    hidden, outside = hidden_and_outside(original, redacted, allowed)
    difference = cv2.absdiff(original, redacted).max(axis=2)[outside]
    # An edge is what lies around a pixel: all of it must lie outside.
    wholly = cv2.erode(outside.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    before, after = (_edges(pixels)[wholly].sum() for pixels in (original, redacted))
    return Change(
        hidden=float(hidden.mean()),
        changed_outside=float((difference > 0).mean()) if difference.size else 0.0,
        largest_outside=int(difference.max(initial=0)),
        edges_outside=float(after / before) if before > 0 else 1.0,
        colours=float(np.minimum(_colours(original), _colours(redacted)).sum()),
    )


def hidden_and_outside(original: Pixels8, redacted: Pixels8, allowed: Flags | None = None) -> tuple[Flags, Flags]:
    """Where something is hidden, and what lies outside of that, both bool (H, W).

    Where nobody knows what may be hidden, it is what has changed visibly, with a rim around it.
    """
    if allowed is not None:
        return changed_pixels(original, redacted) & allowed, ~allowed
    difference = cv2.absdiff(original, redacted).max(axis=2)
    is_dense = cv2.blur(difference.astype(np.float32), (AROUND_PX, AROUND_PX)) > HIDDEN_LEVELS
    changed = changed_pixels(original, redacted) & is_dense
    height, width = changed.shape
    hidden, outside = np.zeros_like(changed), np.ones_like(changed)
    _, parts, areas, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8), connectivity=8)
    for number, (left, top, across, down, _) in enumerate(areas.tolist()):
        if number == 0 or min(across, down) < LEAST_SIDE_PX:
            continue
        here = slice(top, top + down), slice(left, left + across)
        hidden[here] |= parts[here] == number
        by_x, by_y = round(RIM * across) + RIM_PX, round(RIM * down) + RIM_PX
        rows = slice(max(0, top - by_y), min(height, top + down + by_y))
        outside[rows, max(0, left - by_x) : min(width, left + across + by_x)] = False
    return hidden, outside


def _edges(pixels: Pixels8) -> npt.NDArray[np.float32]:
    """Strength of the gradient of the brightness, (H, W)."""
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    x, y = (cv2.Sobel(gray, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    return np.asarray(cv2.magnitude(x, y), np.float32)


def _colours(pixels: Pixels8) -> npt.NDArray[np.float64]:
    """Share of the pixels with each colour."""
    levels = (pixels.astype(np.int32) * COLOUR_LEVELS) // 256
    numbers = (levels[..., 0] * COLOUR_LEVELS + levels[..., 1]) * COLOUR_LEVELS + levels[..., 2]
    counts = np.bincount(numbers.ravel(), minlength=COLOUR_LEVELS**3)
    return np.asarray(counts / numbers.size, np.float64)
