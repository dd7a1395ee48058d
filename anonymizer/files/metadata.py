"""Which metadata of a picture each policy keeps.

strip: those that are needed to show the picture right. safe: exposure, lens and time too, but no person, place or
individual device. keep: all others too. No policy keeps data that hold another picture, which would show what was
redacted: thumbnails, previews, and maker notes, in which cameras hide previews in ways of their own.
(CIPA DC-008, Exif 3.0, tables of section 4.6.)
"""

from __future__ import annotations

import logging
import re
import struct
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from PIL import Image

from anonymizer.files.exif_display import copy_display
from anonymizer.files.global_state import pillow_state
from anonymizer.settings import MetadataPolicy

logger = logging.getLogger(__name__)

Policy: TypeAlias = MetadataPolicy

ORIENTATION = 0x0112
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
MAKER_NOTE = 0x927C

_POINTERS = frozenset({EXIF_IFD, GPS_IFD, 0xA005, 0x014A})  # the last two: interoperability and further sub-directories
_PICTURES = frozenset({0x0111, 0x0117, 0x0201, 0x0202, 0x02BC, 0x8649, 0x83BB, 0xC4A5, 0xC634, 0xC6F3, 0xC71A})
"""Tags of the first directory that hold or point to pictures, or to metadata with pictures."""

_SAFE = frozenset(
    {
        0x010F,  # make
        0x0110,  # model
        0x011A,  # x resolution
        0x011B,  # y resolution
        0x0128,  # resolution unit
        0x0132,  # date and time
        0x0213,  # position of colour samples
    }
)
_SAFE_EXIF = frozenset(
    {
        0x829A,  # exposure time
        0x829D,  # f-number
        0x8822,  # exposure program
        0x8827,  # sensitivity
        0x8830,  # sensitivity type
        0x8832,  # recommended exposure index
        0x9000,  # version of EXIF
        0x9003,  # original time
        0x9004,  # time of digitisation
        0x9010,  # time zones
        0x9011,
        0x9012,
        0x9201,  # shutter speed
        0x9202,  # aperture
        0x9203,  # brightness
        0x9204,  # exposure bias
        0x9205,  # largest aperture
        0x9207,  # metering mode
        0x9208,  # light source
        0x9209,  # flash
        0x920A,  # focal length
        0x9290,  # fractions of seconds
        0x9291,
        0x9292,
        0xA001,  # colour space
        0xA402,  # exposure mode
        0xA403,  # white balance
        0xA404,  # digital zoom
        0xA405,  # focal length in 35 mm film
        0xA406,  # type of scene
        0xA407,  # gain
        0xA408,  # contrast
        0xA409,  # saturation
        0xA40A,  # sharpness
        0xA432,  # lens specification
        0xA433,  # lens make
        0xA434,  # lens model
    }
)

_PROFILE_HEADER = 128  # bytes of an ICC profile

_LONGEST = 4096  # bytes or numbers in a tag of EXIF data
_IPTC_PREVIEWS = (b"\x1c\x02\xc8", b"\x1c\x02\xc9", b"\x1c\x02\xca", b"\x1c\x08\x0a", b"\xff\xd8\xff")  # data sets

_STARTS = (b"\xff\xd8\xff", b"\x89PNG")
"""How JPEG and PNG files begin."""

_SIGNS_OF_PICTURES = (
    b"humbnail",
    b"GImage",
    b"GDepth",
    b"GContainer",
    b"hdrgm",
    b"MotionPhoto",
    b"/9j/",
    b"iVBORw0KGgo",
    *_STARTS,
)
"""In XMP and text: names of properties that hold pictures, and the beginnings of JPEG and PNG files, also in base64."""

_XMP_ORIENTATION = re.compile(
    rb"""(\b[\w.-]+:Orientation\s*=\s*["']\s*)[0-9]+(\s*["'])|(<[\w.-]+:Orientation(?:\s[^>]*)?>\s*)[0-9]+(\s*<)"""
)

DAMAGED_TAGS = (*(ValueError, TypeError, KeyError, OSError, SyntaxError, OverflowError, AttributeError, struct.error),)
"""Errors that Pillow raises on damaged tags."""

MAX_UNKNOWN = 256
"""Larger parts of a file, in bytes, may hold a picture if their purpose is unknown."""


@dataclass(frozen=True)
class Tags:
    """The tags of EXIF data, or of a page of a TIFF file."""

    main: Mapping[int, object]
    inner: Mapping[int, object]
    position: Mapping[int, object]


def tags_of(exif: Image.Exif) -> Tags:
    """All tags. Pillow raises one of `DAMAGED_TAGS` if they are damaged."""
    with pillow_state():
        return Tags(dict(exif.items()), dict(exif.get_ifd(EXIF_IFD)), dict(exif.get_ifd(GPS_IFD)))


@dataclass(frozen=True)
class EmbeddedData:
    """Data of a file beside its picture and what is needed to show it right."""

    exifs: list[bytes] = field(default_factory=list)
    pages: list[Tags] = field(default_factory=list)
    """Tags of the pages of a TIFF file."""
    texts: list[bytes] = field(default_factory=list)
    """XMP, captions, comments, and all other data that may hold a picture or a name."""
    hidden_content: list[str] = field(default_factory=list)
    """Descriptions of data that hold, or are likely to hold, another picture."""
    profiles: list[bytes] = field(default_factory=list)
    """ICC profiles, including bytes behind their end."""
    bytes_behind: int = 0
    """Number of bytes behind the end of the picture."""
    bytes_apart: int = 0
    """Number of bytes that nothing in the file refers to."""


def parse_exif(content: bytes) -> Image.Exif | None:
    """Parses EXIF data, with or without their prefix; None if they are damaged."""
    exif = Image.Exif()
    try:
        with pillow_state():
            exif.load(content)
    except (SyntaxError, ValueError, OSError, TypeError, struct.error) as error:
        logger.debug("EXIF data are not parsed: %s", error)
        return None
    return exif


def kept_exif(exif: Image.Exif | None, orientation: int, policy: Policy) -> bytes | None:
    """EXIF data to write, without a prefix; None if none are needed.

    Args:
        exif: of the source, if it has any.
        orientation: of the stored picture, 1..8; every policy keeps it.
    """
    kept = kept_tags(exif, policy)
    if orientation == 1 and (exif is None or (policy == "strip" and not kept and not kept.get_ifd(EXIF_IFD))):
        return None
    kept[ORIENTATION] = orientation
    return kept.tobytes().removeprefix(b"Exif\0\0")


def kept_tags(exif: Image.Exif | None, policy: Policy) -> Image.Exif:
    """The tags that the policy keeps. Damaged EXIF data are left out as a whole, since they cannot be written."""
    kept = Image.Exif()
    if exif is None:
        return kept
    try:
        with pillow_state():
            if policy != "strip":
                _copy(exif, kept, policy)
            copy_display(exif, kept)
            kept.tobytes()
    except DAMAGED_TAGS as error:
        logger.debug("damaged EXIF data are left out: %s", error)
        return Image.Exif()
    return kept


def _copy(source: Image.Exif, target: Image.Exif, policy: Policy) -> None:
    main: Container[int] = _SAFE if policy == "safe" else _Everything(_PICTURES | _POINTERS | {MAKER_NOTE})
    inner: Container[int] = _SAFE_EXIF if policy == "safe" else _Everything({MAKER_NOTE, 0xA005})
    for tag, value in source.items():
        if tag in main and _holds_no_picture(value):
            target[tag] = value
    directories = [(EXIF_IFD, inner), *([(GPS_IFD, _Everything(()))] if policy == "keep" else [])]
    for pointer, tags in directories:
        values = source.get_ifd(pointer).items()
        if kept := {tag: v for tag, v in values if tag in tags and _holds_no_picture(v)}:
            target.get_ifd(pointer).update(kept)  # a directory without tags is not allowed


def _holds_no_picture(value: object) -> bool:
    """Whether a value is not a picture. Long binary values may be one, such as layers of Photoshop."""
    if isinstance(value, bytes | tuple) and len(value) > _LONGEST:
        return False
    return not isinstance(value, bytes) or not any(start in value for start in _STARTS)


class _Everything(Container[int]):
    """All tags except some."""

    def __init__(self, excluded: Container[int]) -> None:
        self._excluded = excluded

    def __contains__(self, tag: object) -> bool:
        return tag not in self._excluded


def signs_of_pictures(text: bytes) -> list[bytes]:
    """The signs in a text, an XMP packet or other bytes that these may hold a picture."""
    return [sign for sign in _SIGNS_OF_PICTURES if sign in text]


def is_text_kept(text: bytes, policy: Policy) -> bool:
    """Whether a comment, an XMP packet or a text chunk is kept: under `keep`, unless it may hold a picture.

    Text with zeros is not kept: it is binary, or in UTF-16, in which the signs would be missed.
    """
    plain = text.rstrip(b"\0")
    return policy == "keep" and b"\0" not in plain and not signs_of_pictures(plain)


def with_orientation(xmp: bytes, orientation: int) -> bytes:
    """An XMP packet in which the orientation, if it tells one, is another."""
    return _XMP_ORIENTATION.sub(
        lambda found: b"%s%d%s" % (found[1] or found[3], orientation, found[2] or found[4]), xmp
    )


def are_captions_kept(iptc: bytes, policy: Policy) -> bool:
    """Whether captions and keywords (IPTC) are kept: under `keep`, unless they hold a preview."""
    return policy == "keep" and not any(sign in iptc for sign in _IPTC_PREVIEWS)


def exact_profile(profile: bytes) -> bytes:
    """An ICC profile without bytes behind its end. (ICC.1:2022, section 7.2.2: its size comes first.)"""
    size = int.from_bytes(profile[:4], "big")
    return profile[:size] if _PROFILE_HEADER <= size < len(profile) else profile
