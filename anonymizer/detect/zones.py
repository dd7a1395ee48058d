"""Zones of the picture where detections count, or do not: a car's own bonnet, a roof that mirrors the street.

If in doubt, a detection counts: only those wholly in an excluded zone, or wholly outside all included ones, are
dropped.
"""

from __future__ import annotations

from collections.abc import Sequence

from anonymizer.geometry import Polygon, share_inside
from anonymizer.settings import DetectSettings, Zone
from anonymizer.types import Detection

WHOLLY = 0.999
"""A box lies wholly in a zone from this share of its area on; the rest allows for rounding."""


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
    """Corners in pixels, for a picture of this height and width; in the zone they are fractions if none is above 1."""
    if max(number for corner in zone for number in corner) > 1:
        return zone
    height, width = size
    return tuple((x * width, y * height) for x, y in zone)
