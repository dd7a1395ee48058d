"""AVIF files, see `heif`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, features

from anonymizer.errors import PictureError
from anonymizer.files import heif
from anonymizer.files.carriers import stated_by
from anonymizer.files.codecs import Codec
from anonymizer.files.frames import read_encoding, to_picture
from anonymizer.files.global_state import pillow_state
from anonymizer.files.heif_display import read_display, shown_part
from anonymizer.files.metadata import Policy
from anonymizer.files.picture import Encoded, Frame, Picture, StoredFrame
from anonymizer.settings import ReadSettings

_SAMPLINGS = {0b11: "4:2:0", 0b10: "4:2:2", 0b00: "4:4:4"}
"""Chroma sampling by the two bits that say whether colours are halved horizontally and vertically."""


def can_open(content: bytes) -> bool:
    """Always true: Pillow has a plugin for AVIF.

    Raises:
        PictureError: this is an AVIF file, and Pillow was built without its decoder.
    """
    if heif.find_brand(content) == "AVIF" and not features.check("avif"):
        raise PictureError("is an AVIF file, which this build of Pillow cannot read")
    return True


def decode(image: Image.Image, content: bytes, settings: ReadSettings) -> Picture:
    """The main picture.

    Raises:
        PictureError: the file is an animation, or has samples that are not handled.
    """
    if getattr(image, "n_frames", 1) > 1:
        raise PictureError("is an animated AVIF file; convert it to an animated WebP file first")
    with pillow_state(settings.allow_truncated):
        stored = heif.decode_main(image)
    notes, display = heif.left_out(content, _bits(content)), read_display(content, is_turned=False)
    by_decoder = stated_by([image.info["exif"]] if "exif" in image.info else []).orientation  # Pillow puts it there
    encoding = read_encoding(image, "AVIF", heif.stated(content, by_decoder, [display.orientation]))
    part = shown_part(display.clean_aperture or b"", *stored.pixels.shape[:2])
    if part is not None:  # Pillow does not crop; viewers do
        stored = Frame(stored.pixels[part], None if stored.alpha is None else stored.alpha[part])
        notes.append("what the file crops, and viewers do not show, is left out")
    return to_picture(stored, content, encoding, notes)


def _bits(content: bytes) -> int:
    flags = _av1_flags(content)
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10


def _av1_flags(content: bytes) -> int:
    """Depth and sampling of the first picture in the file. (AV1 codec ISO media file format binding, section 2.3.3.)"""
    position = content.find(b"av1C")
    return content[position + 6] if 0 <= position < len(content) - 6 else 0b1100


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A file with the main picture alone."""

    def read_options(source: Image.Image) -> Mapping[str, Any]:
        is_gray = frames[0].pixels.shape[2] == 1
        return {"subsampling": "4:0:0" if is_gray else _SAMPLINGS.get(_av1_flags(picture.content) >> 2 & 0b11, "4:2:0")}

    display = read_display(picture.content, is_turned=False)
    return heif.encode_main(picture, frames, policy, display, read_options)


CODEC = Codec(decode, encode, heif.embedded_data, can_open)
