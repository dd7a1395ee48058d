"""What is known of each format of files: one `Codec` per row of `anonymizer.formats.FORMATS`.

To add a format, write a module with its codec and a row with its name.
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
"""(H, W), upright"""


def _is_opened_by_pillow(content: bytes) -> bool:
    return True


def _as_changed(source: Picture, frame: Frame, changed: Mask) -> Mask:
    return changed


def _nothing_left_out(picture: Picture, frames: Sequence[StoredFrame]) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Codec:
    """How files of a format are decoded, encoded and inspected.

    Its functions are called without the lock of `global_state`; they take it around what they do with Pillow. They may
    raise `PictureError`; `decode` also whatever decoders raise on damaged files.
    """

    decode: Callable[[Image.Image, bytes, ReadSettings], Picture]
    """The picture in an image that Pillow has opened and not loaded, with the bytes of its file. The size of the image
    is within the limit; if the file holds several, `decode` checks the sum."""
    encode: Callable[[Picture, Sequence[StoredFrame], Policy], Encoded]
    """The file with these frames in place of the picture's, and the metadata that the policy keeps."""
    embedded_data: Callable[[bytes], EmbeddedData]
    """What a file that can be decoded holds beside its picture."""
    can_open: Callable[[bytes], bool] = _is_opened_by_pillow
    """Whether Pillow opens files of this format; makes it do so if need be. Raises `PictureError` if these bytes are
    such a file and a decoder has to be installed."""
    may_differ: Callable[[Picture, Frame, Mask], Mask] = _as_changed
    """See `encode.may_differ`."""
    left_out: Callable[[Picture, Sequence[StoredFrame]], Sequence[str]] = _nothing_left_out
    """What a user should know is not in the file that `encode` makes of these frames, besides what it says itself."""
    variants: Sequence[str] = ()
    """Further names by which Pillow calls the format."""


@cache
def _load(place: str) -> Codec:
    module, _, name = place.partition(":")
    codec: Codec = getattr(import_module(module), name)
    return codec


def codec_of(file_format: Format) -> Codec:
    """The codec of a format, whose module is imported when first needed."""
    return _load(FORMATS[file_format].codec)
