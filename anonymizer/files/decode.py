"""Decodes a picture file. The content tells the format, whatever the name says."""

from __future__ import annotations

import io
import re
import struct
from dataclasses import replace
from pathlib import PurePath

from PIL import Image, UnidentifiedImageError

from anonymizer.errors import PictureError
from anonymizer.files.codecs import codec_of
from anonymizer.files.global_state import pillow_state
from anonymizer.files.picture import Picture
from anonymizer.files.trailing_data import is_complete
from anonymizer.formats import EXTENSIONS, FORMATS, Format
from anonymizer.settings import ReadSettings

_DECODING_ERRORS = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, RuntimeError, struct.error)
"""What decoders raise on damaged files."""


def decode_picture(content: bytes, settings: ReadSettings = ReadSettings(), name: str = "") -> Picture:
    """Decodes a picture: gray, RGB, CMYK or palette, with or without alpha, of 8 or 16 bits, one frame or several.

    Safe in several threads: what Pillow decodes is decoded by one thread after the other; most JPEG files are not.

    Args:
        content: the bytes of a file.
        name: of the file, if it has one: `Picture.remarks` says so where its extension is that of another format.

    Raises:
        PictureError: the file is damaged, or of a kind that is not handled.
    """
    readable = [file_format for file_format in FORMATS if codec_of(file_format).can_open(content)]
    try:
        with pillow_state(settings.allow_truncated):
            image = Image.open(io.BytesIO(content), formats=readable)
        if image.width * image.height > settings.max_pixels:
            raise PictureError(f"has {image.width} x {image.height} pixels, more than --max-pixels")
        file_format = _format_of(image)
        picture = codec_of(file_format).decode(image, content, settings)
        remarks = _remarks(name, file_format)
        if settings.allow_truncated and not is_complete(content, file_format):
            remarks = (*remarks, "is cut off or damaged: what is missing of the picture shows gray or black")
        return replace(picture, allow_truncated=settings.allow_truncated, remarks=remarks)
    except UnidentifiedImageError:
        raise PictureError(_what_it_seems(content)) from None
    except _DECODING_ERRORS as error:
        raise PictureError(f"is damaged: {error}") from None


def _format_of(image: Image.Image) -> Format:
    """The format by which this package knows what Pillow opened."""
    return next(name for name in FORMATS if image.format in (name, *codec_of(name).variants))


def _what_it_seems(content: bytes) -> str:
    """The reason to refuse what Pillow does not recognise."""
    for file_format in FORMATS.values():
        if re.match(file_format.start, content, re.DOTALL):
            return f"seems to be a {file_format.name} file, but is damaged or of a kind that is not handled"
    return f"is no picture in {', '.join(file_format.name for file_format in FORMATS.values())} format"


def _remarks(name: str, found: Format) -> tuple[str, ...]:
    """What to say where the extension is that of another format. The output has the same name."""
    extension = PurePath(name).suffix.lower().removeprefix(".")
    if extension not in EXTENSIONS or extension in FORMATS[found].extensions:
        return ()
    return (f"is a {FORMATS[found].name} file with the extension of another format",)
