"""BMP files. Every pixel outside the mask stays; the density is their only metadata."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from anonymizer.files.metadata import Policy
from anonymizer.files.picture import Encoded, Picture, StoredFrame, to_image


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A BMP file of the only frame."""
    with Image.open(io.BytesIO(picture.content), formats=["BMP"]) as image:
        options = {"dpi": image.info["dpi"]} if "dpi" in image.info else {}
    buffer = io.BytesIO()
    to_image(frames[0].pixels).save(buffer, "BMP", **options)
    return Encoded(buffer.getvalue(), "lossless")
