"""Simple drawings, which the method `image` shows where it has no overlay."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.settings import Drawing

SIDE_PX = 512
_YELLOW = (255, 205, 60, 255)
_DARK = (70, 50, 20, 255)
_RED = (214, 40, 57, 255)

Rgba = npt.NDArray[np.uint8]
"""RGBA, uint8 (SIDE_PX, SIDE_PX, 4), opaque where something is drawn."""


def draw_face() -> Rgba:
    """A plain yellow face."""
    face = _empty()
    cv2.circle(face, (256, 256), 254, _YELLOW, -1, cv2.LINE_AA)
    for x in (176, 336):
        cv2.ellipse(face, (x, 200), (26, 40), 0, 0, 360, _DARK, -1, cv2.LINE_AA)
    cv2.ellipse(face, (256, 290), (130, 100), 0, 20, 160, _DARK, 22, cv2.LINE_AA)
    return face


def draw_heart() -> Rgba:
    """A red heart: x = 16 sin^3 t, y = 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t."""
    heart = _empty()
    t = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    corners = np.stack([256 + x * 15.5, 240 - y * 15.5], axis=1)
    cv2.fillPoly(heart, [np.rint(corners).astype(np.int32)], _RED, cv2.LINE_AA)
    return heart


def draw_fist() -> Rgba:
    """A raised fist: four fingers, a thumb across them, and a wrist."""
    fist = _empty()
    _block(fist, (150, 300), (362, 510))
    _block(fist, (96, 150), (416, 400))
    for left, top in ((96, 104), (176, 76), (256, 84), (336, 116)):
        _block(fist, (left, top), (left + 80, 280))
    _block(fist, (60, 236), (316, 326))
    return fist


def _block(picture: Rgba, corner: tuple[int, int], other: tuple[int, int]) -> None:
    """A rectangle with round corners and a rim."""
    radius, (left, top), (right, bottom) = 36, corner, other
    for grown, color in ((0, _DARK), (-10, _YELLOW)):
        inner = radius + grown
        begin, end = (left + radius, top + radius), (right - radius, bottom - radius)
        cv2.rectangle(picture, (begin[0], begin[1] - inner), (end[0], end[1] + inner), color, -1)
        cv2.rectangle(picture, (begin[0] - inner, begin[1]), (end[0] + inner, end[1]), color, -1)
        for x in (begin[0], end[0]):
            for y in (begin[1], end[1]):
                cv2.circle(picture, (x, y), inner, color, -1, cv2.LINE_AA)


def _empty() -> Rgba:
    return np.zeros((SIDE_PX, SIDE_PX, 4), np.uint8)


DRAW: Mapping[Drawing, Callable[[], Rgba]] = {"face": draw_face, "heart": draw_heart, "fist": draw_fist}
