"""A picture between reading and writing: its pixels, and all that is needed to write the file again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
import numpy.typing as npt
from PIL import Image

from anonymizer.formats import Format
from anonymizer.types import Alpha, Fidelity, Pixels, Pixels8, Source


@dataclass(frozen=True)
class Encoding:
    """How a picture is stored, so that it can be stored the same way again."""

    format: Format
    orientation: int = 1
    """EXIF orientation 1..8: the stored pixels are turned by it for display."""
    other_orientations: tuple[int, ...] = ()
    """What the file also states, in carriers that viewers do not follow: see `carriers`."""
    quantization: Sequence[Sequence[int]] | None = None
    """JPEG: 64 values row by row for luminance, and another 64 for the colours if there are any."""
    subsampling: int = 0
    """JPEG: 0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0."""
    progressive: bool = False
    has_palette: bool = False


@dataclass(frozen=True)
class Frame:
    """One upright picture of a file: the only one, a page, or a moment of an animation as it is shown."""

    pixels: Pixels
    alpha: Alpha | None = None
    shown: Pixels8 | None = None
    """The same in RGB if `pixels` are CMYK."""
    further: int = 0
    """How many of the last channels of `pixels` are bands of their own, such as near infrared, neither colours nor
    alpha. They are redacted like colours."""
    other_turns: tuple[int, ...] = ()
    """Orientations 2..8 by which the upright frame would be turned if other carriers of the file were right: it is in
    doubt which way is up, and detectors look at it in these ways too."""

    @property
    def view(self) -> Pixels:
        """The pixels for detectors: gray or RGB."""
        if self.shown is not None:
            return self.shown
        return np.ascontiguousarray(self.pixels[:, :, : -self.further]) if self.further else self.pixels

    @property
    def bands(self) -> list[Pixels]:
        """Those beside the colours, each (H, W, 1): detectors look at each by itself."""
        first = self.pixels.shape[2] - self.further
        return [self.pixels[:, :, number : number + 1] for number in range(first, self.pixels.shape[2])]


@dataclass(frozen=True)
class Picture:
    """The upright picture or pictures of one file."""

    frames: tuple[Frame, ...]
    content: bytes
    """The bytes of the file."""
    encoding: Encoding
    is_animation: bool = False
    """Whether the frames follow each other in time; otherwise they are independent pages."""
    left_out: tuple[str, ...] = ()
    """Notes for the report: data of the file that the output will not hold."""
    allow_truncated: bool = False
    """Whether truncated files were allowed when it was read, see `ReadSettings`: this may be one."""
    remarks: tuple[str, ...] = ()
    """Further warnings about the file for the user."""

    @cached_property
    def source(self) -> Source:
        """What tells its file from others."""
        sizes = [(frame.pixels.shape[1], frame.pixels.shape[0]) for frame in self.frames]
        are_alike = len(set(sizes)) == 1
        return Source(sha256(self.content).hexdigest(), len(sizes), tuple(sizes[:1] if are_alike else sizes))

    @property
    def pixels(self) -> Pixels:
        """Those of the first frame."""
        return self.frames[0].pixels

    @property
    def alpha(self) -> Alpha | None:
        """Those of the first frame."""
        return self.frames[0].alpha


@dataclass(frozen=True)
class StoredFrame:
    """A redacted frame in the orientation of the file."""

    pixels: Pixels
    """(H, W, C): gray, gray with alpha, RGB, RGBA, or CMYK; or gray, RGB or CMYK with further bands."""
    changed: npt.NDArray[np.bool_]
    """(H, W): where the pixels may differ from the source."""

    @cached_property
    def is_changed(self) -> bool:
        return bool(self.changed.any())


@dataclass(frozen=True)
class Encoded:
    """A picture file ready to be written."""

    content: bytes
    fidelity: Fidelity
    left_out: tuple[str, ...] = ()
    """Notes for the report: data of the source that the file does not hold any more."""


def to_image(stored: Pixels) -> Image.Image:
    """(H, W, C) as an image of Pillow."""
    return Image.fromarray(stored[:, :, 0] if stored.shape[2] == 1 else stored)
