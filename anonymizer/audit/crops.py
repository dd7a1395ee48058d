"""What an attacker cuts out of a picture: the face, turned and scaled so that its landmarks lie where he wants them."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from anonymizer.recognise.align import SIDE, TEMPLATE, Landmarks, similarity
from anonymizer.types import Pixels8

Area = Literal["face", "head", "person"]
"""How much is cut out: from the brows to the chin, as recognisers want it; with hair, ears and neck; or with the
shoulders, clothes and ground as well."""
SHARE_OF_SIDE: dict[Area, float] = {"face": 1.0, "head": 0.55, "person": 0.28}
"""By which the template is scaled, about its centre."""
_GRAY = 128


def cut(pixels: Pixels8, landmarks: Landmarks, side_px: int = SIDE, area: Area = "face") -> Pixels8:
    """
    Args:
        pixels: uint8 (H, W, 3), the original or a redacted picture. It goes on beyond its borders with the colours
            there: a black border would draw a figure that tells the landmarks of the original, and with them who it is.
        landmarks: in pixels of the picture.

    Returns:
        uint8 (side_px, side_px, 3).
    """
    places = _places(area, side_px)
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


def surroundings(pixels: Pixels8, landmarks: Landmarks, side_px: int = SIDE) -> Pixels8:
    """The cut of a person in the original without the head: what no redaction of faces hides.

    One gray covers what the cut of the head shows, before anything is cut, since pictures go on beyond their borders.
    """
    to_picture = cv2.invertAffineTransform(similarity(landmarks, _places("head", side_px)))
    corners = np.array([(0, 0), (side_px, 0), (side_px, side_px), (0, side_px)]) @ to_picture[:, :2].T
    covered = np.array(pixels, np.uint8)
    cv2.fillConvexPoly(covered, np.rint(corners + to_picture[:, 2]).astype(np.int32), (_GRAY,) * 3)
    return cut(covered, landmarks, side_px, "person")


def _places(area: Area, side_px: int) -> Landmarks:
    """Where the landmarks lie in a cut."""
    return ((TEMPLATE - SIDE / 2) * SHARE_OF_SIDE[area] + SIDE / 2) * side_px / SIDE
