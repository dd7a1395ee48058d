"""Colours of a palette that no pixel shows. They may hold anything: 768 bytes are a small picture of a face."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.files.metadata import signs_of_pictures

COLOURS = 256
PALETTE_ISSUE = "colours in the palette that no pixel shows"
_SMALLEST = 96  # bytes of data
_HEADER = 16  # bytes within which the format of a picture is told
_OF_JPEG = bytes.fromhex("f3f4f5f6f7f8f9fa")  # in the usual Huffman tables
_PART, _STEP = 144, 24
"""Bytes of the parts that are looked at, as many as the smallest pictures of faces have, and from one to the next. A
picture that has a palette itself is regular in other parts, turned around too."""
_MOST_REGULAR, _CHANCE = 0.7, 48
"""Unused colours of 126 GIF files differ less than 36 from the next colour, or from the next channel, on average, or
have less than this share of the different bytes that chance has. Random bytes differ 85, pictures 58 and more. No part
of 65 palettes with unused colours differs more than 33, or has more than 0.58 of them."""
_PRINTABLE = frozenset(b"\n" + bytes(range(0x20, 0x7F)))
_FEW = 2  # characters, of a regular palette

Colours: TypeAlias = npt.NDArray[np.uint8]
"""(N, C), N <= 256, of any number of channels."""
Used: TypeAlias = npt.NDArray[np.bool_]
"""(256,): whether a pixel shows the colour of this number."""


def as_colours(data: bytes, channels: int = 3) -> Colours:
    """The palette that is stored so, without what is more than 256 colours."""
    return np.frombuffer(data[: len(data) // channels * channels], np.uint8).reshape(-1, channels)[:COLOURS]


def used_by(*pictures: npt.NDArray[np.uint8], further: Iterable[int] = ()) -> Used:
    """The colours that pixels show.

    Args:
        pictures: numbers of colours, of any shape.
        further: numbers of colours that may be shown too.
    """
    used = np.zeros(COLOURS, bool)
    for picture in pictures:
        used |= np.bincount(picture.ravel(), minlength=COLOURS)[:COLOURS] > 0
    used[list(further)] = True
    return used


def without_unused(colours: Colours, used: Used, value: int = 0) -> Colours:
    """The palette with `value` in place of the colours that no pixel shows."""
    return np.where(used[: len(colours), np.newaxis], colours, np.uint8(value))


def may_hold_data(colours: Colours, used: Used) -> bool:
    """Whether the colours that no pixel shows look like something else: the beginning of a picture, text, or chance.

    Pixels of another picture cannot be told from colours.
    """
    unused = colours[~used[: len(colours)]]
    at = np.flatnonzero(unused.any(axis=1))
    unused = unused[at[0] : at[-1] + 1] if len(at) else unused[:0]
    data = unused.tobytes()
    ways = data, data.rstrip(b"\0")[::-1]
    if any(signs_of_pictures(one[:_HEADER]) or _OF_JPEG in one for one in ways):
        return True
    if len(data) < _SMALLEST:
        return False
    if all(one in _PRINTABLE for one in data.rstrip(b"\0")):
        return len(set(data)) > _FEW
    rows = _PART // unused.shape[1]
    starts = range(0, max(1, len(unused) - rows + 1), max(1, _STEP // unused.shape[1]))
    return any(map(_is_chance, (unused, *(unused[start : start + rows] for start in starts))))


def _is_chance(colours: Colours) -> bool:
    """Whether colours look as if chance had made them: they jump, and hardly a byte occurs twice."""
    axes = range(min(2, colours.shape[1]))
    steps = [float(np.abs(np.diff(colours.astype(int), axis=axis)).mean()) for axis in axes]
    by_chance = 256 * (1 - math.exp(-colours.size / 256))  # different bytes
    return min(steps) > _CHANCE and len(np.unique(colours)) > _MOST_REGULAR * by_chance
