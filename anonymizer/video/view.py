"""What detectors are shown of a film: standard brightness and colours, and square pixels, as in the pictures that they
learned from.

HDR films hold signals for other screens, which look pale and flat where they are taken for standard ones. Transfer
functions: SMPTE ST 2084 (PQ), ITU-R BT.2100 (HLG); primaries: ITU-R BT.2087; white: 203 cd/m2, ITU-R BT.2408.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.detect.detector import Detector
from anonymizer.geometry import Box
from anonymizer.kinds import Kind
from anonymizer.outlines import RestOutline, moved
from anonymizer.types import Detection, Pixels8
from anonymizer.video.facts import FilmFacts

PQ, HLG = 16, 18
"""Transfer functions, as ITU-T H.273 counts them."""
BT2020 = 9
"""Primaries."""
WHITE_NITS = 203.0
"""Brightness of a white wall in HDR films."""
SQUARE_ENOUGH = 1.05
"""Pixels squeezed by less than this are shown as they are."""
MOST_SQUEEZED = 4.0
"""What files say beyond this is taken for a mistake."""
_KNEE = 0.7
"""Share of white from which on brightness is compressed."""
_TO_BT709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]], np.float32
)
_STEPS = 65535

Levels: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """How frames of one film are shown."""

    transfer: int = 1
    """PQ and HLG are mapped to standard brightness, others stay."""
    has_wide_colours: bool = False
    stretch: tuple[float, float] = (1.0, 1.0)
    """Of upright frames, horizontally and vertically, 1 and more."""

    @property
    def changes(self) -> bool:
        return self.transfer in (PQ, HLG) or self.stretch != (1.0, 1.0)

    def show(self, pixels: Pixels8) -> Pixels8:
        """An upright frame, uint8 (H, W, 3), RGB, as detectors should see it; it may be larger."""
        if self.transfer in (PQ, HLG):
            pixels = _tone_mapped(pixels, self.transfer, self.has_wide_colours)
        if self.stretch != (1.0, 1.0):
            height, width = pixels.shape[:2]
            size = round(width * self.stretch[0]), round(height * self.stretch[1])
            pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        return pixels

    def back(self, found: Detection) -> Detection:
        """What a detector found in what it was shown, in pixels of the frame."""
        if found.outline is not None and not isinstance(found.outline, RestOutline):
            outline = moved(found.outline, found.box, self._back(found.box))
            return replace(found, box=outline.box, outline=outline)
        extent = None if found.extent is None else self._back(found.extent)
        return replace(found, box=self._back(found.box), extent=extent)

    def place(self, box: Box) -> Box:
        """Where a box of the frame lies in what detectors see."""
        x, y = self.stretch
        return Box(box.x_min * x, box.y_min * y, box.x_max * x, box.y_max * y)

    def _back(self, box: Box) -> Box:
        x, y = self.stretch
        return Box(box.x_min / x, box.y_min / y, box.x_max / x, box.y_max / y)


def view_of(facts: FilmFacts) -> View:
    """How a film is shown to detectors."""
    squeezed = float(facts.sample_aspect_ratio or 1)
    x = y = 1.0
    if SQUARE_ENOUGH <= max(squeezed, 1 / squeezed) <= MOST_SQUEEZED:
        x, y = max(1.0, squeezed), max(1.0, 1 / squeezed)
    return View(
        facts.colour.transfer,
        facts.colour.primaries == BT2020,
        (y, x) if facts.orientation >= 5 else (x, y),
    )


@dataclass(frozen=True)
class ViewingDetector:
    """A detector that sees frames of a film."""

    detector: Detector
    view: View

    @property
    def kinds(self) -> frozenset[Kind]:
        """What it looks for."""
        return self.detector.kinds

    def detect(self, picture: Pixels8) -> list[Detection]:
        """See `Detector`."""
        return [self.view.back(one) for one in self.detector.detect(self.view.show(picture))]


def _tone_mapped(pixels: Pixels8, transfer: int, has_wide_colours: bool) -> Pixels8:
    light = _light_of(transfer)[pixels]
    if has_wide_colours:
        light = np.asarray(cv2.transform(light, _TO_BT709), np.float32)
    steps = (light.clip(0, _MOST_LIGHT) * (_STEPS / _MOST_LIGHT)).astype(np.uint16)
    return _standard()[steps]


_MOST_LIGHT = 8.0
"""Times white, above which everything is shown white."""


@lru_cache(maxsize=2)
def _light_of(transfer: int) -> Levels:
    """(256,): light that a signal of 8 bits stands for, 1 for white."""
    signal = np.arange(256) / 255
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        power = signal ** (1 / m2)
        nits = 10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    else:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
        nits = 1000 * scene**1.2  # on a screen of 1000 cd/m2; its gamma is taken for each colour by itself
    return (nits / WHITE_NITS).astype(np.float32)


@lru_cache(maxsize=1)
def _standard() -> Pixels8:
    """(_STEPS + 1,), uint8: the standard signal for light of 0 to _MOST_LIGHT."""
    light = np.arange(_STEPS + 1) * (_MOST_LIGHT / _STEPS)
    room = 1 - _KNEE
    soft = np.where(light <= _KNEE, light, 1 - room * np.exp(-(light - _KNEE) / room))
    return np.rint(255 * soft ** (1 / 2.2)).astype(np.uint8)
