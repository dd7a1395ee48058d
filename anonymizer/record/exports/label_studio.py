"""Label Studio (https://labelstud.io/guide/tasks): tasks with predictions as JSON, and the labelling configuration.

Boxes are in percent of the picture's size. Label Studio finds the pictures by an address that `data.image` holds: that
of local files, below the folder that holds the folder of the pictures. `data.name` holds their names. The format has no
tracks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from anonymizer.kinds import KINDS
from anonymizer.outlines import EllipseOutline, Outline, PolygonOutline
from anonymizer.record.exports.json_file import parse
from anonymizer.record.exports.values import (
    Corners,
    ExportedPicture,
    ExportFormat,
    Files,
    ReadBox,
    ReadPicture,
    Size,
    around,
    ellipse,
    number,
    polygon,
    turned,
)
from anonymizer.types import Detection

FILE, CONFIG_FILE = "tasks.json", "labels.xml"
_RECTANGLE = "Rectangle"
_TOOLS = {_RECTANGLE: type(None), "Polygon": PolygonOutline, "Ellipse": EllipseOutline}
"""What draws shapes of each type."""
_COLOURS = ("red", "blue", "green", "orange", "purple")


def _write(pictures: Sequence[ExportedPicture], folder: str) -> Files:
    tasks = [_to_task(picture, folder) for picture in pictures]
    shapes = {type(detection.outline) for picture in pictures for detection in picture.detections}
    tools = [tool for tool, shape in _TOOLS.items() if tool == _RECTANGLE or shape in shapes]
    return {FILE: json.dumps(tasks).encode() + b"\n", CONFIG_FILE: _labelling_config(tools).encode()}


def _labelling_config(tools: Sequence[str]) -> str:
    """What a project in Label Studio asks for, with the tools that it needs."""
    labels = "".join(
        f'    <Label value="{kind}" background="{_COLOURS[index % len(_COLOURS)]}"/>\n'
        for index, kind in enumerate(KINDS)
    )
    controls = "".join(
        f'  <{tool}Labels name="{_name_of_tool(tool)}" toName="image">\n{labels}  </{tool}Labels>\n' for tool in tools
    )
    return f'<View>\n  <Image name="image" value="$image" zoom="true"/>\n{controls}</View>\n'


def _name_of_tool(tool: str) -> str:
    return "label" if tool == _RECTANGLE else tool.lower()


def _to_task(picture: ExportedPicture, folder: str) -> dict[str, object]:
    regions = [_to_region(str(index), picture, one) for index, one in enumerate(picture.detections)]
    lowest = {"score": min(one.score for one in picture.detections)} if picture.detections else {}
    address = quote(os.fsencode(f"{folder}/{picture.name}"))
    width, height = picture.size
    return {
        "data": {
            "image": f"/data/local-files/?d={address}",
            "name": picture.name,
            "width": width,
            "height": height,
        },
        "predictions": [{"model_version": "anonymize", **lowest, "result": regions}],
    }


def _to_region(region_id: str, picture: ExportedPicture, detection: Detection) -> dict[str, object]:
    width, height = picture.size
    tool = next((tool for tool, shape in _TOOLS.items() if isinstance(detection.outline, shape)), _RECTANGLE)
    label = f"{tool.lower()}labels"
    return {
        "id": region_id,
        "type": label,
        "from_name": _name_of_tool(tool),
        "to_name": "image",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "score": detection.score,
        "value": {**_to_value(picture, detection), label: [detection.kind]},
    }


def _to_value(picture: ExportedPicture, detection: Detection) -> dict[str, object]:
    """A polygon or an ellipse as such, anything else as a box."""
    outline, (width, height) = detection.outline, picture.size
    if isinstance(outline, PolygonOutline):
        return {"points": [[100 * x / width, 100 * y / height] for x, y in outline.corners], "closed": True}
    if isinstance(outline, EllipseOutline):
        (x, y), (along, across) = outline.center, outline.semi_axes
        radii = {"radiusX": 100 * along / width, "radiusY": 100 * across / height}
        return {"x": 100 * x / width, "y": 100 * y / height, **radii, "rotation": outline.degrees}
    box = picture.inside(detection.box)
    corner = {"x": 100 * box.x_min / width, "y": 100 * box.y_min / height}
    return {**corner, "width": 100 * box.width / width, "height": 100 * box.height / height, "rotation": 0}


def _read(files: Files, sizes: Mapping[str, Size]) -> list[ReadPicture]:
    tasks = parse({name: content for name, content in files.items() if name.endswith(".json")})
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise ValueError("is not a list of tasks; export from Label Studio as 'JSON'")
    pictures = [_to_picture(f"task {task.get('id', index)}", task, sizes) for index, task in enumerate(tasks, 1)]
    return [picture for picture in pictures if picture is not None]


def _to_picture(entry: str, task: Mapping[str, Any], sizes: Mapping[str, Size]) -> ReadPicture | None:
    """None: nobody has dealt with the picture, and nothing was predicted."""
    name = _name_of(entry, task.get("data"), sizes)
    annotations = _results(task, "annotations")
    finished = [each for each in annotations if not each.get("was_cancelled")]
    answers = finished or ([] if annotations else _results(task, "predictions"))
    if not answers:
        return None
    if len(answers) > 1:
        return ReadPicture(name, problem=f"{entry} has {len(answers)} annotations; leave one of them")
    regions = answers[0].get("result")
    if not isinstance(regions, list) or not all(isinstance(region, dict) for region in regions):
        return ReadPicture(name, problem=f"{entry} holds no list of regions")
    boxes, sizes_said = [], _sizes_in(task.get("data"), regions)
    if len(sizes_said) > 1:
        return ReadPicture(name, problem=f"{entry} names different sizes of the picture")
    for index, region in enumerate(regions, 1):
        label, value = region.get("type"), region.get("value")
        if label not in _LABELS or not isinstance(value, dict):
            return ReadPicture(name, problem=f"{entry}, region {index}: {label!r} cannot be hidden")
        boxes.append(_to_box(f"{entry}, region {index}", label, region, value, sizes.get(name, (0, 0))))
    return ReadPicture(name, boxes, next(iter(sizes_said), None))


def _sizes_in(data: object, regions: Sequence[Mapping[str, Any]]) -> set[tuple[float, float]]:
    """Width and height of the picture, as the task and its regions say."""
    said = [(region.get("original_width"), region.get("original_height")) for region in regions]
    if isinstance(data, dict):
        said.append((data.get("width"), data.get("height")))
    return {(number(width), number(height)) for width, height in said if width is not None or height is not None}


def _results(task: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    answers = task.get(key)
    return [each for each in answers if isinstance(each, dict)] if isinstance(answers, list) else []


def _name_of(entry: str, data: object, sizes: Mapping[str, Size]) -> str:
    """The picture of a task: by its name, otherwise by its address."""
    values = data if isinstance(data, dict) else {}
    if isinstance(values.get("name"), str):
        return str(values["name"])
    address = urlsplit(str(values.get("image", "")))
    (path,) = parse_qs(address.query).get("d", [address.path])[:1]
    parts = path.split("/")
    endings = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((ending for ending in endings if ending in sizes), path or entry)


def _to_box(entry: str, label: str, region: Mapping[str, Any], value: Mapping[str, Any], size: Size) -> ReadBox:
    kinds, score = value.get(label), region.get("score")
    kind = kinds[0] if isinstance(kinds, list) and len(kinds) == 1 else kinds
    outline = _OUTLINES[label](value, size) if label in _OUTLINES else None
    corners = _corners_of_rectangle(value, size) if label not in _OUTLINES else around(outline)
    return ReadBox(entry, str(kind), corners, None if score is None else number(score), outline=outline)


def _pixels(value: Mapping[str, Any], keys: Sequence[str], length_px: int) -> list[float]:
    return [number(value.get(key)) * length_px / 100 for key in keys]


def _corners_of_rectangle(value: Mapping[str, Any], size: Size) -> Corners:
    (x, width), (y, height) = _pixels(value, ("x", "width"), size[0]), _pixels(value, ("y", "height"), size[1])
    return turned((x, y, x + width, y + height), number(value.get("rotation", 0)), (x, y))


def _to_ellipse(value: Mapping[str, Any], size: Size) -> Outline | None:
    (x, along), (y, across) = _pixels(value, ("x", "radiusX"), size[0]), _pixels(value, ("y", "radiusY"), size[1])
    return ellipse((x, y), (along, across), number(value.get("rotation", 0)))


def _to_polygon(value: Mapping[str, Any], size: Size) -> Outline | None:
    points = value.get("points")
    if not isinstance(points, list) or not all(isinstance(point, list) and len(point) == 2 for point in points):
        return None
    return polygon([(number(x) * size[0] / 100, number(y) * size[1] / 100) for x, y in points])


_OUTLINES = {"polygonlabels": _to_polygon, "ellipselabels": _to_ellipse}
_LABELS = ("rectanglelabels", *_OUTLINES)

LABEL_STUDIO = ExportFormat(_write, _read, suffixes=(".json", ".xml"), precision_px=0.01)
