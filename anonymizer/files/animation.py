"""Frames of animations: the part of the canvas that each of them has to paint.

Files store only what a frame changes. Frames are read as they are shown, put together from all before them; written is
the smallest rectangle in which a frame differs from the one before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from anonymizer.files.picture import StoredFrame
from anonymizer.types import Pixels


@dataclass(frozen=True)
class Patch:
    """What a frame paints over the one before it."""

    top: int
    left: int
    pixels: Pixels
    """(h, w, C)"""
    frame: StoredFrame
    """The whole frame."""
    stays: npt.NDArray[np.bool_]
    """(h, w): where the frame before shows the same already, unless that was redacted there and this one is not."""

    @property
    def slices(self) -> tuple[slice, slice]:
        """Indexes the patch in the frame."""
        height, width = self.pixels.shape[:2]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def to_patches(frames: Sequence[StoredFrame], step: int = 1) -> Iterator[Patch]:
    """The first frame as a whole, and of each further one what differs from the one before it, at least one pixel.

    Args:
        frames: of the same shape.
        step: the patches begin at multiples of it.
    """
    yield to_patch(frames[0])
    for before, frame in pairwise(frames):
        differs = (before.changed & ~frame.changed) | (before.pixels != frame.pixels).any(axis=2)
        top, bottom = _extent(differs.any(axis=1))
        left, right = _extent(differs.any(axis=0))
        top, left = top - top % step, left - left % step
        part = slice(top, bottom), slice(left, right)
        yield Patch(top, left, np.ascontiguousarray(frame.pixels[part]), frame, ~differs[part])


def to_patch(frame: StoredFrame) -> Patch:
    """The frame as a whole."""
    return Patch(0, 0, frame.pixels, frame, np.zeros(frame.changed.shape, bool))


def _extent(is_part: npt.NDArray[np.bool_]) -> tuple[int, int]:
    places = np.flatnonzero(is_part)
    return (int(places[0]), int(places[-1]) + 1) if places.size else (0, 1)
