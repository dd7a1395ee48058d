"""Parts of the picture where detections count, or do not: a car's own bonnet, a roof that mirrors the street.

In doubt a detection counts: left out is only what lies wholly in an excluded zone, or wholly outside all included ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import Box
from anonymizer.settings import DetectSettings, Zone
from anonymizer.types import Detection

WHOLLY = 0.999
"""Share of a box from which on it lies wholly in a zone, rounding granted."""
_Polygon = npt.NDArray[np.float64]
"""(N, 2): x, y."""


def keep_in_zones(detections: Sequence[Detection], size: tuple[int, int], settings: DetectSettings) -> list[Detection]:
    """The detections that count in a picture of this height and width."""
    included = [to_pixels(zone, size) for zone in settings.include_zone]
    excluded = [to_pixels(zone, size) for zone in settings.exclude_zone]
    return [
        detection
        for detection in detections
        if (not included or any(share_inside(detection.box, zone) > 0 for zone in included))
        and not any(share_inside(detection.box, zone) >= WHOLLY for zone in excluded)
    ]


def to_pixels(zone: Zone, size: tuple[int, int]) -> _Polygon:
    """Corners in pixels. Where none is above 1, they are fractions of width and height."""
    corners = np.array(zone, np.float64)
    height, width = size
    return corners * (width, height) if corners.max() <= 1 else corners


def share_inside(box: Box, polygon: _Polygon) -> float:
    """The share of a box's area that lies in a simple polygon; of a box without an area, whether its middle does.

    Sutherland and Hodgman 1974: the polygon is cut along each side of the box.
    """
    grown = 0.0 if box.width * box.height else 0.01
    low = np.array([box.x_min - grown, box.y_min - grown])
    high = np.array([box.x_max + grown, box.y_max + grown])
    rest = polygon
    for axis in (0, 1):
        rest = _cut(rest, axis, low[axis], 1.0)
        rest = _cut(rest, axis, high[axis], -1.0)
    return float(_area(rest) / (high - low).prod())


def _cut(polygon: _Polygon, axis: int, limit: float, sign: float) -> _Polygon:
    """What lies beyond the limit along an axis, in the direction of the sign."""
    kept: list[npt.NDArray[np.float64]] = []
    beyond = sign * (polygon[:, axis] - limit)
    for index in range(len(polygon)):
        here, before = beyond[index], beyond[index - 1]
        if (here >= 0) != (before >= 0):
            kept.append(polygon[index - 1] + (polygon[index] - polygon[index - 1]) * before / (before - here))
        if here >= 0:
            kept.append(polygon[index])
    return np.array(kept).reshape(-1, 2)


def _area(polygon: _Polygon) -> float:
    x, y = polygon[:, 0], polygon[:, 1]
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
