"""KITTI, 2D objects (https://www.cvlibs.net/datasets/kitti/eval_object.php): a label file per picture.

A line is "type truncated occluded alpha x_min y_min x_max y_max" and 7 numbers of three dimensions, which say
"unknown". Pixels have 2 decimals. Labels have no scores (results have one as a 16th field, which is read), no tracks,
and no sizes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anonymizer.record.exports.label_files import by_stem, label_file, picture_of
from anonymizer.record.exports.values import ExportedPicture, ExportFormat, Files, ReadBox, ReadPicture, Size, number
from anonymizer.types import Detection

_ROOTS = ("label_2", "labels")
_UNKNOWN = "-1 -1 -1 -1000 -1000 -1000 -10"
"""Height, width and length, place, and rotation, in metres and radians."""


def _write(pictures: Sequence[ExportedPicture], folder: str) -> Files:
    return {
        f"label_2/{label_file(picture.name, '.txt')}": "".join(
            _to_line(picture, detection) for detection in picture.detections
        ).encode()
        for picture in pictures
    }


def _to_line(picture: ExportedPicture, detection: Detection) -> str:
    corners = " ".join(f"{value:.2f}" for value in picture.inside(detection.box).xyxy)
    return f"{detection.kind} -1 -1 -10 {corners} {_UNKNOWN}\n"


def _read(files: Files, sizes: Mapping[str, Size]) -> list[ReadPicture]:
    stems = by_stem(sizes)
    return [_to_picture(name, content, picture_of(name, _ROOTS, stems)) for name, content in files.items()]


def _to_picture(file: str, content: bytes, picture: str | None) -> ReadPicture:
    if picture is None:
        return ReadPicture(file, problem="it is not named after one of the pictures")
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError:
        return ReadPicture(picture, problem=f"{file} is not text")
    boxes = []
    for line_number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields:
            continue
        entry = f"{file}, line {line_number}"
        if len(fields) not in (15, 16):
            return ReadPicture(picture, problem=f"{entry} has not 15 fields, or 16 with a score")
        x_min, y_min, x_max, y_max = map(number, fields[4:8])
        score = number(fields[15]) if len(fields) == 16 else None
        boxes.append(ReadBox(entry, fields[0], (x_min, y_min, x_max, y_max), score))
    return ReadPicture(picture, boxes)


KITTI = ExportFormat(_write, _read, suffixes=(".txt",), precision_px=0.006, has_label_files=True)
