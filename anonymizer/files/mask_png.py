"""Masks as PNG files: gray, 8 bits; several frames in one file, as an animated PNG that keeps each of them.

Portable Network Graphics (PNG) Specification, Third Edition, W3C 2025. Pillow would merge frames that are the same.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

MASK_SUFFIX = ".png"
FILM_MASK_SUFFIX = ".mov"
"""Of films, see `video.masks`."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2
"""The filter that stores the difference to the row above: mostly 0 in masks."""
_SHOWN_MS = 100
"""How long a viewer shows each frame."""


def encode_masks(masks: Sequence[npt.NDArray[np.uint8]]) -> bytes:
    """A PNG file of masks, 0 visible to 255 hidden.

    Args:
        masks: uint8 (H, W) of each frame. Smaller ones are widened by 0 on the right and at the bottom, up to the size
            of the largest.
    """
    height, width = (max(mask.shape[axis] for mask in masks) for axis in (0, 1))
    whole = [np.pad(mask, ((0, height - mask.shape[0]), (0, width - mask.shape[1]))) for mask in masks]
    return b"".join(_chunks(whole, height, width))


def _chunks(masks: Sequence[npt.NDArray[np.uint8]], height: int, width: int) -> Iterator[bytes]:
    yield _SIGNATURE
    yield _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    if len(masks) == 1:
        yield _chunk(b"IDAT", _compress(masks[0]))
    else:
        yield _chunk(b"acTL", struct.pack(">II", len(masks), 0))
        for number, mask in enumerate(masks):
            control = max(0, 2 * number - 1)  # frames and their data are counted together, but for the first data
            yield _chunk(b"fcTL", struct.pack(">IIIIIHHBB", control, width, height, 0, 0, _SHOWN_MS, 1000, 0, 0))
            data = _compress(mask)
            yield _chunk(b"fdAT", struct.pack(">I", control + 1) + data) if number else _chunk(b"IDAT", data)
    yield _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _compress(mask: npt.NDArray[np.uint8]) -> bytes:
    rows = np.empty((mask.shape[0], mask.shape[1] + 1), np.uint8)
    rows[:, 0] = _UP
    rows[0, 1:] = mask[0]
    np.subtract(mask[1:], mask[:-1], out=rows[1:, 1:])
    return zlib.compress(rows.tobytes())
