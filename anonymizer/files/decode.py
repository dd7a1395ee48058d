"""Decodes picture files. The format is recognised by the content, not by the name."""

from __future__ import annotations

import io
import logging
import re
import struct
from dataclasses import replace
from pathlib import PurePath

from PIL import Image, UnidentifiedImageError

from anonymizer.errors import PictureError, TooLargeError
from anonymizer.files.codecs import codec_of
from anonymizer.files.global_state import pillow_state
from anonymizer.files.picture import Picture
from anonymizer.files.trailing_data import is_complete
from anonymizer.formats import EXTENSIONS, FORMATS, Format
from anonymizer.settings import ReadSettings

logger = logging.getLogger(__name__)

_DECODING_ERRORS = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, RuntimeError, struct.error)
"""Errors that decoders raise on damaged files."""

_RAW_FORMATS = {
    "CR3": rb"....ftypcrx ",
    "CRW": rb"II\x1a\0\0\0HEAPCCDR",
    "MRW": rb"\0MRM",
    "ORF": rb"II(RO|RS)|MMOR",
    "RAF": rb"FUJIFILMCCD-RAW",
    "RW2": rb"IIU\0",
    "X3F": rb"FOVb",
}
"""How files of cameras begin whose raw format is none of TIFF."""


def decode_picture(content: bytes, settings: ReadSettings = ReadSettings(), name: str = "") -> Picture:
    """Decodes a picture: gray, RGB, CMYK or palette, with or without alpha, of 8 or 16 bits, one frame or several.

    Safe to call from several threads. Only one of them decodes by Pillow at a time; most JPEG files do not need it.

    Args:
        content: the bytes of a file.
        settings: `max_pixels` limits the sum over all frames.
        name: of the file, if any: `Picture.remarks` reports an extension that belongs to another format.

    Raises:
        PictureError: the file is damaged, or of a kind that is not handled.
        TooLargeError: it has too many pixels.
    """
    readable = [file_format for file_format in FORMATS if codec_of(file_format).can_open(content)]
    try:
        with pillow_state(settings.allow_truncated):
            image = Image.open(io.BytesIO(content), formats=readable)
        if image.width * image.height > settings.max_pixels:
            raise TooLargeError(f"has {image.width} x {image.height} pixels, more than --max-pixels")
        file_format = _format_of(image)
        picture = codec_of(file_format).decode(image, content, settings)
        remarks = _remarks(name, file_format)
        if settings.allow_truncated and not is_complete(content, file_format):
            remarks = (*remarks, "is cut off or damaged: what is missing of the picture shows gray or black")
        return replace(picture, allow_truncated=settings.allow_truncated, remarks=remarks)
    except UnidentifiedImageError:
        logger.debug("not recognised by Pillow", exc_info=True)
        raise PictureError(_what_it_seems(content)) from None
    except _DECODING_ERRORS as error:
        logger.debug("not decoded", exc_info=True)
        is_refused = "truncated" in str(error) and not settings.allow_truncated
        advice = "; --allow-truncated processes what is there" if is_refused else ""
        raise PictureError(f"is damaged: {error}{advice}") from None


def _format_of(image: Image.Image) -> Format:
    """The key of `FORMATS` for an image that Pillow opened."""
    return next(name for name in FORMATS if image.format in (name, *codec_of(name).variants))


def _what_it_seems(content: bytes) -> str:
    """The reason to refuse a file that Pillow does not recognise."""
    for file_format in FORMATS.values():
        if re.match(file_format.start, content, re.DOTALL):
            return f"seems to be a {file_format.name} file, but is damaged or of a kind that is not handled"
    for name, start in _RAW_FORMATS.items():
        if re.match(start, content, re.DOTALL):
            return f"is a raw file ({name}); convert it to TIFF or JPEG first"
    return f"is no picture in {', '.join(file_format.name for file_format in FORMATS.values())} format"


def _remarks(name: str, found: Format) -> tuple[str, ...]:
    """A remark if the extension belongs to another format: the output keeps the name."""
    extension = PurePath(name).suffix.lower().removeprefix(".")
    if extension not in EXTENSIONS or extension in FORMATS[found].extensions:
        return ()
    return (f"is a {FORMATS[found].name} file with the extension of another format",)
