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
from anonymizer.files.metadata import EmbeddedData, Policy
from anonymizer.files.picture import Encoded, Encoding, Picture, StoredFrame
from anonymizer.settings import ReadSettings

logger = logging.getLogger(__name__)


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
        PictureError: the file has samples that are not handled.
    """
    with pillow_state(settings.allow_truncated):
        stored = heif.decode_main(image)
    bits = int(image.info.get("bit_depth", 8))
    return to_picture(stored, content, Encoding("HEIF"), heif.left_out(image, bits))


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A file with the main picture alone."""
    can_read_heic()
    return heif.encode_main(picture, frames, policy, _read_options)


def _read_options(source: Image.Image) -> Mapping[str, Any]:
    # x265's own choice takes twice the time for 5 % less.
    return {"chroma": source.info.get("chroma", 420), "enc_params": {"preset": "medium"}}


def embedded_data(content: bytes) -> EmbeddedData:
    """What a file holds beside its main picture."""
    can_read_heic()
    return heif.embedded_data(content, "HEIF")


CODEC = Codec(decode, encode, embedded_data, can_open)
