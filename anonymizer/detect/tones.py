"""Brightness and bit depth of what detectors look at, and where an alpha channel shows anything."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from anonymizer.geometry import Box, PixelBox
from anonymizer.types import Alpha, Pixels, Pixels8

FAINT_BELOW = 64
"""Pictures of 8 bits that use fewer levels of brightness are spread out for detection."""
HIGHLIGHTS_FROM = 99.9
"""Percentile of brightness from which on 16-bit pixels are shown white; as few are shown black."""
SAMPLED_LINES = 256
"""Of so many rows or columns, whichever are fewer, the brightness is taken; it hardly differs in between."""
_EXACT = 1 << 24
"""Values below this number can be counted in 32-bit floats, as OpenCV does."""


def to_8_bits(pixels: Pixels) -> Pixels8:
    """A picture as detectors should see it: the range in use, but for a few shadows and highlights, is spread out.

    Pictures of 8 bits stay as they are unless they are so dark or pale that models would miss most of what is there.
    """
    step = max(1, min(pixels.shape[:2]) // SAMPLED_LINES)
    darkest, brightest = _percentiles(pixels[::step, ::step], (100 - HIGHLIGHTS_FROM, HIGHLIGHTS_FROM))
    if pixels.dtype == np.uint8 and not 0 < brightest - darkest < FAINT_BELOW:
        return cast(Pixels8, pixels)
    shown = (pixels.astype(np.float32) - np.float32(darkest)) * np.float32(255 / max(1.0, brightest - darkest))
    return cast(Pixels8, np.rint(shown).clip(0, 255).astype(np.uint8))


def _percentiles(values: Pixels, at: tuple[float, ...]) -> list[float]:
    """What `np.percentile` gives, which sorts; levels of 8 bits are counted here, in a third of the time."""
    if values.dtype != np.uint8:
        return cast(list[float], np.percentile(values, at).tolist())
    counts = cv2.calcHist([values.reshape(-1, 1)], [0], None, [256], [0, 256]) if values.size < _EXACT else None
    up_to = np.cumsum(np.bincount(values.ravel()) if counts is None else counts.ravel().astype(np.int64))
    places = np.asarray(at) / 100 * (values.size - 1)
    below, share = np.floor(places), places % 1
    low, high = (
        np.searchsorted(up_to, np.minimum(place, values.size - 1), side="right") for place in (below, below + 1)
    )
    return cast(list[float], (low + share * (high - low)).tolist())


def to_rgb_8_bits(pixels: Pixels) -> Pixels8:
    """The same, with gray pictures repeated in three channels: uint8 (H, W, 3)."""
    shown = to_8_bits(pixels)
    return shown if shown.shape[2] == 3 else np.repeat(shown, 3, axis=2)


def varies(alpha: Alpha, box: Box) -> bool:
    """Whether an alpha channel has more than one value in and around a box, and so an outline at least."""
    size = (alpha.shape[0], alpha.shape[1])
    return bool(np.ptp(alpha[PixelBox.around(box, size, margin=0.5).inside(size).slices]))
