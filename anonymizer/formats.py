"""The formats that are read and written: their names, their extensions, and how their files begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Format: TypeAlias = Literal["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "HEIF", "JPEG2000"]
"""As Pillow names them."""


@dataclass(frozen=True)
class Signs:
    """By which people and programs tell files of a format."""

    name: str
    extensions: tuple[str, ...]
    """The usual one first, lower case, without a dot."""
    start: bytes
    """A regular expression for how a file begins."""


FORMATS: Mapping[Format, Signs] = {
    "JPEG": Signs("JPEG", ("jpg", "jpeg", "jpe", "jfif", "mpo"), rb"\xff\xd8\xff"),
    "PNG": Signs("PNG", ("png", "apng"), rb"\x89PNG"),
    "GIF": Signs("GIF", ("gif",), rb"GIF8"),
    "BMP": Signs("BMP", ("bmp", "dib"), rb"BM"),
    "TIFF": Signs("TIFF", ("tif", "tiff"), rb"II[*+]\0|MM\0[*+]"),
    "WEBP": Signs("WebP", ("webp",), rb"RIFF....WEBP"),
    "AVIF": Signs("AVIF", ("avif",), rb"....ftypavi[fs]"),
    "HEIF": Signs("HEIC", ("heic", "heif", "hif"), rb"....ftyp(he[iv][cxms]|mif1|msf1)"),
    "JPEG2000": Signs("JPEG 2000", ("jp2", "j2k", "jpf", "jpx"), rb"\xff\x4f\xff\x51|\0\0\0\x0cjP"),
}

EXTENSIONS = tuple(extension for signs in FORMATS.values() for extension in signs.extensions)
