"""What a format is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, nan, radians, sin
from typing import TypeAlias

from anonymizer.geometry import Box, Point
from anonymizer.outlines import EllipseOutline, Outline, PolygonOutline
from anonymizer.types import Detection

Corners: TypeAlias = tuple[float, float, float, float]
"""x_min, y_min, x_max, y_max in pixels of the upright picture, as a file says them: perhaps NaN, or in disorder."""
Size: TypeAlias = tuple[int, int]
"""Width and height of the upright picture, in pixels."""
Files: TypeAlias = Mapping[str, bytes]
"""Content of files, by their names with forward slashes."""


@dataclass(frozen=True)
class ExportedPicture:
    """A picture, or a frame of a film, and what a run found in it; of moving pictures, in the first frame."""

    name: str
    """Path below the output folder, with forward slashes."""
    size: Size
    detections: Sequence[Detection]

    def inside(self, box: Box) -> Box:
        """The part of a box that lies in the picture, as annotation tools expect it."""
        width, height = self.size
        x_min, x_max = (min(max(x, 0.0), float(width)) for x in (box.x_min, box.x_max))
        y_min, y_max = (min(max(y, 0.0), float(height)) for y in (box.y_min, box.y_max))
        return Box(x_min, y_min, x_max, y_max)


@dataclass(frozen=True)
class ReadBox:
    """An object in a file, not checked yet."""

    entry: str
    """Where it stands, for messages: "annotation 12", "line 3"."""
    kind: str
    """As the file calls it."""
    corners: Corners
    score: float | None = None
    """None: the file does not say."""
    track: int | None = None
    extent: Corners | None = None
    outline: Outline | None = None
    """The exact shape, whose box has these corners; None: the box, or a shape that is taken for the box around it."""
    group: int | None = None
    """In files of films, those of one object have the same; None elsewhere."""
    silhouette: PolygonOutline | None = None
    """What is hidden beside the box; None where there is an outline."""


@dataclass(frozen=True)
class ReadPicture:
    """A picture in a file, not checked yet."""

    name: str
    boxes: Sequence[ReadBox] = ()
    size: tuple[float, float] | None = None
    """Width and height; None: the file does not say."""
    problem: str | None = None
    """Why its objects cannot be told, if so."""


@dataclass(frozen=True)
class ExportFormat:
    """A format, written and read without touching any file."""

    write: Callable[[Sequence[ExportedPicture], str], Files]
    """The files of these pictures. The text is the name of the folder that holds the pictures.

    Pictures without detections are listed, too.
    """
    read: Callable[[Files, Mapping[str, Size]], Sequence[ReadPicture]]
    """What the files say. The mapping holds the pictures that are known, by name.

    Raises:
        ValueError: they do not have this format, or what is wrong concerns no single picture.
    """
    suffixes: tuple[str, ...]
    """Of the names of its files, in small letters."""
    precision_px: float
    """By how much a corner may differ from what was exported, and still be the same."""
    has_label_files: bool = False
    """Whether it has a file for each picture that is named after the picture without its extension."""


def number(value: object) -> float:
    """The number that a file says; NaN if that is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return nan


def turned(corners: Corners, degrees: float, around: Point) -> Corners:
    """The box around a rectangle that is turned clockwise around a point; the same corners without a turn."""
    if degrees == 0:
        return corners
    x_min, y_min, x_max, y_max = corners
    cosine, sine = cos(radians(degrees)), sin(radians(degrees))
    offsets = [(x - around[0], y - around[1]) for x in (x_min, x_max) for y in (y_min, y_max)]
    return around_points([(around[0] + x * cosine - y * sine, around[1] + x * sine + y * cosine) for x, y in offsets])


def polygon(points: Sequence[Point]) -> PolygonOutline | None:
    """None: it is none, since it has too few points or no area, or a number is NaN."""
    try:
        return PolygonOutline(tuple(points))
    except ValueError:
        return None


def ellipse(center: Point, semi_axes: Point, degrees: float) -> EllipseOutline | None:
    """None: it is none, since a number is NaN or a semi-axis not above 0."""
    try:
        return EllipseOutline(center, semi_axes, degrees)
    except ValueError:
        return None


def around(outline: Outline | None) -> Corners:
    """The box around an outline; NaN if there is none."""
    return (nan, nan, nan, nan) if outline is None else outline.box.xyxy


def around_points(points: Sequence[Point]) -> Corners:
    """The box around points; NaN if there are none, or if a coordinate is NaN."""
    numbers = [coordinate for point in points for coordinate in point]
    if not numbers or any(value != value for value in numbers):
        return nan, nan, nan, nan
    xs, ys = numbers[::2], numbers[1::2]
    return min(xs), min(ys), max(xs), max(ys)
