"""Turns redacted pixels back into the bytes of a picture file."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from anonymizer.files import jpeg, png, whole
from anonymizer.files.metadata import Policy
from anonymizer.files.picture import Encoding, Picture, turn_back, turn_upright
from anonymizer.types import Alpha, Fidelity, Pixels, Pixels8


@dataclass(frozen=True)
class Encoded:
    """A picture file ready to be written."""

    content: bytes
    fidelity: Fidelity
    left_out: list[str]
    """What a user should know is no longer in the file."""


def encode_picture(
    picture: Picture, pixels: Pixels, alpha: Alpha | None, changed: npt.NDArray[np.bool_], policy: Policy
) -> Encoded:
    """The file of a redacted picture, stored the way that the source was.

    Args:
        picture: as it was read.
        pixels: upright, redacted.
        alpha: upright, redacted.
        changed: bool (H, W), upright: where `pixels` may differ from the source. JPEG files are not touched elsewhere.
        policy: which metadata to keep.
    """
    orientation = picture.encoding.orientation
    stored = turn_back(pixels if alpha is None else np.dstack([pixels, alpha]), orientation)
    if picture.encoding.format == "PNG":
        is_same = not changed.any() and _is_same(alpha, picture.alpha)
        as_it_is = png.with_kept_metadata(picture.content, orientation, policy) if is_same else None
        content = as_it_is or png.encode(stored, picture.content, orientation, policy)
        return Encoded(content, "lossless", png.left_out(picture.content))
    if picture.encoding.format != "JPEG":
        content, fidelity = whole.encode(stored, picture.encoding.format, picture.content, orientation, policy)
        return Encoded(content, fidelity, [])
    content, fidelity = _encode_jpeg(picture, stored, turn_back(changed, orientation), policy)
    return Encoded(content, fidelity, jpeg.left_out(picture.content))


def may_differ(source: Picture, changed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Where a file in which these pixels were replaced may show others than its source: bool (H, W), upright.

    Nowhere else unless the whole picture was encoded anew.

    Args:
        changed: bool (H, W), upright.
    """
    if source.encoding.format != "JPEG" or not changed.any():
        return changed
    orientation = source.encoding.orientation
    return turn_upright(jpeg.reach_of_blocks(source.content, turn_back(changed, orientation)), orientation)


def encode_preview(pixels: Pixels8) -> bytes:
    """A JPEG file of a picture that somebody should look at. `pixels`: (H, W, 3), RGB."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _is_same(one: Alpha | None, other: Alpha | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def _encode_jpeg(
    picture: Picture, stored: Pixels, changed: npt.NDArray[np.bool_], policy: Policy
) -> tuple[bytes, Fidelity]:
    source, orientation = picture.content, picture.encoding.orientation
    if not changed.any() and jpeg.is_plain(source):
        return jpeg.with_kept_metadata(source, orientation, policy), "lossless"
    try:
        content, fidelity = jpeg.replace_blocks(source, stored, changed), "lossless"
    except jpeg.CoefficientsError:
        content, fidelity = _encode_jpeg_anew(stored, picture.encoding), "reencoded"
    return jpeg.with_metadata_of(source, content, orientation, policy), fidelity  # type: ignore[return-value]


def _encode_jpeg_anew(stored: Pixels, encoding: Encoding) -> bytes:
    image = Image.fromarray(stored[:, :, 0] if stored.shape[2] == 1 else stored)
    options: dict[str, Any] = {"qtables": encoding.quantization, "progressive": encoding.progressive}
    if image.mode == "RGB":
        options["subsampling"] = encoding.subsampling
    if encoding.progressive:
        # Pillow keeps a progressive file in one buffer, whose size it guesses too small for noisy pictures.
        ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 8 * image.width * image.height)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()
