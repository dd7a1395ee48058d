"""The faces that are attacked: pictures of one face each, whose landmarks the attacker knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from anonymizer.audit.pictures import found_in, read_pixels
from anonymizer.errors import SettingsError
from anonymizer.files.find import find_pictures
from anonymizer.formats import EXTENSIONS
from anonymizer.geometry import Box
from anonymizer.pipeline import Finder
from anonymizer.recognise.align import Landmarks
from anonymizer.recognise.landmarks import LandmarkFinder
from anonymizer.types import Detection, Pixels8

BORDER = 0.5
"""Pictures go on beyond their borders by this share of the longer side while landmarks are looked for."""
IN_BOX: Landmarks = np.array([[0.30, 0.42], [0.70, 0.42], [0.50, 0.60], [0.34, 0.78], [0.66, 0.78]])
"""Where the landmarks of a face that looks ahead lie in its box, as shares of width and height."""


@dataclass(frozen=True)
class Face:
    """A picture of one person."""

    name: str
    """Path below the folder, with slashes."""
    person: str
    """Who it is: the name of the folder that the picture lies in."""
    pixels: Pixels8
    found: Sequence[Detection]
    """What the program finds in the picture: what it hides."""
    box: Box
    """The face that is attacked, the largest of those that were found."""
    landmarks: Landmarks
    """Of the original, in pixels of the picture."""

    @property
    def guessed_landmarks(self) -> Landmarks:
        """What an attacker takes them for who knows no more than where something was hidden."""
        box = self.box
        return IN_BOX * [box.width, box.height] + [box.x_min, box.y_min]


@dataclass(frozen=True)
class FaceSet:
    """The pictures of a folder."""

    faces: Sequence[Face]
    missed: Sequence[str]
    """Pictures in which the program finds no face: nothing of them is hidden, and every attack on them succeeds."""
    unmarked: Sequence[str]
    """Pictures in whose face no landmarks are found. They are not attacked."""

    @property
    def people(self) -> list[str]:
        """In alphabetical order."""
        return sorted({face.person for face in self.faces})


def read_faces(
    folder: Path,
    finder: Finder,
    landmarks: LandmarkFinder,
    limit: int | None = None,
    on_face: Callable[[str], None] = lambda name: None,
) -> FaceSet:
    """
    Args:
        folder: holds one folder of pictures for each person; or identity.json, a list of {"file", "person"}.
        limit: only the first so many pictures.
        on_face: told the name of each picture before it is read.

    Raises:
        SettingsError: the folder holds no picture, or one cannot be read.
    """
    faces, missed, unmarked = [], [], []
    for name, person in islice(_listed(folder), limit):
        on_face(name)
        pixels = read_pixels(folder, name)
        found = [one for one in found_in(pixels, finder) if one.kind == "face"]
        if not found:
            missed.append(name)
            continue
        box = max((one.box for one in found), key=lambda box: box.area)
        marked = _landmarks_in(pixels, box, landmarks)
        if marked is None:
            unmarked.append(name)
        else:
            faces.append(Face(name, person, pixels, found, box, marked))
    if not faces:
        raise SettingsError(f"{folder} holds no picture in which a face is found")
    return FaceSet(faces, missed, unmarked)


def scaled(face: Face, factor: float) -> Face:
    """The face in a picture of another size."""
    height, width = face.pixels.shape[:2]
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    shrunk = cv2.resize(face.pixels, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    across, down = size[0] / width, size[1] / height
    found = [
        replace(one, box=_stretched(one.box, across, down), extent=one.extent and _stretched(one.extent, across, down))
        for one in face.found
    ]
    return replace(
        face,
        pixels=np.asarray(shrunk, np.uint8),
        found=found,
        box=_stretched(face.box, across, down),
        landmarks=face.landmarks * [across, down],
    )


def _stretched(box: Box, across: float, down: float) -> Box:
    return Box(y_min=box.y_min * down, x_min=box.x_min * across, y_max=box.y_max * down, x_max=box.x_max * across)


def _listed(folder: Path) -> Iterator[tuple[str, str]]:
    """Names of the pictures, and who is on them.

    Raises:
        SettingsError: there is none, or the list is damaged.
    """
    listing = folder / "identity.json"
    if listing.is_file():
        try:
            yield from [(str(entry["file"]), str(entry["person"])) for entry in json.loads(listing.read_bytes())]
        except (ValueError, KeyError, TypeError) as error:
            raise SettingsError(f"{listing} is damaged: {error}") from None
        return
    if not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder")
    for job in find_pictures(folder, EXTENSIONS, None):
        yield job.name, job.source.parent.as_posix()


def _landmarks_in(pixels: Pixels8, box: Box, finder: LandmarkFinder) -> Landmarks | None:
    by = round(BORDER * max(pixels.shape[:2]))
    larger = np.asarray(cv2.copyMakeBorder(pixels, by, by, by, by, cv2.BORDER_REPLICATE), np.uint8)
    moved = Box(y_min=box.y_min + by, x_min=box.x_min + by, y_max=box.y_max + by, x_max=box.x_max + by)
    marked = finder.find(larger, moved)
    return None if marked is None else marked.landmarks - by
