"""KITTI, 2D objects (https://www.cvlibs.net/datasets/kitti/eval_object.php): a label file per picture.

A line is "type truncated occluded alpha x_min y_min x_max y_max" and 7 numbers of three dimensions, which say
"unknown". Pixels have 2 decimals. Labels have no scores (results have one as a 16th field, which is read), no tracks,
and no sizes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anonymizer.record.exports.label_files import by_stem, label_file, picture_of, read_lines
from anonymizer.record.exports.values import ExportedPicture, ExportFormat, Files, ReadBox, ReadPicture, Size, number
from anonymizer.types import Detection

_ROOTS = ("label_2", "labels")
_FIELDS = 15
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
    return [
        read_lines(name, content, picture_of(name, _ROOTS, stems), _FIELDS, _to_box) for name, content in files.items()
    ]


def _to_box(entry: str, fields: list[str]) -> ReadBox:
    x_min, y_min, x_max, y_max = map(number, fields[4:8])
    return ReadBox(entry, fields[0], (x_min, y_min, x_max, y_max))


KITTI = ExportFormat(_write, _read, suffixes=(".txt",), precision_px=0.006, has_label_files=True)
