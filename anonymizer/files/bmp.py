"""BMP files. Every pixel outside the mask stays; the density is their only metadata."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from anonymizer.files.codecs import Codec
from anonymizer.files.frames import decode_still, palette_left_out
from anonymizer.files.global_state import pillow_state
from anonymizer.files.metadata import EmbeddedData, Policy
from anonymizer.files.picture import Encoded, Picture, StoredFrame, to_image
from anonymizer.settings import ReadSettings


def decode(image: Image.Image, content: bytes, settings: ReadSettings) -> Picture:
    return decode_still(image, content, settings, "BMP")


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A BMP file of the only frame."""
    with pillow_state(), Image.open(io.BytesIO(picture.content), formats=["BMP"]) as image:
        options = {"dpi": image.info["dpi"]} if "dpi" in image.info else {}
    buffer = io.BytesIO()
    to_image(frames[0].pixels).save(buffer, "BMP", **options)
    return Encoded(buffer.getvalue(), "lossless")


_PIXELS_AT, _SIZE_AT = 10, 34


def embedded_data(content: bytes) -> EmbeddedData:
    """Only bytes behind the pixels. Their size stands in the header, and is often 0, which means unknown."""
    start, size = (int.from_bytes(content[at : at + 4], "little") for at in (_PIXELS_AT, _SIZE_AT))
    return EmbeddedData(bytes_behind=max(0, len(content) - start - size) if size else 0)


CODEC = Codec(decode, encode, embedded_data, left_out=palette_left_out)
