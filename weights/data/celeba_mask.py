"""A part of CelebAMask-HQ (Lee et al. 2020, arXiv:1907.11922): faces of 512 x 512 pixels, labelled pixel by pixel."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from .labels import BACKGROUND, BODY, FACE, HEAD, IGNORED, Labels
from .repository import Repository

FOLDER = "CelebAMask_Face_Parsing/dev-public/train"
"""`test-public` holds predictions. Never read."""
SKIN = (*range(1, 8), *range(10, 13))
EARS_HAIR_HAT = (8, 9, 13, 14)
NECK_CLOTH = (17, 18)


def is_held_back(name: str) -> bool:
    """Whether a picture judges the result: one in ten, by the hash of its name without an extension. Never read."""
    return int(hashlib.sha1(PurePosixPath(name).stem.encode()).hexdigest(), 16) % 10 == 0


def read(repository: Repository) -> Iterator[Labels]:
    """The labels of every picture that is not held back."""
    files = set(repository.paths(FOLDER))
    for path in sorted(files):
        name = PurePosixPath(path).name
        mask = f"{FOLDER}/masks/{PurePosixPath(path).stem}.png"
        if path.startswith(f"{FOLDER}/images/") and path.endswith(".jpg") and mask in files and not is_held_back(name):
            yield Labels(path, name, "celeba_mask", annotated=("silhouette",), mask=mask)


def to_mask(content: bytes) -> np.ndarray:
    """What each pixel is of, as in `labels`, uint8 (H, W). What else hangs at a head, such as rings, is ignored."""
    with Image.open(io.BytesIO(content)) as picture:
        classes = np.asarray(picture)
    meanings = np.full(256, IGNORED, np.uint8)
    meanings[0] = BACKGROUND
    meanings[list(SKIN)] = FACE
    meanings[list(EARS_HAIR_HAT)] = HEAD
    meanings[list(NECK_CLOTH)] = BODY
    return np.asarray(meanings[classes])
