"""Licence plates all over the world: pictures of Open Images, labelled anew in unknowncz/LP_recognition."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from .labels import Labels, read_voc
from .repository import Repository

PICTURE = re.compile(r"LP_Detection/(?:train|valid)/([^/]+)\.jpg")
LABEL = re.compile(r"LP_Detection/(?:train|valid)labels/([^/]+)\.xml")


def is_held_back(stem: str) -> bool:
    """Whether a picture judges the result: one in ten, by the hash of its name. Never read."""
    return int(hashlib.sha1(stem.encode()).hexdigest(), 16) % 10 == 0


def read(repository: Repository) -> Iterator[Labels]:
    """The labels of every picture that is not held back, once each."""
    files = repository.paths("LP_Detection")
    labels = {match[1]: path for path in files if (match := LABEL.fullmatch(path))}
    pictures = {}
    for path in files:
        if (match := PICTURE.fullmatch(path)) and match[1] in labels and not is_held_back(match[1]):
            pictures[labels[match[1]]] = (path, f"{match[1]}.jpg", "open_plates")
    for label, content in repository.read(pictures):
        yield Labels(*pictures[label], annotated=("plate",), boxes=read_voc(content, {"0": "plate"}.get))
