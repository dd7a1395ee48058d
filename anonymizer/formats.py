"""The table of formats: names, extensions, beginnings of files, and where to find the codec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Format: TypeAlias = str
"""A key of `FORMATS`: the name that Pillow has for the format."""


@dataclass(frozen=True)
class FileFormat:
    """How files of a format are named and recognised."""

    name: str
    extensions: tuple[str, ...]
    """The usual one first, lower case, without a dot."""
    start: bytes
    """A regular expression for the beginning of a file."""
    codec: str
    """The place of its `anonymizer.files.codecs.Codec`, as "module:name"."""
    header: bytes = b""
    """A longer regular expression, for formats whose `start` may begin a text, too."""


_BMP_HEADER = rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0"  # the sizes that its second part may have

FORMATS: Mapping[Format, FileFormat] = {
    "JPEG": FileFormat("JPEG", ("jpg", "jpeg", "jpe", "jfif", "mpo"), rb"\xff\xd8\xff", "anonymizer.files.jpeg:CODEC"),
    "PNG": FileFormat("PNG", ("png", "apng"), rb"\x89PNG", "anonymizer.files.png:CODEC"),
    "GIF": FileFormat("GIF", ("gif",), rb"GIF8", "anonymizer.files.gif:CODEC"),
    "BMP": FileFormat("BMP", ("bmp", "dib"), rb"BM", "anonymizer.files.bmp:CODEC", _BMP_HEADER),
    "TIFF": FileFormat("TIFF", ("tif", "tiff"), rb"II[*+]\0|MM\0[*+]", "anonymizer.files.tiff:CODEC"),
    "WEBP": FileFormat("WebP", ("webp",), rb"RIFF....WEBP", "anonymizer.files.webp:CODEC"),
    "AVIF": FileFormat("AVIF", ("avif",), rb"....ftypavi[fs]", "anonymizer.files.avif:CODEC"),
    "HEIF": FileFormat(
        "HEIC", ("heic", "heif", "hif"), rb"....ftyp(he[iv][cxms]|mif1|msf1)", "anonymizer.files.heic:CODEC"
    ),
    "JPEG2000": FileFormat(
        "JPEG 2000", ("jp2", "j2k", "jpf", "jpx"), rb"\xff\x4f\xff\x51|\0\0\0\x0cjP", "anonymizer.files.jpeg2000:CODEC"
    ),
}

FILM_EXTENSIONS = (
    *("mp4", "m4v", "mov", "qt", "3gp", "3g2"),
    *("mkv", "webm"),
    *("avi", "divx"),
    *("ts", "mts", "m2ts", "mpg", "mpeg", "vob"),
    *("wmv", "asf"),
)
"""Of films, by container; only `anonymizer.video` knows more of them."""

EXTENSIONS = tuple(extension for file_format in FORMATS.values() for extension in file_format.extensions)
"""Of pictures."""
