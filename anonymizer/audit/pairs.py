"""Pairs of a redacted face and its original, for training and testing the network that brings faces back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from anonymizer.audit.crops import cut
from anonymizer.audit.faces import Face, scaled
from anonymizer.audit.redactions import FromFolder, Redact
from anonymizer.geometry import Box
from anonymizer.recognise.align import Landmarks
from anonymizer.types import Detection, Pixels8

Crops = npt.NDArray[np.uint8]
"""(N, side, side, 3), RGB."""

FACE_PX = (72.0, 200.0)
"""Faces are shown in sizes between these, as tall boxes have them, evenly on a logarithmic scale. Smaller ones would
teach the network to leave faces blurred."""
ENLARGED = 1.5
"""Small faces are enlarged by no more than this."""
SHIFT = 0.06
"""Boxes are moved and scaled at random by up to this share of their size: detectors differ by as much."""
PHASE = 1 / 8
"""So much of a face at most is cut off pictures on the left and at the top: tiles then lie elsewhere on the face."""
TURN, STRETCH, MOVE = 0.06, 0.04, 0.02
"""Faces are cut out turned by up to so many radians, scaled by up to this share, and moved by up to this share of the
distance from eyes to mouth, so that few faces show more."""
GAIN = 0.15
"""Each colour is brighter or darker by up to this share."""
GRAY = 0.2
"""Share of the copies without colours."""


@dataclass(frozen=True)
class Pairs:
    redacted: Crops
    originals: Crops

    def __len__(self) -> int:
        return len(self.originals)


def as_they_are(faces: Iterable[Face], redact: Redact, side_px: int) -> Pairs:
    """One pair for each face."""
    pairs = [_pair(face, redact, side_px) for face in faces]
    return Pairs(*(np.array(part, np.uint8) for part in zip(*pairs, strict=True)))


def varied(
    faces: Sequence[Face],
    redact: Redact,
    side_px: int,
    copies: int,
    seed: int,
    on_face: Callable[[], None] = lambda: None,
) -> Pairs:
    """Several pairs for each face: in other sizes and tones, found and cut out at slightly other places. What comes
    from a folder stays as it is.
    """
    random = np.random.default_rng(seed)
    if isinstance(redact, FromFolder):
        return as_they_are(faces, redact, side_px)
    crops: tuple[list[Crops], list[Crops]] = ([], [])
    for face in faces:
        on_face()
        for _ in range(copies):
            for into, crop in zip(crops, _pair(_varied(face, random), redact, side_px), strict=True):
                into.append(crop)
    return Pairs(np.array(crops[0], np.uint8), np.array(crops[1], np.uint8))


def _pair(face: Face, redact: Redact, side_px: int) -> tuple[Crops, Crops]:
    return (
        cut(redact(face), face.landmarks, side_px),
        cut(face.pixels, face.landmarks, side_px),
    )


def _varied(face: Face, random: np.random.Generator) -> Face:
    most = min(FACE_PX[1], face.box.height * ENLARGED)
    height_px = float(np.exp(random.uniform(np.log(min(FACE_PX[0], most)), np.log(most))))
    face = _begun_elsewhere(scaled(face, height_px / face.box.height), random)
    return replace(
        face,
        pixels=_toned(face.pixels, random),
        found=[_moved(one, random) for one in face.found],
        landmarks=_jittered(face.landmarks, random),
    )


def _begun_elsewhere(face: Face, random: np.random.Generator) -> Face:
    """The face in a picture that begins further right and further down, if there is room."""
    room = np.maximum(0, [face.box.x_min, face.box.y_min])
    x, y = random.uniform(0, np.minimum(PHASE * face.box.longer_side, room)).astype(int).tolist()
    found = [
        replace(one, box=_shifted(one.box, x, y), extent=one.extent and _shifted(one.extent, x, y))
        for one in face.found
    ]
    return replace(
        face, pixels=face.pixels[y:, x:], found=found, box=_shifted(face.box, x, y), landmarks=face.landmarks - [x, y]
    )


def _shifted(box: Box, x: float, y: float) -> Box:
    return Box(y_min=box.y_min - y, x_min=box.x_min - x, y_max=box.y_max - y, x_max=box.x_max - x)


def _toned(pixels: Pixels8, random: np.random.Generator) -> Pixels8:
    toned = pixels * random.uniform(1 - GAIN, 1 + GAIN, 3).astype(np.float32)
    if random.random() < GRAY:
        toned = np.broadcast_to(toned.mean(axis=2, keepdims=True), toned.shape)
    return np.ascontiguousarray(np.rint(toned.clip(0, 255)), np.uint8)


def _jittered(landmarks: Landmarks, random: np.random.Generator) -> Landmarks:
    centre = landmarks.mean(axis=0)
    size = float(np.hypot(*(landmarks[3:].mean(axis=0) - landmarks[:2].mean(axis=0))))
    angle, factor = random.uniform(-TURN, TURN), 1 + random.uniform(-STRETCH, STRETCH)
    turned = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    jittered: Landmarks = (landmarks - centre) @ turned.T + centre + random.uniform(-MOVE, MOVE, 2) * size
    return jittered


def _moved(found: Detection, random: np.random.Generator) -> Detection:
    if found.outline is not None:
        return found
    box = found.box
    left, right = random.uniform(-SHIFT, SHIFT, 2) * box.width
    top, bottom = random.uniform(-SHIFT, SHIFT, 2) * box.height
    moved = Box(y_min=box.y_min + top, x_min=box.x_min + left, y_max=box.y_max + bottom, x_max=box.x_max + right)
    return replace(found, box=moved, extent=None)
