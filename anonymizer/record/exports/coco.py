"""COCO, object detection (https://cocodataset.org/#format-data): one JSON file.

Boxes and scores are exact up to the last digits of a float; "track_id" is an extra that most readers leave alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from anonymizer.kinds import KINDS
from anonymizer.record.exports.json_file import entries_of, parse
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

FILE = "instances_default.json"


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
    box = picture.inside(detection.box)
    return {
        "category_id": KINDS.index(detection.kind) + 1,
        "bbox": [box.x_min, box.y_min, box.width, box.height],
        "area": box.area,
        "iscrowd": 0,
        "segmentation": [],
        "score": detection.score,
        **({} if detection.track is None else {"track_id": detection.track}),
    }


def _read(files: Files, sizes: Mapping[str, Size]) -> list[ReadPicture]:
    content = parse(files)
    categories = {each.get("id"): str(each.get("name")) for each in entries_of(content, "categories")}
    boxes: dict[object, list[ReadBox]] = {}
    images = entries_of(content, "images")
    for image in images:
        if not isinstance(image.get("id"), int | str) or image["id"] in boxes:
            raise ValueError(f"image {image.get('file_name')!r} has the id of another one, or none")
        boxes[image["id"]] = []
    for number_, annotation in enumerate(entries_of(content, "annotations"), 1):
        entry = f"annotation {annotation.get('id', number_)}"
        image_id, category = annotation.get("image_id"), annotation.get("category_id")
        if not isinstance(image_id, int | str) or image_id not in boxes:
            raise ValueError(f"{entry} is of image {image_id!r}, which is not among the images")
        if not isinstance(category, int | str) or category not in categories:
            raise ValueError(f"{entry} is of category {category!r}, which is not among the categories")
        boxes[image_id].append(_to_box(entry, categories[category], annotation))
    return [
        ReadPicture(
            str(image.get("file_name")),
            boxes[image["id"]],
            (number(image.get("width")), number(image.get("height"))),
        )
        for image in images
    ]


def _to_box(entry: str, kind: str, annotation: Mapping[str, Any]) -> ReadBox:
    score, track = annotation.get("score"), annotation.get("track_id")
    return ReadBox(
        entry,
        kind,
        _to_corners(annotation.get("bbox")),
        None if score is None else number(score),
        track if isinstance(track, int) else None,
    )


def _to_corners(bbox: object) -> Corners:
    values = bbox if isinstance(bbox, list) and len(bbox) == 4 else [None] * 4
    x, y, width, height = map(number, values)
    return x, y, x + width, y + height


COCO = ExportFormat(_write, _read, suffixes=(".json",), precision_px=0.01)
