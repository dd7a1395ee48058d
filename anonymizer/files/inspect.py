"""Looks for what a picture file tells or shows beside its picture.

Takes a finished file as a stranger would, whoever wrote it; what the policies of `metadata` keep under `strip` and
`safe` is no remark.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from PIL import Image

from anonymizer.files import jpeg, png
from anonymizer.files.metadata import (
    EXIF_IFD,
    GPS_IFD,
    MAKER_NOTE,
    Extras,
    parse_exif,
    quiet_pillow,
    signs_of_pictures,
)
from anonymizer.files.picture import Format

RemarkKind: TypeAlias = Literal["preview", "gps", "serial", "name", "trailing"]
REMARK_KINDS: tuple[RemarkKind, ...] = ("preview", "gps", "serial", "name", "trailing")

_THUMBNAIL_IFD = 1
_GPS_VERSION = 0
_SERIALS = {
    0xA431: "serial number of the camera",
    0xA435: "serial number of the lens",
    0xC62F: "serial number of the camera",
    0xA420: "unique number of the picture",
    0xC65D: "unique number of the picture",
}
_NAMES = {0x013B: "artist", 0x9C9D: "author", 0xA430: "owner of the camera"}

# Properties of XMP, by their local names.
_XMP_SIGNS: Mapping[RemarkKind, tuple[bytes, ...]] = {
    "gps": (b"GPSLatitude", b"GPSLongitude", b"GPSPosition"),
    "serial": (b"SerialNumber", b"ImageUniqueID"),
    "name": (b"PersonInImage", b"mwg-rs:", b"MPReg:", b"OwnerName"),
}

_WEBP_CHUNKS = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP")
_SUB_DIRECTORIES, _TIFF_TEXTS = (0x014A, 0x0201), (0x02BC, 0x8649, 0x83BB)  # XMP, Photoshop, IPTC
_BMP_PIXELS_AT, _BMP_SIZE_AT = 10, 34


@dataclass(frozen=True)
class Remark:
    """Something that a picture file holds and a redacted one should not."""

    kind: RemarkKind
    text: str


def inspect_file(content: bytes, file_format: Format) -> list[Remark]:
    """What a file that can be read holds beside its picture: no more than one remark of each sort.

    Looked for are further pictures, GPS positions, serial and other unique numbers of devices, names of people, and
    bytes behind the end of the picture.
    """
    extras = EXTRAS[file_format](content)
    remarks = [Remark("preview", what) for what in extras.previews]
    for exif in extras.exifs:
        remarks += _remarks_on_exif(exif, is_whole_file=file_format == "TIFF")
    for text in extras.texts:
        remarks += _remarks_on_text(text)
    if extras.bytes_behind:
        remarks.append(Remark("trailing", f"{extras.bytes_behind} bytes behind the end of the picture"))
    return list(dict.fromkeys(remarks))


def _webp_extras(content: bytes) -> Extras:
    """(WebP container specification.)"""
    end = 8 + int.from_bytes(content[4:8], "little")
    found = Extras(bytes_behind=max(0, len(content) - end - end % 2))
    position = 12  # "RIFF", size, "WEBP"
    while position + 8 <= min(end, len(content)):
        kind, size = content[position : position + 4], int.from_bytes(content[position + 4 : position + 8], "little")
        data = content[position + 8 : position + 8 + size]
        if kind == b"EXIF":
            found.exifs.append(data)
        elif kind == b"C2PA":
            found.previews.append("content credentials (C2PA)")
        elif kind not in _WEBP_CHUNKS:
            found.texts.append(data)
        position += 8 + size + size % 2
    return found


def _tiff_extras(content: bytes) -> Extras:
    """The file is laid out like EXIF data, whose first directory is that of the picture. It has no end."""
    found = Extras(exifs=[content])
    with quiet_pillow(), Image.open(io.BytesIO(content), formats=["TIFF"]) as image:
        tags = image.tag_v2
        if any(tag in tags for tag in _SUB_DIRECTORIES):
            found.previews.append("a directory of further pictures")
        found.texts.extend(value for tag in _TIFF_TEXTS if isinstance(value := tags.get(tag), bytes))
    return found


def _bmp_extras(content: bytes) -> Extras:
    """Place and size of the pixels stand in the header; the size is often 0."""
    start, size = (int.from_bytes(content[at : at + 4], "little") for at in (_BMP_PIXELS_AT, _BMP_SIZE_AT))
    return Extras(bytes_behind=max(0, len(content) - start - size) if size else 0)


EXTRAS: Mapping[Format, Callable[[bytes], Extras]] = {
    "JPEG": jpeg.extras,
    "PNG": png.extras,
    "BMP": _bmp_extras,
    "TIFF": _tiff_extras,
    "WEBP": _webp_extras,
}
"""What a file of each format holds beside its picture."""


def _remarks_on_exif(content: bytes, is_whole_file: bool) -> Iterator[Remark]:
    exif = parse_exif(content)
    if exif is None:
        yield Remark("preview", "damaged EXIF data, which may hold anything")
        return
    try:
        with quiet_pillow():
            yield from _remarks_on_tags(exif)
            if not is_whole_file and (exif.get_ifd(_THUMBNAIL_IFD) or signs_of_pictures(content)):
                yield Remark("preview", "a thumbnail in the EXIF data")
    except (ValueError, TypeError, KeyError, OSError, SyntaxError, OverflowError, AttributeError, struct.error):
        yield Remark("preview", "damaged EXIF data, which may hold anything")


def _remarks_on_tags(exif: Image.Exif) -> Iterator[Remark]:
    inner, position = exif.get_ifd(EXIF_IFD), exif.get_ifd(GPS_IFD)
    tags = {**dict(exif.items()), **inner}
    if any(tag != _GPS_VERSION for tag in position):
        yield Remark("gps", "GPS data in the EXIF data")
    for tag, text in _SERIALS.items():
        if tags.get(tag):
            yield Remark("serial", f"{text} in the EXIF data")
    for tag, text in _NAMES.items():
        if tags.get(tag):
            yield Remark("name", f"{text} in the EXIF data")
    if MAKER_NOTE in tags:
        yield Remark("preview", "a maker note, in which cameras put previews and serial numbers")


def _remarks_on_text(text: bytes) -> Iterator[Remark]:
    plain = text.replace(b"\0", b"")  # UTF-16 too
    if signs_of_pictures(text) or signs_of_pictures(plain):
        yield Remark("preview", "a picture in XMP, a comment, a text or an unknown block")
    for kind, signs in _XMP_SIGNS.items():
        if any(sign in plain for sign in signs):
            what = {"gps": "GPS data", "serial": "serial or unique number", "name": "names or marked people"}[kind]
            yield Remark(kind, f"{what} in XMP or a text")


_STARTS = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n",
    b"GIF8",
    b"II*\0",  # TIFF, and raw files of many cameras
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"8BPS",  # Photoshop
    b"\xff\x0a",  # JPEG XL
    b"\0\0\0\x0cJXL ",
    b"\0\0\0\x0cjP  ",  # JPEG 2000
    b"\xff\x4f\xff\x51",
)
_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1", b"crx ")
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)


def is_picture(path: Path) -> bool:
    """Whether a file begins like a picture in a usual format, one that can be read here or not."""
    try:
        if not path.is_file():
            return False
        with open(path, "rb") as file:
            start = file.read(32)
    except OSError:
        return False
    is_bmp = start[:2] == b"BM" and int.from_bytes(start[14:18], "little") in _BMP_HEADERS
    is_webp = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    is_heif = start[4:8] == b"ftyp" and start[8:12] in _BRANDS
    return start.startswith(_STARTS) or is_bmp or is_webp or is_heif
