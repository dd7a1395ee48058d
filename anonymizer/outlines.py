"""Exact shapes of what is to be hidden, where a person or a zone says more than a box: polygons, ellipses, strokes, and
whole pictures but for some places.

All are in float pixels of the upright picture and may extend beyond it. Each has a plain form for JSON and YAML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, isfinite, radians, sin
from typing import Any, TypeAlias

from anonymizer.geometry import Box, Point, Polygon

FARTHEST_PX = 1e9
"""Coordinates and lengths of an outline are smaller: what lies further away belongs to no picture."""


@dataclass(frozen=True, slots=True)
class PolygonOutline:
    """A polygon. Where it crosses itself, whatever it goes around belongs to it (the nonzero winding rule).

    Raises:
        ValueError: there are less than three corners, they lie on one row or one column, or one is not a place.
    """

    corners: Polygon

    def __post_init__(self) -> None:
        _check_numbers(self.corners)
        if len(self.corners) < 3 or not self.box.width or not self.box.height:
            raise ValueError("a polygon has three or more corners, and an area")

    @property
    def box(self) -> Box:
        """The smallest box around it."""
        return _hull(self.corners, 0)

    @property
    def size_px(self) -> float:
        """How thick it is: the shorter side of its box."""
        return min(self.box.width, self.box.height)

    @property
    def rim_px(self) -> float:
        """What its margin and its soft edge are shares of."""
        return self.size_px


@dataclass(frozen=True, slots=True)
class EllipseOutline:
    """An ellipse.

    Raises:
        ValueError: a semi-axis is not above 0, or a number is not finite.
    """

    center: Point
    semi_axes: Point
    """Pixels. Without a turn the first lies along the rows, the second along the columns."""
    degrees: float = 0.0
    """By how much it is turned, clockwise as the picture is seen."""

    def __post_init__(self) -> None:
        _check_numbers([self.center, self.semi_axes, (self.degrees, 0)])
        if min(self.semi_axes) <= 0:
            raise ValueError("the semi-axes of an ellipse are above 0")

    @property
    def box(self) -> Box:
        """The smallest box around it."""
        (x, y), (by_x, by_y) = self.center, self.half_size
        return Box(x - by_x, y - by_y, x + by_x, y + by_y)

    @property
    def half_size(self) -> Point:
        """Half the width and half the height of its box."""
        (along, across), (cosine, sine) = self.semi_axes, self._direction
        return hypot(along * cosine, across * sine), hypot(along * sine, across * cosine)

    @property
    def shear(self) -> float:
        """Square pixels: the covariance of rows and columns, as half_size are their deviations; 0 without a turn."""
        (along, across), (cosine, sine) = self.semi_axes, self._direction
        return (along * along - across * across) * sine * cosine

    @property
    def _direction(self) -> Point:
        return cos(radians(self.degrees)), sin(radians(self.degrees))

    @property
    def size_px(self) -> float:
        """How thick it is: its shorter axis."""
        return 2 * min(self.semi_axes)

    @property
    def rim_px(self) -> float:
        """What its margin and its soft edge are shares of."""
        return self.size_px


@dataclass(frozen=True, slots=True)
class StrokeOutline:
    """What a round brush covers on its way from point to point; a single point makes a dot.

    Raises:
        ValueError: there are no points, the width is not above 0, or a number is not finite.
    """

    points: Polygon
    width_px: float

    def __post_init__(self) -> None:
        _check_numbers([*self.points, (self.width_px, 0)])
        if not self.points or self.width_px <= 0:
            raise ValueError("a stroke has a point or more, and a width above 0")

    @property
    def box(self) -> Box:
        """The smallest box around it."""
        return _hull(self.points, self.width_px / 2)

    @property
    def size_px(self) -> float:
        """How thick it is: its width."""
        return self.width_px

    @property
    def rim_px(self) -> float:
        """What its margin and its soft edge are shares of."""
        return self.size_px


Drawn: TypeAlias = PolygonOutline | EllipseOutline | StrokeOutline


@dataclass(frozen=True, slots=True)
class RestOutline:
    """A whole picture but for some places in it, which stay visible.

    Raises:
        ValueError: the picture has no size.
    """

    size: tuple[int, int]
    """Height and width of the picture."""
    kept: tuple[Box | Drawn, ...] = ()

    def __post_init__(self) -> None:
        if min(self.size) < 1 or not all(isinstance(side, int) for side in self.size):
            raise ValueError("the size of a picture is two whole numbers above 0")

    @property
    def box(self) -> Box:
        """That of the picture."""
        return Box(0.0, 0.0, float(self.size[1]), float(self.size[0]))

    @property
    def size_px(self) -> float:
        """What its detail is measured by: the shorter side of the picture."""
        return float(min(self.size))

    @property
    def rim_px(self) -> float:
        """What its margin and its soft edge are shares of: the shorter side of the smallest place that is kept."""
        boxes = [place if isinstance(place, Box) else place.box for place in self.kept]
        return min((min(box.width, box.height) for box in boxes), default=0.0)


Outline: TypeAlias = Drawn | RestOutline


def moved(outline: Drawn, was: Box, now: Box) -> Drawn:
    """An outline that goes along with a box, which moves and grows. What has no corners grows to all sides alike."""
    by_x, by_y = (after / before if before else 1.0 for before, after in _sides(was, now))
    by = max(by_x, by_y)

    def along(point: Point) -> Point:
        return now.x_min + (point[0] - was.x_min) * by_x, now.y_min + (point[1] - was.y_min) * by_y

    if isinstance(outline, PolygonOutline):
        return moved_polygon(outline, was, now)
    if isinstance(outline, StrokeOutline):
        return StrokeOutline(tuple(map(along, outline.points)), outline.width_px * by)
    longer, shorter = outline.semi_axes
    return EllipseOutline(along(outline.center), (longer * by, shorter * by), outline.degrees)


def moved_polygon(polygon: PolygonOutline, was: Box, now: Box) -> PolygonOutline:
    """A polygon that goes along with a box, which moves and grows."""
    by_x, by_y = (after / before if before else 1.0 for before, after in _sides(was, now))
    return PolygonOutline(
        tuple((now.x_min + (x - was.x_min) * by_x, now.y_min + (y - was.y_min) * by_y) for x, y in polygon.corners)
    )


def turned(outline: Drawn, turn: Callable[[Point], Point]) -> Drawn:
    """An outline in a picture that is turned or mirrored.

    Args:
        turn: where a point of the picture goes; distances stay the same.
    """
    if isinstance(outline, PolygonOutline):
        return PolygonOutline(tuple(map(turn, outline.corners)))
    if isinstance(outline, StrokeOutline):
        return StrokeOutline(tuple(map(turn, outline.points)), outline.width_px)
    (x, y), (cosine, sine) = turn(outline.center), outline._direction
    end_x, end_y = turn((outline.center[0] + cosine, outline.center[1] + sine))
    return EllipseOutline((x, y), outline.semi_axes, degrees(atan2(end_y - y, end_x - x)))


def _sides(was: Box, now: Box) -> tuple[Point, Point]:
    return (was.width, now.width), (was.height, now.height)


Place: TypeAlias = Box | Outline


def _hull(points: Polygon, by: float) -> Box:
    xs, ys = zip(*points, strict=True)
    return Box(min(xs) - by, min(ys) - by, max(xs) + by, max(ys) + by)


def _check_numbers(points: Polygon | list[Point]) -> None:
    if not all(isfinite(number) and abs(number) < FARTHEST_PX for point in points for number in point):
        raise ValueError(f"the numbers of an outline are finite, and below {FARTHEST_PX:g}")


def to_plain(outline: Outline) -> dict[str, object]:
    """In types that JSON and YAML know: {"polygon": [[x, y], ...]}, {"ellipse": {"center": [x, y], "semi_axes": [a, b],
    "degrees": d}} or {"stroke": {"points": [[x, y], ...], "width": w}}, without degrees where they are 0; or a whole
    picture but for some places, {"rest": {"height": h, "width": w, "kept": [...]}}, each such an outline or a {"box":
    [x_min, y_min, x_max, y_max]}.
    """
    if isinstance(outline, PolygonOutline):
        return {"polygon": [list(corner) for corner in outline.corners]}
    if isinstance(outline, StrokeOutline):
        return {"stroke": {"points": [list(point) for point in outline.points], "width": outline.width_px}}
    if isinstance(outline, RestOutline):
        height, width = outline.size
        return {"rest": {"height": height, "width": width, "kept": [place_to_plain(place) for place in outline.kept]}}
    turn = {"degrees": outline.degrees} if outline.degrees else {}
    return {"ellipse": {"center": list(outline.center), "semi_axes": list(outline.semi_axes), **turn}}


def numbers_of(outline: Outline) -> list[float]:
    """All its numbers, in an order that is the same for all outlines of a type."""
    if isinstance(outline, PolygonOutline):
        return [coordinate for corner in outline.corners for coordinate in corner]
    if isinstance(outline, StrokeOutline):
        return [outline.width_px, *(coordinate for point in outline.points for coordinate in point)]
    if isinstance(outline, RestOutline):
        of_places = [list(place.xyxy) if isinstance(place, Box) else numbers_of(place) for place in outline.kept]
        return [*outline.size, *(number for numbers in of_places for number in numbers)]
    return [*outline.center, *outline.semi_axes, outline.degrees]


def place_to_plain(place: Place) -> dict[str, object]:
    """The same of an outline or a box."""
    return {"box": list(place.xyxy)} if isinstance(place, Box) else to_plain(place)


def from_plain(value: object) -> Outline:
    """The inverse of `to_plain`.

    Raises:
        ValueError: the value is not an outline; the text says why.
    """
    if not isinstance(value, Mapping) or len(value) != 1 or (kind := next(iter(value))) not in _FROM_PLAIN:
        raise ValueError(f"an outline is one of {', '.join(_FROM_PLAIN)}, with its numbers")
    try:
        return _FROM_PLAIN[kind](value[kind])
    except (TypeError, KeyError, AttributeError, OverflowError):
        raise ValueError(f"the outline {kind!r} lacks a number, or has another form") from None


def _to_polygon(value: Any) -> Outline:
    return PolygonOutline(_to_points(value))


def _to_ellipse(value: Any) -> Outline:
    _refuse_others(value, "center", "semi_axes", "degrees")
    (center,), (semi_axes,) = _to_points([value["center"]]), _to_points([value["semi_axes"]])
    return EllipseOutline(center, semi_axes, _to_number(value.get("degrees", 0)))


def _to_stroke(value: Any) -> Outline:
    _refuse_others(value, "points", "width")
    return StrokeOutline(_to_points(value["points"]), _to_number(value["width"]))


def _to_rest(value: Any) -> Outline:
    _refuse_others(value, "height", "width", "kept")
    kept = [_to_kept(place) for place in value["kept"]]
    return RestOutline((value["height"], value["width"]), tuple(kept))


def _to_kept(value: Any) -> Box | Drawn:
    place = place_from_plain(value)
    if isinstance(place, RestOutline):
        raise TypeError
    return place


def place_from_plain(value: Any) -> Place:
    """The inverse of `place_to_plain`.

    Raises:
        ValueError: the value is neither an outline nor a box.
    """
    if not isinstance(value, Mapping) or set(value) != {"box"}:
        return from_plain(value)
    try:
        x_min, y_min, x_max, y_max = map(_to_number, value["box"])
    except (TypeError, ValueError, OverflowError):
        raise ValueError("a box is [x_min, y_min, x_max, y_max]") from None
    return Box(x_min, y_min, x_max, y_max)


_FROM_PLAIN: Mapping[str, Callable[[Any], Outline]] = {
    "polygon": _to_polygon,
    "ellipse": _to_ellipse,
    "stroke": _to_stroke,
    "rest": _to_rest,
}


def _refuse_others(value: Any, *keys: str) -> None:
    if not isinstance(value, Mapping):
        raise TypeError
    for key in value:
        if key not in keys:
            raise ValueError(f"an outline has a key {key!r} that is none of {', '.join(keys)}")


def _to_points(value: Any) -> Polygon:
    pairs = [tuple(map(_to_number, point)) for point in value]
    if not all(len(pair) == 2 for pair in pairs):
        raise TypeError
    return tuple((x, y) for x, y in pairs)


def _to_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)
