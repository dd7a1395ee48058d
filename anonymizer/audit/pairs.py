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
from anonymizer.types import Detection

Crops = npt.NDArray[np.uint8]
"""(N, side, side, 3), RGB."""

FACE_PX = (32.0, 160.0)
"""Faces are shown in sizes between these, as tall boxes have them, evenly on a logarithmic scale."""
SHIFT = 0.06
"""Boxes are moved and scaled at random by up to this share of their size: detectors differ by as much."""


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
    """Several pairs for each face: in other sizes, found at slightly other places. What comes from a folder stays as
    it is.
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
    low, high = FACE_PX
    height_px = min(float(np.exp(random.uniform(np.log(low), np.log(high)))), face.box.height * 1.5)
    sized = scaled(face, height_px / face.box.height)
    return replace(sized, found=[_moved(one, random) for one in sized.found])


def _moved(found: Detection, random: np.random.Generator) -> Detection:
    if found.outline is not None:
        return found
    box = found.box
    left, right = random.uniform(-SHIFT, SHIFT, 2) * box.width
    top, bottom = random.uniform(-SHIFT, SHIFT, 2) * box.height
    moved = Box(y_min=box.y_min + top, x_min=box.x_min + left, y_max=box.y_max + bottom, x_max=box.x_max + right)
    return replace(found, box=moved, extent=None)
