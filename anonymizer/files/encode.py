"""Turns redacted pixels back into the bytes of a picture file."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from anonymizer.files import jpeg, png
from anonymizer.files.picture import Picture, turn_back
from anonymizer.types import Alpha, Fidelity, Pixels


def encode_picture(
    picture: Picture, pixels: Pixels, alpha: Alpha | None, changed: npt.NDArray[np.bool_]
) -> tuple[bytes, Fidelity]:
    """The file of a redacted picture, stored the way that the source was.

    Of the metadata only what is needed to show the picture right is written: orientation, colour space, density.

    Args:
        picture: as it was read.
        pixels: upright, redacted.
        alpha: upright, redacted.
        changed: bool (H, W), upright: where `pixels` may differ from the source. JPEG files are not touched elsewhere.
    """
    orientation = picture.encoding.orientation
    stored = turn_back(pixels if alpha is None else np.dstack([pixels, alpha]), orientation)
    image = Image.fromarray(stored[:, :, 0] if stored.shape[2] == 1 else stored)
    if picture.encoding.format == "PNG":
        is_same = not changed.any() and (alpha is None or picture.alpha is None or (alpha == picture.alpha).all())
        as_it_is = png.without_metadata(picture.content, orientation) if is_same else None
        return as_it_is or png.encode(image, picture.content, orientation), "lossless"
    if not changed.any():
        return jpeg.without_metadata(picture.content, orientation), "lossless"
    try:
        return jpeg.replace_blocks(picture.content, orientation, stored, turn_back(changed, orientation)), "lossless"
    except jpeg.CoefficientsError:
        return _encode_jpeg_anew(image, picture), "reencoded"


def _encode_jpeg_anew(image: Image.Image, picture: Picture) -> bytes:
    encoding = picture.encoding
    options: dict[str, Any] = {"qtables": encoding.quantization, "progressive": encoding.progressive}
    if image.mode == "RGB":
        options["subsampling"] = encoding.subsampling
    if encoding.progressive:
        # Pillow keeps a progressive file in one buffer, whose size it guesses too small for noisy pictures.
        ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 8 * image.width * image.height)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return jpeg.with_metadata_of(picture.content, buffer.getvalue(), encoding.orientation)
