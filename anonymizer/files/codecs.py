"""How each format is decoded, encoded and inspected: one `Codec` per row of `anonymizer.formats.FORMATS`.

A new format needs a module with its codec, and a row in that table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from anonymizer.files.metadata import EmbeddedData, Policy
from anonymizer.files.picture import Encoded, Frame, Picture, StoredFrame
from anonymizer.formats import FORMATS, Format
from anonymizer.settings import ReadSettings

Mask: TypeAlias = npt.NDArray[np.bool_]
"""bool (H, W), upright"""


def _is_opened_by_pillow(content: bytes) -> bool:
    return True


def _as_changed(source: Picture, frame: Frame, changed: Mask) -> Mask:
    return changed


def _nothing_left_out(picture: Picture, frames: Sequence[StoredFrame]) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Codec:
    """How files of a format are decoded, encoded and inspected.

    The functions are called without the lock of `global_state` and take it themselves around calls of Pillow. All may
    raise `PictureError`; `decode` may also raise any error that decoders raise on damaged files.
    """

    decode: Callable[[Image.Image, bytes, ReadSettings], Picture]
    """The picture of a file, which gets an image that Pillow opened but did not load, and the bytes of the file. One
    image is within the limit of pixels; if a file may hold several, `decode` checks their sum."""
    encode: Callable[[Picture, Sequence[StoredFrame], Policy], Encoded]
    """The file with these frames in place of those of the picture, and with the metadata that the policy keeps."""
    embedded_data: Callable[[bytes], EmbeddedData]
    """What a file that can be decoded holds beside its picture."""
    can_open: Callable[[bytes], bool] = _is_opened_by_pillow
    """Whether Pillow can open files of this format; may register a plugin first. Raises `PictureError` if the bytes
    are such a file and its decoder is not installed."""
    may_differ: Callable[[Picture, Frame, Mask], Mask] = _as_changed
    """See `encode.may_differ`."""
    left_out: Callable[[Picture, Sequence[StoredFrame]], Sequence[str]] = _nothing_left_out
    """Further notes for the report: what the file that `encode` makes of these frames does not hold any more."""
    variants: Sequence[str] = ()
    """Other names that Pillow has for the format."""
    read_metadata: Callable[[bytes], EmbeddedData] | None = None
    """The same without what takes long to find; metadata are complete. None if nothing takes long."""

    @property
    def metadata(self) -> Callable[[bytes], EmbeddedData]:
        """Finds the metadata of a file that can be decoded."""
        return self.read_metadata or self.embedded_data


@cache
def _load(place: str) -> Codec:
    module, _, name = place.partition(":")
    codec: Codec = getattr(import_module(module), name)
    return codec


def codec_of(file_format: Format) -> Codec:
    """The codec of a format. Its module is imported at the first call."""
    return _load(FORMATS[file_format].codec)
