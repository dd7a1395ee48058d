"""FASSEG (Khan et al. 2015, Benini et al. 2019): faces from -90 to +90 degrees, labelled pixel by pixel."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import numpy as np
from PIL import Image

from .labels import BACKGROUND, FACE, HEAD, IGNORED, Labels
from .repository import Repository

PICTURE = re.compile(r"(V[23])/Train_RGB/(?:([+-]?\d+)/)?([^/]+)\.bmp")
"""Everything else, `Test_RGB` above all, judges the result. Never read."""
PERSON = re.compile(r"personne(\d\d)")
COLOURS = np.array([(255, 0, 0), (127, 0, 0), (255, 255, 0), (0, 0, 255), (0, 255, 255), (0, 255, 0)], np.int32)
"""Background; hair; skin, ears and neck; eyes; nose; mouth."""
MEANINGS = np.array([BACKGROUND, HEAD, FACE, FACE, FACE, FACE], np.uint8)
_EYES, _MOUTH, _SKIN = 3, 5, 2
CHIN = 0.6
"""The chin is so much further below the mouth than the mouth below the eyes; what is below is neck, or may be."""


def read(repository: Repository) -> Iterator[Labels]:
    """The labels of every picture to train on. All pictures of a person are one scene."""
    files = {path.lower(): path for path in repository.paths()}
    for path in sorted(files.values()):
        if not (match := PICTURE.fullmatch(path)):
            continue
        version, degrees, name = match.groups()
        mask = files.get(path.replace("_RGB/", "_labels/").lower())
        person = PERSON.match(name)
        if mask:
            scene = f"{version}/{person[1] if person else name}"
            own = "_".join(part for part in (version, degrees, name) if part)
            yield Labels(path, f"{own}.png", f"fasseg/{version}", annotated=("silhouette",), mask=mask, scene=scene)


def to_mask(content: bytes) -> np.ndarray:
    """What each pixel is of, as in `labels`, uint8 (H, W), by the nearest colour.

    The neck, which has the colour of the skin, is ignored.
    """
    with Image.open(io.BytesIO(content)) as picture:
        pixels = np.asarray(picture.convert("RGB"), np.int32)
    classes = ((pixels[:, :, np.newaxis] - COLOURS) ** 2).sum(axis=3).argmin(axis=2)
    mask = MEANINGS[classes]
    eyes, mouth = (np.flatnonzero((classes == each).any(axis=1)) for each in (_EYES, _MOUTH))
    if len(eyes) and len(mouth):
        chin = round(mouth.max() + CHIN * (mouth.max() - np.median(eyes)))
        below = mask[max(0, chin) :]
        below[classes[max(0, chin) :] == _SKIN] = IGNORED
    return np.asarray(mask)
