"""Zones of the picture where detections count, or do not: a car's own bonnet, a roof that mirrors the street.

If in doubt, a detection counts: only those wholly in an excluded zone, or wholly outside all included ones, are
dropped. Other zones are hidden themselves, whatever is found there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from anonymizer.detect.tones import varies
from anonymizer.errors import PictureError
from anonymizer.files.picture import Frame, Picture
from anonymizer.geometry import Polygon, is_inside, share_inside
from anonymizer.kinds import ZONE_KIND
from anonymizer.outlines import Place, PolygonOutline, RestOutline
from anonymizer.settings import DetectSettings, NamedZones, Zone
from anonymizer.types import Detection, FrameDetections


def keep_in_zones(detections: Sequence[Detection], size: tuple[int, int], settings: DetectSettings) -> list[Detection]:
    """The detections that count in a picture of this height and width."""
    included = [to_pixels(zone, size) for zone in settings.include_zone]
    excluded = [to_pixels(zone, size) for zone in settings.exclude_zone]
    return [
        detection
        for detection in detections
        if (not included or any(share_inside(detection.box, zone) > 0 for zone in included))
        and not any(is_inside(detection.box, zone) for zone in excluded)
    ]


def to_pixels(zone: Zone, size: tuple[int, int]) -> Polygon:
    """Corners in pixels, for a picture of this height and width; in the zone they are fractions if none is above 1."""
    if max(number for corner in zone for number in corner) > 1:
        return zone
    height, width = size
    return tuple((x * width, y * height) for x, y in zone)


def zones_to_hide(zones: NamedZones, name: str, size: tuple[int, int]) -> list[Detection]:
    """The zones of a picture of this name, height and width, as detections.

    Raises:
        PictureError: a zone lies outside the picture, so that it would hide nothing.
    """
    polygons = [zone for pattern, of_pattern in zones if fnmatchcase(name, pattern) for zone in of_pattern]
    hidden = [Detection.of(PolygonOutline(to_pixels(zone, size)), ZONE_KIND) for zone in dict.fromkeys(polygons)]
    for detection in hidden:
        if not detection.box.touches(size):
            height, width = size
            raise PictureError(f"has a zone to hide outside its {width} x {height} pixels; give it in fractions")
    return hidden


def add_zones(
    picture: Picture, found: Sequence[FrameDetections], zones: NamedZones, name: str
) -> Sequence[FrameDetections]:
    """What is in each frame, and the zones that are hidden whatever is there, each once.

    Args:
        name: of the picture, below the input folder with forward slashes; empty for one from memory.

    Raises:
        PictureError: a zone lies outside the picture.
    """
    if not zones:
        return found
    return [_with_zones(frame, of_frame, zones, name) for frame, of_frame in zip(picture.frames, found, strict=True)]


def _with_zones(frame: Frame, found: FrameDetections, zones: NamedZones, name: str) -> FrameDetections:
    known = set(found.detections)
    new = [
        zone for zone in zones_to_hide(zones, name, (frame.pixels.shape[0], frame.pixels.shape[1])) if zone not in known
    ]
    in_alpha = found.in_alpha
    if in_alpha is not None:
        in_alpha = [*in_alpha, *(zone for zone in new if frame.alpha is None or varies(frame.alpha, zone.box))]
    return replace(found, detections=[*found.detections, *new], in_alpha=in_alpha)


def add_given(
    picture: Picture,
    found: Sequence[FrameDetections],
    settings: DetectSettings,
    name: str = "",
    kept: Sequence[Sequence[Place]] = (),
) -> Sequence[FrameDetections]:
    """What is in each frame, and what is hidden without being looked for: zones, and all but what is kept.

    Args:
        name: of the picture, see `add_zones`.
        kept: the places of each frame that stay visible where all else is hidden; empty: none in any frame.

    Raises:
        PictureError: a zone lies outside the picture.
    """
    with_zones = add_zones(picture, found, settings.redact_zone, name)
    if not settings.hide_all_but:
        return with_zones
    return hide_rest(picture, with_zones, kept or [()] * len(found))


def hide_rest(
    picture: Picture, found: Sequence[FrameDetections], kept: Sequence[Sequence[Place]]
) -> list[FrameDetections]:
    """The frames with all hidden but these places; what is to be hidden in a place stays hidden.

    Args:
        kept: the places of each frame.
    """
    frames = zip(picture.frames, found, kept, strict=True)
    return [_with_rest(frame, of_frame, places) for frame, of_frame, places in frames]


def _with_rest(frame: Frame, found: FrameDetections, places: Sequence[Place]) -> FrameDetections:
    rest = rest_of((frame.pixels.shape[0], frame.pixels.shape[1]), places)
    in_alpha = None if found.in_alpha is None else [*_without_rests(found.in_alpha), rest]
    return replace(found, detections=[*_without_rests(found.detections), rest], in_alpha=in_alpha)


def _without_rests(detections: Sequence[Detection]) -> list[Detection]:
    """Those of an earlier run may keep other places."""
    return [one for one in detections if not isinstance(one.outline, RestOutline)]


def rest_of(size: tuple[int, int], places: Sequence[Place]) -> Detection:
    """A picture of this height and width but for some places, as a detection."""
    kept = tuple(place for place in dict.fromkeys(places) if not isinstance(place, RestOutline))
    return Detection.of(RestOutline(size, kept), ZONE_KIND)
