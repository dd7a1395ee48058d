"""How much a face resembles the people of a gallery, and whether it can be told at all.

The limits were chosen on five people of VGGFace with faces of WIDER FACE train as strangers, and measured on twelve
other people with those of WIDER FACE val; `weights/recogniser/README.md` has the figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from anonymizer.geometry import Box
from anonymizer.recognise.align import align, misfit
from anonymizer.recognise.landmarks import LandmarkFinder, MarkedFace
from anonymizer.recognise.recogniser import Recogniser, Vector
from anonymizer.types import Pixels8

SAME_PERSON = 0.5
"""Cosine from which on a face is taken for that of a person. No stranger came above 0.41 in 4,763 comparisons."""
PERHAPS_SAME_PERSON = 0.3
"""Cosine below which it is taken for that of a stranger."""
LEAST_SIDE_PX = 64
"""Of the longer side of a face's box. Smaller faces are doubtful."""
LEAST_LANDMARK_SCORE = 0.8
LARGEST_MISFIT = 0.2
"""Of the landmarks: faces that look aside are doubtful. In distances of the eyes, see `misfit`."""
LEAST_SHARPNESS = 50.0
"""Variance of the Laplacian of the aligned face, in squared levels of 256. Blurred faces are doubtful."""


@dataclass(frozen=True)
class Resemblance:
    """What can be said of one face."""

    vector: Vector | None
    """None where the face is too small, too blurred or turned too far to say whose it is."""
    doubt: str | None = None
    """Why it is None."""


class FaceReader:
    """Reads faces: landmarks, alignment, vector."""

    def __init__(self, landmarks: LandmarkFinder, recogniser: Recogniser) -> None:
        self._landmarks = landmarks
        self._recogniser = recogniser

    def read(self, rgb: Pixels8, box: Box) -> Resemblance:
        """Of the face in a box of a picture, uint8 (H, W, 3)."""
        if box.longer_side < LEAST_SIDE_PX:
            return Resemblance(None, f"is smaller than {LEAST_SIDE_PX} pixels")
        face = self._landmarks.find(rgb, box)
        return Resemblance(None, "shows no landmarks of a face") if face is None else self._read(rgb, face)

    def read_only_face(self, rgb: Pixels8) -> Resemblance:
        """Of the face of a picture that shows one person, uint8 (H, W, 3); smaller ones behind do not count."""
        scale = min(1.0, _LARGEST_SIDE_PX / max(rgb.shape[:2]))
        faces = self._landmarks.find_all(rgb, scale) + self._landmarks.find_all(rgb, scale / 2)
        by_size = sorted(faces, key=lambda face: -face.box.longer_side)
        if not by_size:
            return Resemblance(None, "shows no face")
        largest = by_size[0]
        others = [face for face in by_size if face.box.iou(largest.box) < _SAME_FACE_IOU]
        if any(face.box.longer_side > _LARGEST_OTHER * largest.box.longer_side for face in others):
            return Resemblance(None, "shows more than one face")
        if largest.box.longer_side < LEAST_SIDE_PX:
            return Resemblance(None, f"shows a face smaller than {LEAST_SIDE_PX} pixels")
        return self.read(rgb, largest.box)

    def _read(self, rgb: Pixels8, face: MarkedFace) -> Resemblance:
        if face.score < LEAST_LANDMARK_SCORE:
            return Resemblance(None, "shows its landmarks badly")
        if misfit(face.landmarks) > LARGEST_MISFIT:
            return Resemblance(None, "looks aside")
        aligned = align(rgb, face.landmarks)
        if cv2.Laplacian(cv2.cvtColor(aligned, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var() < LEAST_SHARPNESS:
            return Resemblance(None, "is blurred")
        return Resemblance(self._recogniser.vector_of(aligned))


_LARGEST_SIDE_PX = 640
_SAME_FACE_IOU = 0.3
_LARGEST_OTHER = 0.5
"""Share of the largest face's size up to which another one is in the background."""


def mean_vector(vectors: Sequence[Vector]) -> Vector:
    """What stands for a person of whom there are several faces. Of length 1."""
    total = np.sum(vectors, axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32)


def best_match(vector: Vector, people: Mapping[str, Vector]) -> tuple[str, float]:
    """The person that a face resembles most, and how much: the cosine, -1..1."""
    return max(((name, float(vector @ of_person)) for name, of_person in people.items()), key=lambda match: match[1])
