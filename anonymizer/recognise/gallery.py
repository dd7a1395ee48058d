"""The people that a user names: a folder with one folder of face pictures for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from anonymizer.detect.tones import to_rgb_8_bits
from anonymizer.errors import PictureError, SettingsError, picture_boundary
from anonymizer.files.read import read_picture
from anonymizer.recognise.gallery_folder import pictures_of
from anonymizer.recognise.recogniser import Vector
from anonymizer.recognise.resemblance import PERHAPS_SAME_PERSON, SAME_PERSON, FaceReader, mean_vector
from anonymizer.settings import ReadSettings


@dataclass(frozen=True)
class Gallery:
    """Held in memory only."""

    people: Mapping[str, Vector]
    """What stands for each person, by the name of the folder."""


def read_gallery(folder: Path, reader: FaceReader) -> Gallery:
    """
    Raises:
        SettingsError: the folder is not a gallery, a picture cannot be read or does not show one clear face, or the
            pictures of a person seem to show different people.
    """
    people: dict[str, Vector] = {}
    for name, paths in pictures_of(folder).items():
        vectors = {path.relative_to(folder / name).as_posix(): _vector_in(path, folder, reader) for path in paths}
        people[name] = mean_vector(list(vectors.values()))
        for file, vector in vectors.items():
            others = [other for other_file, other in vectors.items() if other_file != file]
            if others and float(vector @ mean_vector(others)) < PERHAPS_SAME_PERSON:
                raise SettingsError(
                    f"gallery {folder}: {name}/{file} shows someone else than the other pictures of {name}"
                )
    _refuse_alike(people, folder)
    return Gallery(people)


def _vector_in(path: Path, folder: Path, reader: FaceReader) -> Vector:
    name = path.relative_to(folder).as_posix()
    try:
        with picture_boundary(name):
            picture = read_picture(path, ReadSettings())
    except PictureError as error:
        raise SettingsError(f"gallery {folder}: {name} {error}") from None
    read = reader.read_only_face(to_rgb_8_bits(picture.frames[0].view))
    if read.vector is None:
        raise SettingsError(f"gallery {folder}: {name} {read.doubt}; take it out, or choose a clearer picture")
    return read.vector


def _refuse_alike(people: Mapping[str, Vector], folder: Path) -> None:
    names = sorted(people)
    for number, one in enumerate(names):
        for other in names[:number]:
            if float(people[one] @ people[other]) >= SAME_PERSON:
                raise SettingsError(f"gallery {folder}: {other} and {one} look like the same person")
