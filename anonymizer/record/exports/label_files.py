"""Label files, of which every picture has one: YOLO, KITTI and Pascal VOC find it by the picture's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from anonymizer.record.exports.values import ReadBox, ReadPicture, number


def label_file(picture: str, suffix: str) -> str:
    """The name of a picture with another extension: "a/b.jpg" has "a/b.txt"."""
    return stem_of(picture) + suffix


def stem_of(picture: str) -> str:
    """The name of a picture, with its folders, without its extension."""
    path = PurePosixPath(picture)
    return (path.parent / path.stem).as_posix()


def picture_of(file: str, roots: Sequence[str], stems: dict[str, str]) -> str | None:
    """The picture that a label file belongs to, if that is known.

    Args:
        file: "labels/train/a/b.txt", or any shorter path that still ends so.
        roots: names of folders that hold label files, such as "labels"; behind one there may be that of a split.
        stems: the pictures by `stem_of`.
    """
    parts = PurePosixPath(stem_of(file)).parts
    behind = next((index + 1 for index, part in enumerate(parts) if part in roots), 0)
    candidates = (parts[behind:], parts[behind + 1 :], parts)
    return next((stems[name] for name in map("/".join, candidates) if name in stems), None)


def by_stem(pictures: Iterable[str]) -> dict[str, str]:
    """The pictures by `stem_of`, without those that share it."""
    stems: dict[str, str] = {}
    shared = set()
    for picture in pictures:
        if stems.setdefault(stem_of(picture), picture) != picture:
            shared.add(stem_of(picture))
    return {stem: picture for stem, picture in stems.items() if stem not in shared}


def read_lines(
    file: str, content: bytes, picture: str | None, number_of_fields: int, to_box: Callable[[str, list[str]], ReadBox]
) -> ReadPicture:
    """The objects of a picture, of which a text file has a line each.

    Args:
        picture: whose file it is, see `picture_of`.
        number_of_fields: of a line without a score, which may be a further one.
        to_box: the object of an entry, which is named for messages, with these fields; its score is set here.
    """
    if picture is None:
        return ReadPicture(file, problem="it is not named after one of the pictures")
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError:
        return ReadPicture(picture, problem=f"{file} is not text")
    boxes = []
    for line_number, line in enumerate(lines, 1):
        fields, entry = line.split(), f"{file}, line {line_number}"
        if not fields:
            continue
        if len(fields) not in (number_of_fields, number_of_fields + 1):
            why = f"{entry} has not {number_of_fields} fields, or {number_of_fields + 1} with a score"
            return ReadPicture(picture, problem=why)
        score = number(fields[-1]) if len(fields) > number_of_fields else None
        boxes.append(replace(to_box(entry, fields), score=score))
    return ReadPicture(picture, boxes)
