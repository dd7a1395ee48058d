"""ShanghaiTech (Zhang et al. 2016): a point in every head, in dense crowds (part A) and in streets (part B)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import scipy.io

from .labels import Labels
from .repository import Repository

PICTURE = re.compile(r"part_([AB])/train_data/images/(IMG_\d+)\.jpg")
"""`test_data` is held back: it judges the result. Never read."""


def read(repository: Repository) -> Iterator[Labels]:
    """The labels of every picture of the training parts."""
    files = repository.paths()
    pictures = {}
    for path in files:
        if match := PICTURE.fullmatch(path):
            part, name = match.groups()
            points = f"part_{part}/train_data/ground-truth/GT_{name}.mat"
            pictures[points] = (path, f"{part}_{name}.jpg", f"shanghaitech/part_{part.lower()}")
    for points, content in repository.read(pictures):
        array = scipy.io.loadmat(io.BytesIO(content))["image_info"][0, 0][0, 0][0]
        heads = [(float(x), float(y)) for x, y in array]
        yield Labels(*pictures[points], annotated=("head_points",), head_points=heads)
