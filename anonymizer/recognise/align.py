"""Puts a face where the recogniser expects it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.types import Pixels8

SIDE = 112
"""Pixels of an aligned face, in both directions."""

Landmarks = npt.NDArray[np.float64]
"""(5, 2): x and y of the eyes, the tip of the nose and the corners of the mouth, in pixels; left ones first."""

TEMPLATE: Landmarks = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Where the landmarks lie in an aligned face; the places that ArcFace (Deng et al. 2019, arXiv:1801.07698) uses."""


def align(rgb: Pixels8, landmarks: Landmarks) -> Pixels8:
    """The face, turned, moved and scaled so that its landmarks come closest to the template, uint8 (112, 112, 3)."""
    matrix = similarity(landmarks, TEMPLATE)
    aligned = cv2.warpAffine(rgb, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(aligned, np.uint8)


def similarity(points: Landmarks, places: Landmarks) -> npt.NDArray[np.float64]:
    """The rotation, scaling and shift that bring points closest to places, in the mean of the squares, (2, 3).

    The least squares solution of Umeyama (1991), without reflections: in the plane it is that of complex numbers.
    """
    from_centre, to_centre = points.mean(axis=0), places.mean(axis=0)
    x, y = (points - from_centre).T
    u, v = (places - to_centre).T
    spread = float((x**2 + y**2).sum())
    real, imaginary = float((x * u + y * v).sum()) / spread, float((x * v - y * u).sum()) / spread
    turn = np.array([[real, -imaginary], [imaginary, real]])
    return np.hstack([turn, (to_centre - turn @ from_centre)[:, np.newaxis]])


def misfit(landmarks: Landmarks) -> float:
    """How far the landmarks lie from the template once aligned, as a share of the distance of the eyes.

    The root of the mean of the squares. Faces that look aside have large ones.
    """
    matrix = similarity(landmarks, TEMPLATE)
    placed = landmarks @ matrix[:, :2].T + matrix[:, 2]
    eyes = float(np.linalg.norm(TEMPLATE[1] - TEMPLATE[0]))
    return float(np.sqrt(((placed - TEMPLATE) ** 2).sum(axis=1).mean())) / eyes
