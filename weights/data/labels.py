"""What a source says about one of its pictures."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

BACKGROUND, HEAD, FACE, IGNORED, BODY = range(5)
"""What a pixel of a mask is of. HEAD: hair, ears, hats. FACE: the part of a head with skin. BODY: neck, clothes.
IGNORED: not known."""

Box = dict[str, Any]
"""`kind`, `x_min`, `y_min`, `x_max`, `y_max` in pixels, `ignore`, and what else the source knows."""


@dataclasses.dataclass(frozen=True)
class Labels:
    """The labels of one picture.

    `path` is the picture's in the repository, `name` its own in the pack. `annotated` names what is labelled:
    kinds, `head_points` or `silhouette`; where `exhaustive` is false, only the main objects are. `mask` is the path of
    the file in the repository that says what each pixel is of. `scene`: what the picture shares with others of its
    source that must not be parted from it, where the source says so.
    """

    path: str
    name: str
    group: str
    annotated: tuple[str, ...]
    boxes: list[Box] = dataclasses.field(default_factory=list)
    head_points: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    exhaustive: bool = True
    mask: str | None = None
    scene: str | None = None


def box(kind: str, corners: tuple[float, float, float, float], ignore: bool = False, **more: Any) -> Box:
    """A box from x_min, y_min, x_max, y_max."""
    names = ("x_min", "y_min", "x_max", "y_max")
    return {"kind": kind, **dict(zip(names, corners, strict=True)), "ignore": ignore, **more}


def read_voc(content: bytes, kind_of: Callable[[str], str | None]) -> list[Box]:
    """The boxes of a Pascal VOC file, whose sides may stand in any order.

    `kind_of` gives a class's kind; boxes of classes without one are left out, and so are those without an area.
    """
    boxes = []
    for entry in ElementTree.fromstring(content).iter("object"):
        kind = kind_of((entry.findtext("name") or "").strip())
        sides = entry.find("bndbox")
        if kind is None or sides is None:
            continue
        x_min, y_min, x_max, y_max = (float(sides.findtext(side) or 0) for side in ("xmin", "ymin", "xmax", "ymax"))
        if x_max > x_min and y_max > y_min:
            boxes.append(box(kind, (x_min, y_min, x_max, y_max)))
    return boxes
