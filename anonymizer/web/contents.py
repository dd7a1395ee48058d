"""What a posted file seems to be, by its beginning. Whether it is one, the decoders say."""

from __future__ import annotations

import re

from anonymizer.formats import FORMATS
from anonymizer.web.problems import Problem

_FILMS = re.compile(
    rb"....(ftyp|moov|mdat|wide|skip)|\x1a\x45\xdf\xa3|RIFF....AVI |\0\0\x01[\xb3\xba]|\x47.{187}\x47|\x30\x26\xb2\x75"
    rb"|FLV\x01|OggS",
    re.DOTALL,
)
"""MP4 and QuickTime, Matroska and WebM, AVI, MPEG, MPEG-TS, ASF, Flash, Ogg."""


def is_film(content: bytes) -> bool:
    """Whether it seems to be a film."""
    return not is_picture(content) and _FILMS.match(content) is not None


def is_picture(content: bytes) -> bool:
    """Whether it begins like a picture of a format that is handled."""
    return any(re.match(each.start, content, re.DOTALL) for each in FORMATS.values())


def check_content(content: bytes, takes_films: bool) -> bool:
    """Whether it is a film, and no picture.

    Raises:
        Problem: the file is none that could be processed.
    """
    if not content:
        raise Problem("bad-request", "there is no file in the request")
    if is_picture(content):
        return False
    if not is_film(content):
        names = ", ".join(each.name for each in FORMATS.values())
        raise Problem("unsupported", f"the file is no film, and no picture in {names} format")
    if not takes_films:
        raise Problem("unsupported", "the server takes pictures, and no films")
    return True
