"""A picture with its mask and the owners of its pixels: what every pass over the pixels works on.

The modules with a C file of the same name (`shapes`, `sums`, `blending`) do their work in native code where that was
built, and in numpy otherwise. Both give the same result, to the last bit.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer import native
from anonymizer.geometry import PixelBox
from anonymizer.types import Pixels

Mask: TypeAlias = npt.NDArray[np.float32]
"""float32 (H, W) in [0, 1]: the share of each pixel that is replaced."""
Owners: TypeAlias = npt.NDArray[np.int32]
"""int32 (H, W): 0 where nothing is replaced, otherwise the number of the target that the pixel belongs to."""
Integers: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.uint8]
"""uint8 (height, width) of 0 and 1, as OpenCV takes masks."""

MAX_CHANNELS = 4
"""The native code takes no more. Must be as in planes.h."""


class Addresses(ctypes.Structure):
    """Where the arrays of `Planes` lie. Must be as in planes.h."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("pixels", "mask", "owners")),
        *((name, ctypes.c_int32) for name in ("width", "channels")),
    )


@dataclass(frozen=True)
class Planes:
    """A picture, its mask, and whom each masked pixel belongs to."""

    pixels: Pixels
    mask: Mask
    owners: Owners

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.mask.shape[0], self.mask.shape[1]

    def visible(self, area: PixelBox) -> Flags:
        """1 where nothing is replaced, otherwise 0: (height, width) of the area."""
        visible: Flags = (self.mask[area.slices] == 0).astype(np.uint8)
        return visible

    @cached_property
    def addresses(self) -> Addresses:
        """For the native code, which reads and writes the arrays in place.

        Raises:
            ValueError: the mask or the owners are not contiguous.
        """
        if not self.mask.flags.c_contiguous or not self.owners.flags.c_contiguous:
            raise ValueError("mask and owners must be contiguous")
        pixels = self.pixels.ctypes.data if self._has_plain_pixels else None
        return Addresses(pixels, self.mask.ctypes.data, self.owners.ctypes.data, *self.pixels.shape[1:])

    @property
    def native_library(self) -> ctypes.CDLL | None:
        """The native code, if it was built and can work on the pixels: contiguous ones of 8 bits."""
        return native.library() if self._has_plain_pixels else None

    @cached_property
    def _has_plain_pixels(self) -> bool:
        plain = self.pixels.dtype == np.uint8 and self.pixels.flags.c_contiguous
        return bool(plain and self.pixels.shape[2] <= MAX_CHANNELS)
