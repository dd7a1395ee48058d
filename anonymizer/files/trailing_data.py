"""Whether compressed data hold more than the picture: the rest may be another one."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageFile

from anonymizer.files.metadata import quiet_pillow
from anonymizer.formats import Format

CUT = 8
"""Bytes that decoders may leave unread at the end: those they look ahead, markers and padding."""


def is_complete(content: bytes, file_format: Format) -> bool:
    """Whether a decoder gets the whole picture from these data.

    If it does without their last bytes, these were not needed. JPEG files are decoded at an eighth of the size, which
    is quick.
    """
    try:
        with quiet_pillow(), Image.open(io.BytesIO(content), formats=[file_format]) as image:
            image.draft(image.mode, (1, 1))
            image.load()
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, RuntimeError, struct.error):
        return False
    return True


@contextmanager
def strict_pillow() -> Iterator[None]:
    """Even where damaged files are allowed: what decodes without its last data shows that these are surplus."""
    usual, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = usual
