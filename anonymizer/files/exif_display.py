"""The few tags of EXIF data that are needed to show a picture right: density, and colours other than sRGB.

Cameras name Adobe RGB by an interoperability index alone, without a profile (DCF 2.0, section 3.4.3: R03).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import SupportsFloat

from PIL import Image

logger = logging.getLogger(__name__)

EXIF_IFD, INTEROPERABILITY_IFD = 0x8769, 0xA005
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
_WHITE_POINT, _PRIMARIES = 0x013E, 0x013F
_COLOUR_SPACE, _GAMMA = 0xA001, 0xA500
_NO_UNIT, _INCH = 1, 2
_USUAL_DENSITY = (72.0, 72.0, _INCH)  # what cameras write if they do not know, and what no tag at all means
_MAX_DENSITY = 1_000_000  # pixels per inch or centimetre
_ADOBE_RGB = 2  # as a colour space, which no standard says but some cameras write
_UNCALIBRATED = 0xFFFF
_INDEX, _VERSION = 1, 2
_DCF_OPTION = "R03"
"""The index that stands for Adobe RGB."""


def copy_display(source: Image.Exif, target: Image.Exif) -> None:
    """Copies the tags whose values make sense. Pillow raises one of `metadata.DAMAGED_TAGS` if they are damaged."""
    for tag, value in _density(source).items():
        target[tag] = value
    inner = source.get_ifd(EXIF_IFD)
    is_adobe_rgb = _text(source.get_ifd(INTEROPERABILITY_IFD).get(_INDEX)) == _DCF_OPTION
    space = inner.get(_COLOUR_SPACE)
    kept: dict[int, object] = {}
    if is_adobe_rgb:
        kept[INTEROPERABILITY_IFD] = {_INDEX: _DCF_OPTION, _VERSION: b"0100"}
    if space == _ADOBE_RGB or (is_adobe_rgb and space == _UNCALIBRATED):
        kept[_COLOUR_SPACE] = space
    if space == _UNCALIBRATED:
        own = {tag: source.get(tag) for tag, number in ((_WHITE_POINT, 2), (_PRIMARIES, 6))}
        for tag, number in ((_WHITE_POINT, 2), (_PRIMARIES, 6)):
            if _are_numbers(own[tag], number):
                target[tag] = own[tag]
                kept[_COLOUR_SPACE] = space
        gamma = _number(inner.get(_GAMMA))
        if 0 < gamma < 10:
            kept |= {_GAMMA: inner[_GAMMA], _COLOUR_SPACE: space}
    if kept:  # a directory without tags is not allowed
        target.get_ifd(EXIF_IFD).update(kept)


def _density(source: Image.Exif) -> Mapping[int, object]:
    """The tags of the density; empty if it is the usual one, or makes no sense."""
    across, down = source.get(_X_RESOLUTION), source.get(_Y_RESOLUTION)
    unit = source.get(_RESOLUTION_UNIT, _INCH)
    values = (_number(across), _number(down))
    if not all(0 < value <= _MAX_DENSITY for value in values) or unit not in (_NO_UNIT, _INCH, _INCH + 1):
        return {}
    if (*values, unit) == _USUAL_DENSITY or (unit == _NO_UNIT and values[0] == values[1]):
        return {}
    return {_X_RESOLUTION: across, _Y_RESOLUTION: down, _RESOLUTION_UNIT: unit}


def _number(value: object) -> float:
    """As a number; 0 if it is none, or not finite."""
    if not isinstance(value, SupportsFloat) or isinstance(value, str | bytes):
        return 0.0
    try:
        number = float(value)
    except (ValueError, ZeroDivisionError, OverflowError):
        return 0.0
    return number if abs(number) < float("inf") else 0.0


def _are_numbers(value: object, number: int) -> bool:
    return isinstance(value, tuple) and len(value) == number and all(0 < _number(one) < 2 for one in value)


def _text(value: object) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else value if isinstance(value, str) else ""
    return text.rstrip("\0 ")
