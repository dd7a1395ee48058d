"""Pascal VOC (http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc): an XML file per picture.

Corners are whole pixels, rounded outward, counted from 0 on and half open, as labelImg, CVAT and most readers take
them. The format has no scores and no tracks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element, SubElement

from anonymizer.record.exports.label_files import by_stem, label_file, picture_of
from anonymizer.record.exports.values import ExportedPicture, ExportFormat, Files, ReadBox, ReadPicture, Size, number
from anonymizer.record.exports.xml_file import add, parse, render
from anonymizer.types import Detection

_ROOTS = ("Annotations",)


def _write(pictures: Sequence[ExportedPicture], folder: str) -> Files:
    return {
        f"Annotations/{label_file(picture.name, '.xml')}": render(_to_annotation(picture, folder))
        for picture in pictures
    }


def _to_annotation(picture: ExportedPicture, folder: str) -> Element:
    root = Element("annotation")
    add(root, folder=folder, filename=picture.name)
    width, height = picture.size
    add(SubElement(root, "size"), width=width, height=height, depth=3)
    add(root, segmented=0)
    for detection in picture.detections:
        _add_object(root, picture, detection)
    return root


def _add_object(root: Element, picture: ExportedPicture, detection: Detection) -> None:
    box = picture.inside(detection.box)
    child = SubElement(root, "object")
    add(child, name=detection.kind, pose="Unspecified", truncated=0, difficult=0, occluded=0)
    bounds = {"xmin": floor(box.x_min), "ymin": floor(box.y_min), "xmax": ceil(box.x_max), "ymax": ceil(box.y_max)}
    add(SubElement(child, "bndbox"), **bounds)


def _read(files: Files, sizes: Mapping[str, Size]) -> list[ReadPicture]:
    stems = by_stem(sizes)
    return [_to_picture(name, content, sizes, stems) for name, content in files.items()]


def _to_picture(file: str, content: bytes, sizes: Mapping[str, Size], stems: dict[str, str]) -> ReadPicture:
    by_file = picture_of(file, _ROOTS, stems)
    try:
        root = parse(content)
    except ValueError as error:
        return ReadPicture(by_file or file, problem=f"{file} is {error}")
    if root.tag != "annotation":
        return ReadPicture(by_file or file, problem=f"{file} is not of Pascal VOC: its root is not <annotation>")
    # labelImg writes the name of the file alone: its folder is that of the XML file.
    name = root.findtext("filename", "")
    if name not in sizes and by_file is not None and PurePosixPath(by_file).name == name:
        name = by_file
    size = (number(root.findtext("size/width")), number(root.findtext("size/height")))
    boxes = [_to_box(f"{file}, object {index}", child) for index, child in enumerate(root.iterfind("object"), 1)]
    return ReadPicture(name or file, boxes, size)


def _to_box(entry: str, child: Element) -> ReadBox:
    x_min, y_min, x_max, y_max = (number(child.findtext(f"bndbox/{side}")) for side in ("xmin", "ymin", "xmax", "ymax"))
    return ReadBox(entry, child.findtext("name", ""), (x_min, y_min, x_max, y_max))


VOC = ExportFormat(_write, _read, suffixes=(".xml",), precision_px=0.5, has_label_files=True)
