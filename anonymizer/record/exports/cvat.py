"""CVAT for images 1.1 (https://docs.cvat.ai/docs/manual/advanced/formats/format-cvat): one XML file.

Pixels have 2 decimals, as CVAT itself writes them. Scores and tracks are attributes, which CVAT keeps where the labels
of the task have them, and otherwise drops.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement

from anonymizer.kinds import KINDS
from anonymizer.outlines import EllipseOutline, Outline, PolygonOutline
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
from anonymizer.record.exports.xml_file import add, parse, render
from anonymizer.types import Detection

FILE = "annotations.xml"
ATTRIBUTES = ("score", "track")
_SIDES = ("xtl", "ytl", "xbr", "ybr")
_ELLIPSE = ("cx", "cy", "rx", "ry", "rotation")


def _write(pictures: Sequence[ExportedPicture], folder: str) -> Files:
    root = Element("annotations")
    add(root, version="1.1")
    task = SubElement(SubElement(root, "meta"), "task")
    add(task, name=folder, size=len(pictures), mode="annotation")
    labels = SubElement(task, "labels")
    for kind in KINDS:
        add_label(labels, kind)
    for index, picture in enumerate(pictures):
        width, height = map(str, picture.size)
        image = SubElement(root, "image", id=str(index), name=picture.name, width=width, height=height)
        for detection in picture.detections:
            _add_shape(image, picture, detection)
    return {FILE: render(root)}


def add_label(labels: Element, kind: str, changing: Collection[str] = ()) -> None:
    """A label of a task.

    Args:
        changing: attributes that may differ from frame to frame.
    """
    label = SubElement(labels, "label")
    add(label, name=kind, type="any")
    attributes = SubElement(label, "attributes")
    for name in ATTRIBUTES:
        attribute = SubElement(attributes, "attribute")
        add(attribute, name=name, mutable=str(name in changing), input_type="text", default_value="", values="")


def _add_shape(image: Element, picture: ExportedPicture, detection: Detection) -> None:
    tag, places = shape_of(picture, detection)
    box = SubElement(image, tag, {"label": detection.kind, "source": "auto", "occluded": "0", **places, "z_order": "0"})
    add_attributes(box, detection)


def shape_of(picture: ExportedPicture, detection: Detection) -> tuple[str, dict[str, str]]:
    """The name of an element, and where it is: a polygon or an ellipse as such, anything else as a box."""
    outline = detection.outline
    if isinstance(outline, PolygonOutline):
        places = {"points": ";".join(f"{x:.2f},{y:.2f}" for x, y in outline.corners)}
        tag = "polygon"
    elif isinstance(outline, EllipseOutline):
        numbers = zip(_ELLIPSE, (*outline.center, *outline.semi_axes, outline.degrees % 360), strict=True)
        places, tag = {name: f"{value:.2f}" for name, value in numbers}, "ellipse"
    else:
        sides = zip(_SIDES, picture.inside(detection.box).xyxy, strict=True)
        places, tag = {name: f"{value:.2f}" for name, value in sides}, "box"
    return tag, places


def add_attributes(box: Element, detection: Detection) -> None:
    """What else is known of a shape."""
    for name in ATTRIBUTES:
        value = getattr(detection, name)
        if value is not None:
            SubElement(box, "attribute", name=name).text = str(value)


def annotations_in(files: Files) -> Element:
    """The root of the only file.

    Raises:
        ValueError: there are several files, or it is not of CVAT.
    """
    if len(files) != 1:
        raise ValueError(f"one XML file is expected, not {len(files)}")
    root = parse(next(iter(files.values())))
    if root.tag != "annotations":
        raise ValueError("is not of CVAT: its root is not <annotations>")
    return root


def _read(files: Files, sizes: Mapping[str, Size]) -> list[ReadPicture]:
    root = annotations_in(files)
    if root.find("track") is not None:
        raise ValueError("is of a film: its format is cvat-video; pictures are exported as 'CVAT for images 1.1'")
    return [_to_picture(image) for image in root.iterfind("image")]


def _to_picture(image: Element) -> ReadPicture:
    name = image.get("name", "")
    size = (number(image.get("width")), number(image.get("height")))
    boxes = []
    for index, shape in enumerate(image, 1):
        if shape.tag not in SHAPES:
            return ReadPicture(name, size=size, problem=f"object {index}: a <{shape.tag}> cannot be hidden")
        boxes.append(to_box(f"object {index}", shape))
    return ReadPicture(name, boxes, size)


def to_box(entry: str, shape: Element, label: str | None = None) -> ReadBox:
    """
    Args:
        shape: one of `SHAPES`.
        label: where the shape itself has none.
    """
    attributes = {child.get("name"): child.text for child in shape.iterfind("attribute")}
    score, track = (attributes.get(name) for name in ATTRIBUTES)
    outline = _OUTLINES[shape.tag](shape) if shape.tag in _OUTLINES else None
    return ReadBox(
        entry,
        shape.get("label", "") if label is None else label,
        around(outline) if shape.tag in _OUTLINES else _CORNERS[shape.tag](shape),
        number(score) if score else None,
        int(track) if track and track.isdecimal() else None,
        outline=outline,
    )


def _corners_of_box(shape: Element) -> Corners:
    x_min, y_min, x_max, y_max = (number(shape.get(side)) for side in _SIDES)
    center = ((x_min + x_max) / 2, (y_min + y_max) / 2)
    return turned((x_min, y_min, x_max, y_max), number(shape.get("rotation", 0)), center)


def _corners_of_mask(shape: Element) -> Corners:
    x, y, width, height = (number(shape.get(name)) for name in ("left", "top", "width", "height"))
    return x, y, x + width, y + height


def _to_polygon(shape: Element) -> Outline | None:
    points = [point.partition(",") for point in shape.get("points", "").split(";")]
    return polygon([(number(x), number(y)) for x, _, y in points])


def _to_ellipse(shape: Element) -> Outline | None:
    x, y, along, across, degrees = (number(shape.get(name, 0 if name == "rotation" else None)) for name in _ELLIPSE)
    return ellipse((x, y), (along, across), degrees)


_CORNERS = {"box": _corners_of_box, "mask": _corners_of_mask}
"""Shapes that are taken for the upright box around them."""
_OUTLINES = {"polygon": _to_polygon, "ellipse": _to_ellipse}
SHAPES = frozenset((*_CORNERS, *_OUTLINES))
"""Elements that can be hidden."""

CVAT = ExportFormat(_write, _read, suffixes=(".xml",), precision_px=0.006)
