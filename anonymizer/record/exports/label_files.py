"""Label files, of which every picture has one: YOLO, KITTI and Pascal VOC find it by the picture's name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath


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
