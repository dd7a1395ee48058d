"""Parts of the picture where detections count, or do not: a car's own bonnet, a roof that mirrors the street.

In doubt a detection counts: left out is only what lies wholly in an excluded zone, or wholly outside all included ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from anonymizer.geometry import Polygon, share_inside
from anonymizer.settings import DetectSettings, Zone
from anonymizer.types import Detection

WHOLLY = 0.999
"""Share of a box from which on it lies wholly in a zone, rounding granted."""


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


def to_pixels(zone: Zone, size: tuple[int, int]) -> Polygon:
    """Corners in pixels. Where none is above 1, they are fractions of width and height."""
    if max(number for corner in zone for number in corner) > 1:
        return zone
    height, width = size
    return tuple((x * width, y * height) for x, y in zone)
