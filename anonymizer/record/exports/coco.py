"""COCO, object detection (https://cocodataset.org/#format-data): one JSON file.

Boxes and scores are exact up to the last digits of a float; "track_id" is an extra that most readers leave alone.
"segmentation" holds the outline, whose box "bbox" is, or the silhouette, which goes beyond it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from anonymizer.geometry import polygon_area
from anonymizer.kinds import KINDS
from anonymizer.outlines import PolygonOutline
from anonymizer.record.exports.json_file import entries_of, parse
from anonymizer.record.exports.values import (
    Corners,
    ExportedPicture,
    ExportFormat,
    Files,
    ReadBox,
    ReadPicture,
    Size,
    around_points,
    number,
    polygon,
)
from anonymizer.types import Detection

FILE = "instances_default.json"
_SAME_BOX_PX = 1.0
"""Programs round the boxes around polygons so far."""


def _write(pictures: Sequence[ExportedPicture], folder: str) -> Files:
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for picture_id, picture in enumerate(pictures, 1):
        width, height = picture.size
        images.append({"id": picture_id, "file_name": picture.name, "width": width, "height": height})
        for detection in picture.detections:
            annotation = _to_annotation(picture, detection)
            annotations.append({"id": len(annotations) + 1, "image_id": picture_id, **annotation})
    content = {
        "info": {"description": f"Detections in {folder}"},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": kind, "supercategory": ""} for number, kind in enumerate(KINDS, 1)],
    }
    return {FILE: json.dumps(content).encode() + b"\n"}


def _to_annotation(picture: ExportedPicture, detection: Detection) -> dict[str, object]:
    outline = detection.outline
    shape = outline if isinstance(outline, PolygonOutline) else detection.silhouette
    corners = () if shape is None else shape.corners
    box = detection.box if isinstance(outline, PolygonOutline) else picture.inside(detection.box)
    return {
        "category_id": KINDS.index(detection.kind) + 1,
        "bbox": [box.x_min, box.y_min, box.width, box.height],
        "area": polygon_area(corners) if corners else box.area,
        "iscrowd": 0,
        "segmentation": [[coordinate for corner in corners for coordinate in corner]] if corners else [],
        "score": detection.score,
        **({} if detection.track is None else {"track_id": detection.track}),
    }


def _read(files: Files, sizes: Mapping[str, Size]) -> list[ReadPicture]:
    content = parse(files)
    categories = _by_id(entries_of(content, "categories"), "category", "name")
    images = _by_id(entries_of(content, "images"), "image", "file_name")
    boxes: dict[object, list[ReadBox]] = {image_id: [] for image_id in images}
    for index, annotation in enumerate(entries_of(content, "annotations"), 1):
        entry = f"annotation {annotation.get('id', index)}"
        image_id, category_id = annotation.get("image_id"), annotation.get("category_id")
        if not isinstance(image_id, int | str) or image_id not in images:
            raise ValueError(f"{entry} is of image {image_id!r}, which is not among the images")
        if not isinstance(category_id, int | str) or category_id not in categories:
            raise ValueError(f"{entry} is of category {category_id!r}, which is not among the categories")
        boxes[image_id].append(_to_box(entry, str(categories[category_id].get("name")), annotation))
    return [
        ReadPicture(
            str(image.get("file_name")),
            boxes[image_id],
            (number(image.get("width")), number(image.get("height"))),
        )
        for image_id, image in images.items()
    ]


def _by_id(entries: Sequence[dict[str, Any]], what: str, name_key: str) -> dict[int | str, dict[str, Any]]:
    """
    Raises:
        ValueError: two have the same id, or one has none.
    """
    by_id: dict[int | str, dict[str, Any]] = {}
    for entry in entries:
        entry_id = entry.get("id")
        if not isinstance(entry_id, int | str) or entry_id in by_id:
            raise ValueError(f"{what} {entry.get(name_key)!r} has the id of another one, or none")
        by_id[entry_id] = entry
    return by_id


def _to_box(entry: str, kind: str, annotation: Mapping[str, Any]) -> ReadBox:
    score, track = annotation.get("score"), annotation.get("track_id")
    box, shapes = _to_corners(annotation.get("bbox")), _to_polygons(annotation.get("segmentation"))
    only = shapes[0] if len(shapes) == 1 else None
    outline = only if only is not None and _are_close(only.box.xyxy, box) else None
    silhouette = only if outline is None and box[0] < box[2] and box[1] < box[3] else None
    around = _around_all(box, shapes)
    return ReadBox(
        entry,
        kind,
        outline.box.xyxy if outline is not None else box if silhouette is not None else around,
        None if score is None else number(score),
        track if isinstance(track, int) else None,
        extent=around if silhouette is not None else None,
        outline=outline,
        silhouette=silhouette,
    )


def _to_polygons(segmentation: object) -> list[PolygonOutline]:
    """The polygons of an object; of run lengths and of what is none the box counts alone."""
    parts = [part for part in segmentation if isinstance(part, list)] if isinstance(segmentation, list) else []
    numbers = [list(map(number, part)) for part in parts]
    shapes = [polygon(list(zip(each[::2], each[1::2], strict=False))) for each in numbers]
    return [shape for shape in shapes if shape is not None]


def _around_all(box: Corners, shapes: Sequence[PolygonOutline]) -> Corners:
    """The box around a box and polygons, none of which may stay visible."""
    x_min, y_min, x_max, y_max = box
    if not shapes or x_max < x_min or y_max < y_min:
        return box
    return around_points([(x_min, y_min), (x_max, y_max), *(corner for shape in shapes for corner in shape.corners)])


def _are_close(one: Corners, other: Corners) -> bool:
    return all(abs(a - b) <= _SAME_BOX_PX for a, b in zip(one, other, strict=True))


def _to_corners(bbox: object) -> Corners:
    values = bbox if isinstance(bbox, list) and len(bbox) == 4 else [None] * 4
    x, y, width, height = map(number, values)
    return x, y, x + width, y + height


COCO = ExportFormat(_write, _read, suffixes=(".json",), precision_px=0.01)
