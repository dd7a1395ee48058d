"""CSV: one line for each detection, one without a kind for each picture without detections. Nothing is lost in it.

It is encoded in UTF-8; decimals are exact.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from math import nan

from anonymizer.geometry import Box
from anonymizer.outlines import Outline, PolygonOutline, from_plain, to_plain
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

FILE = "detections.csv"
_SIDES = ("x_min", "y_min", "x_max", "y_max")
_EXTENT = tuple(f"extent_{side}" for side in _SIDES)
_COLUMNS = ("name", "width", "height", "kind", "score", *_SIDES, "track", *_EXTENT, "outline", "silhouette")
_NEEDED = ("name", "kind", *_SIDES)


def _write(pictures: Sequence[ExportedPicture], folder: str) -> Files:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, _COLUMNS)
    table.writeheader()
    for picture in pictures:
        table.writerows(_rows(picture))
    return {FILE: text.getvalue().encode()}


def _rows(picture: ExportedPicture) -> Iterator[dict[str, object]]:
    width, height = picture.size
    head = {"name": picture.name, "width": width, "height": height}
    if not picture.detections:
        yield head
    for detection in picture.detections:
        yield {**head, **_to_row(detection)}


def _to_row(detection: Detection) -> dict[str, object]:
    extent = {} if detection.extent is None else _columns(_EXTENT, detection.extent)
    seen = {"kind": detection.kind, "score": detection.score, "track": detection.track}
    outline = {} if detection.outline is None else {"outline": json.dumps(to_plain(detection.outline))}
    silhouette = {} if detection.silhouette is None else {"silhouette": json.dumps(to_plain(detection.silhouette))}
    return {**seen, **_columns(_SIDES, detection.box), **extent, **outline, **silhouette}


def _columns(names: Sequence[str], box: Box) -> dict[str, float]:
    return dict(zip(names, box.xyxy, strict=True))


def _read(files: Files, sizes: Mapping[str, Size]) -> list[ReadPicture]:
    if len(files) != 1:
        raise ValueError(f"one CSV file is expected, not {len(files)}")
    # Excel marks UTF-8 by three bytes at the beginning.
    try:
        table = csv.DictReader(io.StringIO(next(iter(files.values())).decode("utf-8-sig"), newline=""), strict=True)
        missing = [column for column in _NEEDED if column not in (table.fieldnames or ())]
        if missing:
            raise ValueError(f"has no column {missing[0]!r}")
        lines = [(table.line_num, row) for row in table]
    except csv.Error as error:
        raise ValueError(f"is not CSV: {error}") from None
    except UnicodeDecodeError:
        raise ValueError("is not text in UTF-8") from None
    pictures: dict[str, list[tuple[int, Mapping[str, str]]]] = {}
    for line, row in lines:
        pictures.setdefault(row["name"], []).append((line, row))
    return [_to_picture(name, rows) for name, rows in pictures.items()]


def _to_picture(name: str, rows: Sequence[tuple[int, Mapping[str, str]]]) -> ReadPicture:
    said = {(row.get("width"), row.get("height")) for _, row in rows}
    if len(said) > 1:
        return ReadPicture(name, problem=f"its lines, from line {rows[0][0]} on, differ in width and height")
    ((width, height),) = said
    size = (number(width), number(height)) if width or height else None
    is_empty = len(rows) == 1 and not any(rows[0][1].get(key) for key in ("kind", "score", *_SIDES))
    return ReadPicture(name, [] if is_empty else [_to_box(f"line {line}", row) for line, row in rows], size)


def _to_box(entry: str, row: Mapping[str, str]) -> ReadBox:
    score, track = row.get("score"), row.get("track")
    outline, silhouette = _to_outline(row.get("outline")), _to_outline(row.get("silhouette"))
    is_damaged = bool(row.get("outline")) and outline is None
    if row.get("silhouette") and (not isinstance(silhouette, PolygonOutline) or outline is not None):
        is_damaged = True
    return ReadBox(
        entry,
        row["kind"] or "",
        (nan, nan, nan, nan) if is_damaged else _corners(row, _SIDES),
        number(score) if score else None,
        int(track) if track and track.isdecimal() else None,
        _corners(row, _EXTENT) if any(row.get(column) for column in _EXTENT) else None,
        outline,
        silhouette=silhouette if isinstance(silhouette, PolygonOutline) else None,
    )


def _to_outline(text: str | None) -> Outline | None:
    if not text:
        return None
    try:
        return from_plain(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _corners(row: Mapping[str, str], columns: Sequence[str]) -> Corners:
    x_min, y_min, x_max, y_max = (number(row.get(column)) for column in columns)
    return x_min, y_min, x_max, y_max


CSV = ExportFormat(_write, _read, suffixes=(".csv",), precision_px=0.0)
