"""Finds the landmarks of a face that a detector has found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.errors import ModelError
from anonymizer.geometry import Box, PixelBox
from anonymizer.recognise.align import Landmarks
from anonymizer.types import Pixels8

SCALED_TO_PX = 112
"""The longer side of a face is brought to this size before its landmarks are looked for."""
MARGIN = 0.6
"""By which share of its size the surroundings of a face are shown with it on every side."""
LEAST_SCORE = 0.6
LEAST_IOU = 0.3
"""Between the face that was looked for and the one that the landmarks are of."""


@dataclass(frozen=True, slots=True)
class MarkedFace:
    """A face whose landmarks are known."""

    box: Box
    landmarks: Landmarks
    """In pixels of the picture."""
    score: float
    """How sure the landmarks are, 0..1."""


class LandmarkFinder:
    """YuNet (Wu et al. 2023, doi:10.1007/s11633-023-1423-y), run by OpenCV."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            ModelError: the file is missing or damaged.
        """
        try:
            self._network = cv2.FaceDetectorYN.create(str(path), "", (320, 320), LEAST_SCORE)
        except cv2.error as error:
            raise ModelError(f"model {path} is missing or damaged: {error.err}") from None
        self._lock = Lock()

    def find(self, rgb: Pixels8, box: Box) -> MarkedFace | None:
        """The landmarks of the face in a box; None where no face is seen there again.

        Args:
            rgb: uint8 (H, W, 3), the whole picture.
            box: of the face, in pixels of the picture.
        """
        size = (rgb.shape[0], rgb.shape[1])
        around = PixelBox.around(box, size, margin=MARGIN).inside(size)
        faces = self.find_all(rgb[around.slices], SCALED_TO_PX / max(box.longer_side, 1.0))
        moved = [_moved(face, around.left, around.top) for face in faces]
        best = max(moved, key=lambda face: box.iou(face.box), default=None)
        return best if best is not None and box.iou(best.box) >= LEAST_IOU else None

    def find_all(self, rgb: Pixels8, scale: float) -> list[MarkedFace]:
        """The faces in a picture, uint8 (H, W, 3), with their landmarks.

        Args:
            scale: by which the picture is enlarged before the network looks at it; it knows faces of 10 to 300 pixels.
        """
        height, width = rgb.shape[:2]
        size = (max(16, round(width * scale)), max(16, round(height * scale)))
        scaled = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        with self._lock:
            self._network.setInputSize(size)
            _, rows = self._network.detect(np.ascontiguousarray(scaled[:, :, ::-1]))
        factors = np.array([width / size[0], height / size[1]])
        return [] if rows is None else [_to_face(row, factors) for row in np.asarray(rows, np.float64)]


def _to_face(row: npt.NDArray[np.float64], factors: npt.NDArray[np.float64]) -> MarkedFace:
    """
    Args:
        row: x, y, width and height, five landmarks, score.
        factors: pixels of the picture per pixel of the row, in x and y.
    """
    x_min, y_min = row[:2] * factors
    x_max, y_max = (row[:2] + np.maximum(row[2:4], 0)) * factors
    box = Box(y_min=float(y_min), x_min=float(x_min), y_max=float(y_max), x_max=float(x_max))
    return MarkedFace(box, row[4:14].reshape(5, 2) * factors, float(row[14]))


def _moved(face: MarkedFace, by_x: int, by_y: int) -> MarkedFace:
    box = face.box
    moved = Box(y_min=box.y_min + by_y, x_min=box.x_min + by_x, y_max=box.y_max + by_y, x_max=box.x_max + by_x)
    return replace(face, box=moved, landmarks=face.landmarks + np.array([by_x, by_y]))
