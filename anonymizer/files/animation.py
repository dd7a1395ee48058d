"""Animations: their frames, and the part of the canvas that each frame has to paint.

Files store only what a frame changes. Frames are decoded as they are shown, composed with all frames before them. The
writers store the smallest rectangle in which a frame differs from the one before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PIL import Image

from anonymizer.errors import PictureError, TooLargeError
from anonymizer.files.carriers import Stated
from anonymizer.files.frames import decode_still, read_encoding, refuse_colours, to_frame, to_upright
from anonymizer.files.global_state import pillow_state
from anonymizer.files.picture import Frame, Picture, StoredFrame
from anonymizer.formats import Format
from anonymizer.settings import ReadSettings
from anonymizer.types import Pixels


def decode_still_or_animation(
    image: Image.Image, content: bytes, settings: ReadSettings, file_format: Format, stated: Stated
) -> Picture:
    """The still picture or the animation in a file.

    Raises:
        PictureError: its mode is not handled, or its frames have too many pixels.
    """
    if count_frames(image, settings) > 1:
        return decode_animation(image, content, settings, file_format, stated)
    return decode_still(image, content, settings, file_format, stated)


def count_frames(image: Image.Image, settings: ReadSettings) -> int:
    """The number of frames in a file.

    Raises:
        TooLargeError: together they have more pixels than `settings.max_pixels`.
    """
    with pillow_state(settings.allow_truncated):
        frames = int(getattr(image, "n_frames", 1))
    if frames * image.width * image.height > settings.max_pixels:
        size = f"{frames} x {image.width} x {image.height}"
        raise TooLargeError(f"has {size} pixels in its frames, more than --max-pixels")
    return frames


def decode_animation(
    image: Image.Image, content: bytes, settings: ReadSettings, file_format: Format, stated: Stated
) -> Picture:
    """All frames as they are shown, upright.

    Raises:
        PictureError: the mode is not handled, or a frame is damaged.
    """
    refuse_colours(image)
    with pillow_state(settings.allow_truncated):
        encoding = read_encoding(image, file_format, stated)
        frames, size = [], image.size
        for number in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(number)
            if image.size != size:
                raise PictureError("is damaged: a frame reaches beyond the picture")
            image.load()
            frames.append(to_upright(to_frame(image), encoding))
    return Picture(_alike(frames), content, encoding, is_animation=True)


def _alike(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """The frames with the same number of channels: all in RGB or with alpha if one of them is."""
    channels = max(frame.pixels.shape[2] for frame in frames)
    has_alpha = any(frame.alpha is not None for frame in frames)
    return tuple(
        replace(
            frame,
            pixels=np.repeat(frame.pixels, channels // frame.pixels.shape[2], axis=2),
            alpha=np.full(frame.pixels.shape[:2], 255, np.uint8) if has_alpha and frame.alpha is None else frame.alpha,
        )
        for frame in frames
    )


@dataclass(frozen=True)
class Patch:
    """The rectangle that a frame paints over the one before it."""

    top: int
    left: int
    pixels: Pixels
    """(h, w, C)"""
    frame: StoredFrame
    """The whole frame."""
    stays: npt.NDArray[np.bool_]
    """(h, w): pixels that look the same in the frame before, unless that was redacted there and this was not."""

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the patch in the frame."""
        height, width = self.pixels.shape[:2]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def to_patches(frames: Sequence[StoredFrame], step: int = 1) -> Iterator[Patch]:
    """The whole first frame, then for each frame the part that differs from the one before it, at least one pixel.

    Args:
        frames: all of the same shape.
        step: patches begin at multiples of it, vertically and horizontally.
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
    """The whole frame as one patch."""
    return Patch(0, 0, frame.pixels, frame, np.zeros(frame.changed.shape, bool))


def _extent(is_part: npt.NDArray[np.bool_]) -> tuple[int, int]:
    places = np.flatnonzero(is_part)
    return (int(places[0]), int(places[-1]) + 1) if places.size else (0, 1)
