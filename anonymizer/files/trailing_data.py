"""Whether compressed data hold more than the picture. More could be another picture.

To check it, decode all data but the last bytes: if the picture is complete without them, they are not part of it.
"""

from __future__ import annotations

import io
import struct

from PIL import Image

from anonymizer.files.global_state import pillow_state
from anonymizer.formats import Format

CUT = 8
"""Bytes at the end that a decoder may not need: look-ahead, markers and padding."""


def is_complete(content: bytes, file_format: Format, allow_truncated: bool = False) -> bool:
    """Whether a decoder gets the whole picture from these data.

    JPEG files are decoded at an eighth of the size, which is quick.

    Args:
        allow_truncated: whether the decoder accepts truncated data.
    """
    try:
        with pillow_state(allow_truncated), Image.open(io.BytesIO(content), formats=[file_format]) as image:
            if file_format == "JPEG":
                image.draft(image.mode, (1, 1))
            image.load()
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, RuntimeError, struct.error):
        return False
    return True
