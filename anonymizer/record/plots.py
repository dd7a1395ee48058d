"""Bar charts, drawn with OpenCV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from anonymizer.types import Pixels8

WIDTH_PX, HEIGHT_PX = 640, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 20, 20, 48, 36
"""Pixels around the bars."""
_INK, _GRID, _BAR, _MARK = (34, 34, 34), (204, 204, 204), (42, 111, 151), (176, 0, 32)
"""RGB."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class Bars:
    """What a chart shows."""

    title: str
    """ASCII characters, since OpenCV draws no others."""
    labels: Sequence[str]
    """Below the bars, from the first one on; an empty text leaves one out."""
    values: Sequence[int]
    mark: float | None = None
    """Where a line stands, as a share of the width; None: nowhere."""


def draw_bars(bars: Bars) -> Pixels8:
    """A chart, uint8 (HEIGHT_PX, WIDTH_PX, 3), RGB."""
    pixels: Pixels8 = np.full((HEIGHT_PX, WIDTH_PX, 3), 255, np.uint8)
    bottom, width = HEIGHT_PX - _BOTTOM, WIDTH_PX - _LEFT - _RIGHT
    step, highest = width / len(bars.values), max(1, *bars.values)
    _write(pixels, bars.title, _LEFT, 24, 0.55)
    for index, value in enumerate(bars.values):
        left, right = round(_LEFT + index * step) + 2, round(_LEFT + (index + 1) * step) - 2
        top = bottom - round((bottom - _TOP) * value / highest)
        if value:
            cv2.rectangle(pixels, (left, min(top, bottom - 1)), (right, bottom), _BAR, cv2.FILLED)
            _write_centred(pixels, _short(value), (left + right) // 2, top - 4)
        _write_centred(pixels, bars.labels[index], (left + right) // 2, bottom + 16)
    cv2.line(pixels, (_LEFT, bottom), (WIDTH_PX - _RIGHT, bottom), _GRID, 1)
    if bars.mark is not None:
        x = round(_LEFT + bars.mark * width)
        cv2.line(pixels, (x, _TOP - 10), (x, bottom), _MARK, 1)
    return pixels


def stack(charts: Sequence[Pixels8]) -> Pixels8:
    """Charts below each other; a white pixel if there are none."""
    return np.vstack(charts) if charts else np.full((1, 1, 3), 255, np.uint8)


def _write_centred(pixels: Pixels8, text: str, x: int, y: int) -> None:
    (width, _), _ = cv2.getTextSize(text, _FONT, 0.36, 1)
    _write(pixels, text, x - width // 2, y, 0.36)


def _write(pixels: Pixels8, text: str, x: int, y: int, size: float) -> None:
    cv2.putText(pixels, text, (x, y), _FONT, size, _INK, 1, cv2.LINE_AA)


def _short(value: int) -> str:
    """At most five characters: 12345 is 12k."""
    for unit, name in ((10**9, "G"), (10**6, "M"), (10**4, "k")):
        if value >= unit:
            return f"{value // min(unit, 1000 if name == 'k' else unit)}{name}"
    return str(value)
