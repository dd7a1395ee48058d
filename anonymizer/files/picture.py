"""A picture between reading and writing: its pixels, and what is needed to write the file back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from anonymizer.types import Alpha, Pixels

Format: TypeAlias = Literal["JPEG", "PNG", "BMP", "TIFF", "WEBP"]
_Plane = TypeVar("_Plane", bound=np.generic)

# EXIF orientation (1..8): how the stored picture is turned upright, and back. Transposed? Then flipped
# top-bottom? Then flipped left-right? (CIPA DC-008, tag 0x0112.)
_TURNS: Mapping[int, tuple[bool, bool, bool]] = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


@dataclass(frozen=True)
class Encoding:
    """How a picture was stored, so that it can be stored the same way again."""

    format: Format
    orientation: int = 1
    """EXIF orientation 1..8: the stored pixels are turned by it for display."""
    quantization: Sequence[Sequence[int]] | None = None
    """JPEG: 64 values row by row for the luminance, and as many for the colours where there are any."""
    subsampling: int = 0
    """JPEG: 0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0."""
    progressive: bool = False


@dataclass(frozen=True)
class Picture:
    """An upright picture."""

    pixels: Pixels
    alpha: Alpha | None
    content: bytes
    """Of the file."""
    encoding: Encoding


def turn_upright(stored: npt.NDArray[_Plane], orientation: int) -> npt.NDArray[_Plane]:
    """Turns a stored picture, (H, W, ...), as its EXIF orientation asks."""
    transpose, flip_vertical, flip_horizontal = _TURNS[orientation]
    upright = stored.swapaxes(0, 1) if transpose else stored
    upright = upright[::-1] if flip_vertical else upright
    return np.ascontiguousarray(upright[:, ::-1] if flip_horizontal else upright)


def turn_back(upright: npt.NDArray[_Plane], orientation: int) -> npt.NDArray[_Plane]:
    """The inverse of `turn_upright`."""
    transpose, flip_vertical, flip_horizontal = _TURNS[orientation]
    stored = upright[:, ::-1] if flip_horizontal else upright
    stored = stored[::-1] if flip_vertical else stored
    return np.ascontiguousarray(stored.swapaxes(0, 1) if transpose else stored)
