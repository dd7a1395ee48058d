"""Frames from images that Pillow opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.carriers import UPRIGHT, Stated
from anonymizer.files.global_state import pillow_state
from anonymizer.files.orientation import turn_between, turn_upright
from anonymizer.files.picture import Encoding, Frame, Picture, StoredFrame
from anonymizer.formats import Format
from anonymizer.settings import ReadSettings

PALETTES = ("P", "PA")
COLOURS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "I;16")
"""Modes of Pillow that are handled in most formats."""


def refuse_colours(image: Image.Image, handled: Sequence[str] = COLOURS) -> None:
    """Checks the mode of an image.

    Raises:
        PictureError: it is not in `handled`.
    """
    if image.mode not in handled:
        raise PictureError(f"is a {image.format} file in {image.mode} colours; convert it to RGB first")


def decode_still(
    image: Image.Image, content: bytes, settings: ReadSettings, file_format: Format, stated: Stated = UPRIGHT
) -> Picture:
    """The picture of a file with a single image.

    Raises:
        PictureError: its mode is not handled.
    """
    refuse_colours(image)
    with pillow_state(settings.allow_truncated):
        image.load()
        stored, encoding = to_frame(image), read_encoding(image, file_format, stated)
    return to_picture(stored, content, encoding)


def to_picture(stored: Frame, content: bytes, encoding: Encoding, left_out: Sequence[str] = ()) -> Picture:
    """A picture of one frame, turned upright by the orientation in `encoding`."""
    return Picture((to_upright(stored, encoding),), content, encoding, left_out=tuple(left_out))


def to_upright(stored: Frame, encoding: Encoding) -> Frame:
    """A stored frame, turned upright, and how else it might have to be turned."""
    others = tuple(turn_between(encoding.orientation, other) for other in encoding.other_orientations)
    return replace(turn_frame(stored, encoding.orientation), other_turns=others)


def turn_frame(stored: Frame, orientation: int) -> Frame:
    """A frame, turned by an orientation."""
    pixels = turn_upright(stored.pixels, orientation)
    alpha = None if stored.alpha is None else turn_upright(stored.alpha, orientation)
    shown = None if stored.shown is None else turn_upright(stored.shown, orientation)
    return Frame(pixels, alpha, shown, stored.further)


def to_frame(image: Image.Image) -> Frame:
    """A loaded image as a frame. It has at most 8 bits per channel, or is gray with 16."""
    if image.mode == "I;16":
        return Frame(np.asarray(image).astype(np.uint16)[:, :, np.newaxis])
    if image.mode == "CMYK":
        return Frame(np.asarray(image), shown=np.asarray(image.convert("RGB")))
    alpha = None
    colours = image
    if image.has_transparency_data:
        with_alpha = image.convert("LA" if image.mode in ("1", "L", "LA") else "RGBA")
        alpha = np.asarray(with_alpha.getchannel("A"))
        colours = with_alpha
    mode = "L" if colours.mode in ("1", "L", "LA") else "RGB"
    stored = np.asarray(colours if colours.mode == mode else colours.convert(mode))
    return Frame(stored[:, :, np.newaxis] if stored.ndim == 2 else stored, alpha)


def read_encoding(image: Image.Image, file_format: Format, stated: Stated = UPRIGHT) -> Encoding:
    """Orientation, which the file states, and palette of an image."""
    return Encoding(file_format, stated.orientation, stated.others, has_palette=image.mode in PALETTES)


def palette_left_out(picture: Picture, frames: Sequence[StoredFrame]) -> Sequence[str]:
    """`Codec.left_out` of formats whose palettes are not written."""
    return ("the palette is left out: the colours are written as RGB",) if picture.encoding.has_palette else ()
