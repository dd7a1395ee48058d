"""Pictures with QR codes of known places, on grounds that resemble nothing in particular."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.geometry import PixelBox
from anonymizer.outlines import PolygonOutline
from anonymizer.redact.mask import draw_mask
from anonymizer.redact.targets import to_targets
from anonymizer.redact.touched import touched_pixels
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection, Pixels8

TEXT = "https://example.org/r/7f3a9c1e"
FINER = 4
"""Pictures are drawn so many times larger first."""
QUIET = 4
"""Light modules around a code, as ISO/IEC 18004 asks for."""

Corners = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DrawnCode:
    """A QR code, and how it lies in a picture."""

    center: tuple[float, float] = (160, 120)
    """x, y."""
    module_px: float = 4.0
    degrees: float = 0.0
    tilt: float = 0.0
    """0 from the front; with 0.4 its far side is seen at less than half the size of its near side."""
    dark: int = 25
    light: int = 235
    logo: float = 0.0
    """Share of its side that a disc in the middle covers."""
    damage: float = 0.0
    """Share of the modules outside of the three finder patterns that are exchanged: too many to be read."""
    text: str = TEXT
    quiet: int = QUIET

    @property
    def modules(self) -> npt.NDArray[np.bool_]:
        """(N, N), True where it is dark."""
        params = cv2.QRCodeEncoder.Params()
        params.correction_level = cv2.QRCodeEncoder_CORRECT_LEVEL_H if self.logo else cv2.QRCodeEncoder_CORRECT_LEVEL_L
        encoded: npt.NDArray[np.bool_] = np.asarray(cv2.QRCodeEncoder.create(params).encode(self.text)) < 128
        rows, columns = np.flatnonzero(encoded.any(axis=1)), np.flatnonzero(encoded.any(axis=0))
        modules = encoded[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()
        count = len(modules)
        if self.damage:
            random, free = np.random.default_rng(0), np.ones((count, count), bool)
            free[:9, :9] = free[:9, -9:] = free[-9:, :9] = False
            modules ^= free & (random.random((count, count)) < self.damage)
        return np.asarray(modules, np.bool_)

    def place(self, points: Corners) -> Corners:
        """Where points (N, 2) of the code lie in the picture; x and y, in modules from its middle."""
        turn = np.radians(self.degrees)
        half = len(self.modules) / 2
        away = 1 + self.tilt * points[:, 1:] / half
        x, y = ((points / away) * self.module_px).T
        turned = np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=1)
        return np.asarray(turned + self.center)

    @property
    def corners(self) -> Corners:
        """(4, 2): of its dark and light modules, without the quiet zone, in pixels of the picture."""
        return self.place(_square(len(self.modules) / 2))


def _square(half: float) -> Corners:
    return np.array([(-half, -half), (half, -half), (half, half), (-half, half)], np.float64)


def ground(height: int, width: int, seed: int = 0) -> Pixels8:
    """A ground of large, coloured patches."""
    random = np.random.default_rng(seed)
    coarse = random.integers(40, 216, (max(2, height // 48), max(2, width // 48), 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def draw(
    codes: Sequence[DrawnCode],
    size: tuple[int, int] = (240, 320),
    blur_px: float = 0.0,
    noise: float = 0.0,
    seed: int = 0,
) -> Pixels8:
    """A picture, uint8 (H, W, 3), of this height and width.

    Args:
        blur_px: standard deviation.
        noise: standard deviation, of 255.
    """
    pixels = _drawn(codes, ground(size[0] * FINER, size[1] * FINER, seed))
    if blur_px:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), blur_px), np.uint8)
    noisy = pixels + np.random.default_rng(seed).normal(0, noise, pixels.shape) if noise else pixels
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def draw_over(picture: Pixels8, codes: Sequence[DrawnCode]) -> Pixels8:
    """A picture, uint8 (H, W, 3), with codes on it."""
    return _drawn(codes, np.asarray(cv2.resize(picture, None, fx=FINER, fy=FINER), np.uint8))


def _drawn(codes: Sequence[DrawnCode], fine: Pixels8) -> Pixels8:
    """
    Args:
        fine: the picture, larger; codes are drawn into it.
    """
    for code in codes:
        _draw_code(code, fine)
    size = fine.shape[1] // FINER, fine.shape[0] // FINER
    return np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.uint8)


def _draw_code(code: DrawnCode, fine: Pixels8) -> None:
    padded = np.pad(code.modules, code.quiet)
    card = np.where(padded, code.dark, code.light).astype(np.uint8)
    card = np.repeat(np.repeat(card, 8, axis=0), 8, axis=1)
    side = card.shape[0]
    if code.logo:
        cv2.circle(
            card, (side // 2, side // 2), round(code.logo * len(code.modules) * 4), (code.light + code.dark) // 2, -1
        )
    there = code.place(_square(len(padded) / 2)) * FINER
    source = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32)
    matrix = cv2.getPerspectiveTransform(source, there.astype(np.float32))
    warped = cv2.warpPerspective(card, matrix, fine.shape[1::-1], flags=cv2.INTER_LINEAR)
    inside = cv2.warpPerspective(np.full_like(card, 255), matrix, fine.shape[1::-1], flags=cv2.INTER_NEAREST) > 0
    fine[inside] = warped[inside][:, np.newaxis]


def hidden_share(corners: Corners, found: Sequence[Detection], size: tuple[int, int]) -> float:
    """The share of a polygon's pixels, in a picture of this height and width, that a usual run hides."""
    blank = np.zeros((*size, 1), np.uint8)
    targets = to_targets(found, size, RedactSettings())
    mask = draw_mask(blank, [target.region for target in targets]).mask
    there = touched_pixels(PolygonOutline(tuple((float(x), float(y)) for x, y in corners)), PixelBox(0, 0, *size))
    return float((mask[there] == 1).mean()) if there.any() else 1.0
