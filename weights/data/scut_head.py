"""SCUT-HEAD (Peng et al. 2018, arXiv:1803.09256): boxes of heads in classrooms (A) and in pictures of the web (B)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .labels import Labels, read_voc
from .repository import Repository

PICTURE = re.compile(r"JPEGImages/(Part([AB])_(\d+))\.jpg")
HELD_BACK = ("B", range(2005, 2405))
"""Judges the result, as the authors' test part does. Never read."""


def read(repository: Repository) -> Iterator[Labels]:
    """The labels of every picture that is not held back."""
    files = set(repository.paths())
    pictures = {}
    for path in sorted(files):
        if match := PICTURE.fullmatch(path):
            name, part, number = match.groups()
            annotation = f"Annotations/{name}.xml"
            if annotation in files and not (part == HELD_BACK[0] and int(number) in HELD_BACK[1]):
                pictures[annotation] = (path, f"{name}.jpg", f"scut_head/part_{part.lower()}")
    for annotation, content in repository.read(pictures):
        # Every box is a head's: a few names are garbled. Those are left out.
        boxes = read_voc(content, {"head": "head"}.get)
        yield Labels(*pictures[annotation], annotated=("head",), boxes=boxes)
