"""Turns redacted frames back into the bytes of a picture file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.files import bmp, gif, heif, jpeg, jpeg2000, jpeg_blocks, png, tiff, webp
from anonymizer.files.metadata import Policy
from anonymizer.files.picture import Encoded, Frame, Picture, StoredFrame, to_image, turn_back, turn_upright
from anonymizer.formats import Format
from anonymizer.types import Pixels8

Encoder: TypeAlias = Callable[[Picture, Sequence[StoredFrame], Policy], Encoded]

_ENCODERS: Mapping[Format, Encoder] = {
    "JPEG": jpeg.encode,
    "PNG": png.encode,
    "GIF": gif.encode,
    "TIFF": tiff.encode,
    "WEBP": webp.encode,
    "BMP": bmp.encode,
    "AVIF": heif.encode,
    "HEIF": heif.encode,
    "JPEG2000": jpeg2000.encode,
}


def encode_picture(
    picture: Picture, frames: Sequence[Frame], changed: Sequence[npt.NDArray[np.bool_]], policy: Policy
) -> Encoded:
    """The file of a redacted picture, stored the way that the source was.

    Safe in several threads, which wait for each other where Pillow or jpeglib need global state.

    Args:
        picture: as it was read.
        frames: the same frames, upright, redacted.
        changed: bool (H, W) per frame, upright: where its pixels may differ from the source.
        policy: which metadata to keep.

    Raises:
        PictureError: the file cannot be written in its format.
    """
    stored = [
        _to_stored(frame, source, mask, picture.encoding.orientation)
        for frame, source, mask in zip(frames, picture.frames, changed, strict=True)
    ]
    encoded = _ENCODERS[picture.encoding.format](picture, stored, policy)
    return Encoded(encoded.content, encoded.fidelity, (*picture.left_out, *encoded.left_out, *_notes(picture, stored)))


def may_differ(source: Picture, frame: Frame, changed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Where a file in which these pixels were replaced may show others than its source: bool (H, W), upright.

    Nowhere else unless the whole picture was encoded anew.

    Args:
        frame: of the source.
        changed: bool (H, W), upright: where it was replaced.
    """
    if source.encoding.format == "GIF" and frame.alpha is not None:
        return np.asarray(changed | (frame.alpha == 0))  # transparent pixels have no colours of their own
    if source.encoding.format != "JPEG" or not changed.any():
        return changed
    orientation = source.encoding.orientation
    return turn_upright(jpeg_blocks.reach_of_blocks(source.content, turn_back(changed, orientation)), orientation)


def encode_preview(pixels: Pixels8) -> bytes:
    """A JPEG file of a picture that somebody should look at. `pixels`: (H, W, 3), RGB."""
    buffer = io.BytesIO()
    to_image(pixels).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _notes(picture: Picture, frames: Sequence[StoredFrame]) -> Iterator[str]:
    """What any format's writer leaves out."""
    if b"jumb" in picture.content and b"c2pa" in picture.content:  # the box, JUMBF, that they are in, and their kind
        yield "content credentials (C2PA) are left out, since they no longer hold"
    is_kept = picture.encoding.format == "PNG" and not any(frame.is_changed for frame in frames)
    if picture.encoding.has_palette and picture.encoding.format in ("PNG", "BMP", "TIFF") and not is_kept:
        yield "the palette is left out: the colours are written as RGB"


def _to_stored(frame: Frame, source: Frame, changed: npt.NDArray[np.bool_], orientation: int) -> StoredFrame:
    if frame.alpha is None or source.alpha is None:
        return StoredFrame(turn_back(frame.pixels, orientation), turn_back(changed, orientation))
    pixels = np.dstack([frame.pixels, frame.alpha])
    return StoredFrame(turn_back(pixels, orientation), turn_back(changed | (frame.alpha != source.alpha), orientation))
