"""HEIC files, see `heif`. Pillow needs the package pillow-heif for them, which is imported for the first such file."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files import heif
from anonymizer.files.codecs import Codec
from anonymizer.files.frames import to_picture
from anonymizer.files.global_state import pillow_state
from anonymizer.files.heif_display import read_display
from anonymizer.files.metadata import Policy
from anonymizer.files.orientation import turn_between
from anonymizer.files.picture import Encoded, Encoding, Picture, StoredFrame
from anonymizer.settings import ReadSettings

logger = logging.getLogger(__name__)

_MAX_UNTILED = 142_606_336  # pixels, at level 7.2, the highest (ITU-T H.265, table A.8)
_TILE = 2048  # pixels, width and height of the tiles of larger pictures
_BT_601 = 6  # from RGB to YCbCr, as encoders do it if they are not told (ITU-T H.273, table 4)


@cache
def can_read_heic() -> bool:
    """Whether pillow-heif is installed. If so, Pillow can read and write HEIC files from now on."""
    try:
        import pillow_heif
    except ImportError as error:
        logger.debug("HEIC files cannot be read: %s", error)
        return False
    with pillow_state():
        pillow_heif.register_heif_opener()
    return True


def can_open(content: bytes) -> bool:
    """Whether pillow-heif is registered with Pillow, which is done for the first HEIC file.

    Raises:
        PictureError: this is a HEIC file, and pillow-heif is not installed.
    """
    if heif.find_brand(content) == "HEIF" and not can_read_heic():
        raise PictureError("is a HEIC file; to read those, 'pip install pillow-heif' into the program's environment")
    return "HEIF" in Image.OPEN


def decode(image: Image.Image, content: bytes, settings: ReadSettings) -> Picture:
    """The main picture, which the decoder turns upright.

    Raises:
        PictureError: the file has samples that are not handled, or is larger than the encoder can write.
    """
    if (
        image.width * image.height > _MAX_UNTILED and image.has_transparency_data
    ):  # its encoder knows no tiles with alpha
        raise PictureError(
            f"is a HEIC file with transparency and more than {_MAX_UNTILED:,} pixels, which cannot be written"
        )
    with pillow_state(settings.allow_truncated):
        stored = heif.decode_main(image)
    bits = int(image.info.get("bit_depth", 8))
    by_boxes = read_display(content, is_turned=True).orientation
    others = tuple(turn_between(by_boxes, other) for other in heif.stated(content, by_boxes).others)
    return to_picture(stored, content, Encoding("HEIF", other_orientations=others), heif.left_out(content, bits))


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A file with the main picture alone, in tiles if it is very large.

    Raises:
        PictureError: the encoder fails.
    """
    can_read_heic()
    display = read_display(picture.content, is_turned=True)
    height, width = frames[0].pixels.shape[:2]
    is_tiled = height * width > _MAX_UNTILED

    def read_options(source: Image.Image) -> Mapping[str, Any]:
        # x265's own choice takes twice the time for 5 % less.
        options = {"chroma": source.info.get("chroma", 420), "enc_params": {"preset": "medium"}}
        if is_tiled:
            options["tile_size"] = _TILE
        if display.colours is None:
            return options
        primaries, transfer = display.colours  # also for the headers of the compressed picture
        named = {"color_primaries": primaries, "transfer_characteristics": transfer}
        return {**options, **named, "matrix_coefficients": _BT_601, "full_range_flag": 1}

    return heif.encode_main(picture, frames, policy, display, read_options)


CODEC = Codec(decode, encode, heif.embedded_data, can_open)
