"""What an attacker cuts out of a picture: the face, turned and scaled so that its landmarks lie where he wants them."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from anonymizer.recognise.align import SIDE, TEMPLATE, Landmarks, similarity
from anonymizer.types import Pixels8

Area = Literal["face", "head"]
"""How much is cut out: from the brows to the chin, as recognisers want it; or with hair, ears and neck."""
SHARE_OF_SIDE: dict[Area, float] = {"face": 1.0, "head": 0.55}
"""By which the template is scaled, about its centre."""


def cut(pixels: Pixels8, landmarks: Landmarks, side_px: int = SIDE, area: Area = "face") -> Pixels8:
    """
    Args:
        pixels: uint8 (H, W, 3), the original or a redacted picture. It goes on beyond its borders with the colours
            there: a black border would draw a figure that tells the landmarks of the original, and with them who it is.
        landmarks: in pixels of the picture.

    Returns:
        uint8 (side_px, side_px, 3).
    """
    share = SHARE_OF_SIDE[area]
    places = ((TEMPLATE - SIDE / 2) * share + SIDE / 2) * side_px / SIDE
    matrix = similarity(landmarks, places)
    factor = float(np.hypot(matrix[0, 0], matrix[0, 1]))
    if factor < 0.5:  # one step of averages, so that large faces do not alias
        shrink = 2 * factor
        size = (max(1, round(pixels.shape[1] * shrink)), max(1, round(pixels.shape[0] * shrink)))
        scale = np.array([size[0] / pixels.shape[1], size[1] / pixels.shape[0]])
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = similarity(landmarks * scale, places)
    warped = cv2.warpAffine(pixels, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)
