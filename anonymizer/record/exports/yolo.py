"""YOLO, as Ultralytics reads it (https://docs.ultralytics.com/datasets/detect): data.yaml, and label files.

A line is "class center_x center_y width height" in fractions of the picture's size, with 6 decimals. The format has no
scores, no tracks, and no sizes. The pictures belong into the folder images/train.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath

import yaml

from anonymizer.kinds import KINDS
from anonymizer.record.exports.label_files import by_stem, label_file, picture_of, read_lines
from anonymizer.record.exports.values import (
    Corners,
    ExportedPicture,
    ExportFormat,
    Files,
    ReadBox,
    ReadPicture,
    Size,
    number,
)
from anonymizer.types import Detection

_ROOTS = ("labels", "obj_train_data")
_FIELDS = 5
_LISTS = {"train.txt", "val.txt", "test.txt", "classes.txt"}
"""Text files that hold no labels."""


def _write(pictures: Sequence[ExportedPicture], folder: str) -> Files:
    config = {"path": ".", "train": "images/train", "val": "images/train", "names": dict(enumerate(KINDS))}
    labels = {
        f"labels/train/{label_file(picture.name, '.txt')}": "".join(
            _to_line(picture, detection) for detection in picture.detections
        ).encode()
        for picture in pictures
    }
    return {"data.yaml": yaml.safe_dump(config, sort_keys=False).encode(), **labels}


def _to_line(picture: ExportedPicture, detection: Detection) -> str:
    width, height = picture.size
    box = picture.inside(detection.box)
    x, y = box.center
    fractions = (x / width, y / height, box.width / width, box.height / height)
    return f"{KINDS.index(detection.kind)} {' '.join(f'{value:.6f}' for value in fractions)}\n"


def _read(files: Files, sizes: Mapping[str, Size]) -> list[ReadPicture]:
    kinds = _class_names(files)
    stems = by_stem(sizes)
    texts = [name for name in files if name.endswith(".txt") and PurePosixPath(name).name not in _LISTS]
    labels = [name for name in texts if set(_ROOTS).intersection(PurePosixPath(name).parts)] or texts

    def read(file: str) -> ReadPicture:
        picture = picture_of(file, _ROOTS, stems)
        size = (0, 0) if picture is None else sizes[picture]
        return read_lines(file, files[file], picture, _FIELDS, partial(_to_box, kinds=kinds, size=size))

    return [read(file) for file in labels]


def _class_names(files: Files) -> dict[str, str]:
    """What the numbers of classes mean: by data.yaml, or by a list of names."""
    for name, content in files.items():
        if PurePosixPath(name).name in ("obj.names", "classes.txt"):
            return {str(number): line for number, line in enumerate(content.decode().split("\n"))}
        if name.endswith((".yaml", ".yml")):
            try:
                names = yaml.safe_load(content).get("names")
            except (yaml.YAMLError, AttributeError, RecursionError):
                raise ValueError(f"{name} is not the YAML of a data set") from None
            pairs = names.items() if isinstance(names, dict) else enumerate(names if isinstance(names, list) else ())
            return {str(number): str(kind) for number, kind in pairs}
    raise ValueError("holds no data.yaml, obj.names or classes.txt, which name the classes")


def _to_box(entry: str, fields: list[str], kinds: Mapping[str, str], size: Size) -> ReadBox:
    kind = kinds.get(fields[0], f"class {fields[0]}")
    return ReadBox(entry, kind, _to_corners(fields[1:_FIELDS], size))


def _to_corners(fields: Sequence[str], size: Size) -> Corners:
    x, y, width, height = map(number, fields)
    pixels_x, pixels_y = size
    return (
        (x - width / 2) * pixels_x,
        (y - height / 2) * pixels_y,
        (x + width / 2) * pixels_x,
        (y + height / 2) * pixels_y,
    )


YOLO = ExportFormat(_write, _read, (".txt", ".yaml", ".yml", ".names"), precision_px=0.01, has_label_files=True)
