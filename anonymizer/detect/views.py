"""The parts and sizes in which a model looks at a picture.

A large picture is cut into overlapping tiles, so that memory stays bounded. What does not fit into the overlap is left
to the same picture shrunk to a quarter, which is cut in its turn if it is still large: so neither a picture nor an
object in it is ever too large.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.detect.catalogue import Look
from anonymizer.geometry import Box
from anonymizer.types import Pixels8

Boxes = npt.NDArray[np.float64]
"""(N, 4): y_min, x_min, y_max, x_max in pixels."""

TILE = 2048
"""Height and width that a tile has at most. CenterFace takes some 0.4 GB for one."""
OVERLAP = 256
"""Pixels that neighbouring tiles share. Each object up to this size, less two edges, lies wholly in one of them."""
SHRINK = 0.25
"""What the next smaller view of a picture that was cut measures. It answers for objects from half the overlap on."""
_EDGE = 4.0
"""An object that ends so many pixels from where a tile was cut may go on beyond."""


@dataclass(frozen=True)
class View:
    """What a model sees at once: a part of a picture, enlarged or shrunk, mirrored or turned perhaps."""

    pixels: Pixels8
    height: int
    """Of the whole picture before it was turned, in pixels."""
    width: int
    look: Look
    top: float = 0
    left: float = 0
    """Where the view begins, in pixels of the scaled picture."""
    scale_y: float = 1.0
    scale_x: float = 1.0
    """Pixels of the view per pixel of the picture."""
    cut_bottom: bool = False
    cut_right: bool = False
    """Whether the picture goes on there."""

    def answers_for(self, boxes: Boxes) -> npt.NDArray[np.bool_]:
        """Which boxes, in pixels of the view, are neither of a size that is left to other views, nor cut off."""
        height, width = self.pixels.shape[:2]
        is_cut_off = (
            ((boxes[:, 0] < _EDGE) & (self.top > 0))
            | ((boxes[:, 1] < _EDGE) & (self.left > 0))
            | ((boxes[:, 2] > height - _EDGE) & self.cut_bottom)
            | ((boxes[:, 3] > width - _EDGE) & self.cut_right)
        )
        size = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)
        return np.asarray(~is_cut_off & (size >= self.look.smallest) & (size <= self.look.largest))

    def to_picture(self, boxes: Boxes) -> Boxes:
        """Boxes in pixels of the view as boxes in pixels of the picture."""
        boxes = np.add(boxes, (self.top, self.left, self.top, self.left))
        boxes = boxes / (self.scale_y, self.scale_x, self.scale_y, self.scale_x)
        height, width = (self.height, self.width) if self.look.quarter_turns % 2 == 0 else (self.width, self.height)
        if self.look.mirrored:
            boxes = np.stack((boxes[:, 0], width - boxes[:, 3], boxes[:, 2], width - boxes[:, 1]), axis=1)
        for _ in range(self.look.quarter_turns % 4):
            # One quarter clockwise: rows become columns, from the right.
            boxes = np.stack((boxes[:, 1], height - boxes[:, 2], boxes[:, 3], height - boxes[:, 0]), axis=1)
            height, width = width, height
        return boxes


@dataclass(frozen=True)
class Sight:
    """A look at a picture of known size."""

    look: Look
    scale: float
    """Pixels that the model sees per pixel of the picture."""

    @property
    def judges_from(self) -> float:
        """Longer side of the smallest object that it has a vote on, in pixels of the picture."""
        return max(self.look.smallest, self.look.judges_from) / self.scale

    @property
    def judges_to(self) -> float:
        """And of the largest."""
        return self.look.largest / self.scale


def sights_of(looks: Sequence[Look], height: int, width: int) -> list[Sight]:
    """The ways in which a model looks at a picture of a size in pixels.

    Looks that come out the same count once, and answer for the objects of both. There is always one, and of those that
    turn the picture alike, the one that shows it largest answers for the smallest objects whatever its look says:
    nobody else would.
    """
    distinct: dict[tuple[float, bool, int], Look] = {}
    for look in looks:
        scale = look.scale(height, width)
        if scale is None:
            continue
        key = (scale, look.mirrored, look.quarter_turns % 4)
        distinct[key] = _both(look, distinct.get(key, look))
    largest_scale: dict[int, float] = {}
    for scale, _, turns in distinct:
        largest_scale[turns] = max(scale, largest_scale.get(turns, 0.0))
    return [
        Sight(look if scale < largest_scale[turns] else replace(look, smallest=0, judges_from=0), scale)
        for (scale, _, turns), look in distinct.items()
    ] or [Sight(Look(), 1.0)]


def _both(look: Look, twin: Look) -> Look:
    return replace(
        look,
        smallest=min(look.smallest, twin.smallest),
        judges_from=min(max(one.smallest, one.judges_from) for one in (look, twin)),
        largest=max(look.largest, twin.largest),
        doubt=min(look.doubt, twin.doubt),
    )


def views_of(picture: Pixels8, sight: Sight) -> Iterator[View]:
    """The parts of a picture that a model sees, one after the other, when it looks at it in one way."""
    turned = np.rot90(picture, sight.look.quarter_turns)
    turned = turned[:, ::-1] if sight.look.mirrored else turned
    yield from _tiles(_scaled(View(turned, picture.shape[0], picture.shape[1], sight.look), sight.scale))


def close_view(picture: Pixels8, box: Box, look: Look, size: float, side: int) -> View:
    """A square around an object, black where it reaches beyond the picture.

    Args:
        box: of the object, in pixels of the picture; its middle lies in it.
        look: says how the picture is turned first.
        size: of the object's longer side in the view, in pixels.
        side: height and width of the view, in pixels.
    """
    turned = np.rot90(picture, look.quarter_turns)
    height, width = turned.shape[:2]
    y, x = _turn((box.y_min + box.y_max) / 2, (box.x_min + box.x_max) / 2, picture, look.quarter_turns)
    length = max(1, round(box.longer_side * side / size))
    top, left = min(round(y - length / 2), height - 1), min(round(x - length / 2), width - 1)
    bottom, right = top + length, left + length
    scale = side / length
    # What lies in the picture is shrunk before room is made for what does not: the square may be far larger.
    inside = turned[max(0, top) : bottom, max(0, left) : right]
    seen = _scaled(View(inside, picture.shape[0], picture.shape[1], look), scale).pixels
    above, before = round(max(0, -top) * scale), round(max(0, -left) * scale)
    pixels = np.zeros((side, side, 3), np.uint8)
    room = pixels[above : above + seen.shape[0], before : before + seen.shape[1]]
    room[:] = seen[: room.shape[0], : room.shape[1]]
    return View(
        pixels,
        picture.shape[0],
        picture.shape[1],
        look,
        top=top * scale,
        left=left * scale,
        scale_y=scale,
        scale_x=scale,
        cut_bottom=bottom < height,
        cut_right=right < width,
    )


def _turn(y: float, x: float, picture: Pixels8, quarter_turns: int) -> tuple[float, float]:
    """Where a point of the picture lies when the picture is turned by quarters, anticlockwise."""
    height, width = picture.shape[:2]
    for _ in range(quarter_turns % 4):
        y, x = width - x, y
        height, width = width, height
    return y, x


def _tiles(view: View) -> Iterator[View]:
    """The view itself, or if it is too large its tiles and what is seen of it when it is shrunk."""
    height, width = view.pixels.shape[:2]
    if height * width <= TILE * TILE:
        yield view
        return
    part_height, part_width = _part(height), _part(width)
    largest = min(view.look.largest, OVERLAP - 2 * _EDGE)
    for top in _starts(height, part_height):
        for left in _starts(width, part_width):
            yield replace(
                view,
                pixels=np.ascontiguousarray(view.pixels[top : top + part_height, left : left + part_width]),
                look=replace(view.look, largest=largest),
                top=top,
                left=left,
                cut_bottom=top + part_height < height,
                cut_right=left + part_width < width,
            )
    smallest = max(view.look.smallest, OVERLAP / 2) * SHRINK
    yield from _tiles(_scaled(replace(view, look=replace(view.look, smallest=smallest)), SHRINK))


def _number(length: int) -> int:
    """Into how many tiles a side is cut."""
    return max(1, ceil((length - OVERLAP) / (TILE - OVERLAP)))


def _part(length: int) -> int:
    """How long the tiles along a side are, so that they share OVERLAP pixels and none is longer than needed."""
    number = _number(length)
    return ceil((length + (number - 1) * OVERLAP) / number)


def _starts(length: int, part: int) -> list[int]:
    """Where the tiles along a side begin: evenly spread."""
    number = _number(length)
    return [round(index * (length - part) / (number - 1)) for index in range(number)] if number > 1 else [0]


def _scaled(view: View, scale: float) -> View:
    height, width = view.pixels.shape[:2]
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    if (new_height, new_width) == (height, width):
        return replace(view, pixels=np.ascontiguousarray(view.pixels))
    pixels = np.ascontiguousarray(view.pixels)
    # Shrinking averages, so that nothing is lost between the pixels. Halves are the quickest; down to a half, it is
    # enough to mix neighbours.
    while pixels.shape[0] >= 4 * new_height and pixels.shape[1] >= 4 * new_width:
        half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
        pixels = np.asarray(cv2.resize(pixels, half, interpolation=cv2.INTER_AREA), np.uint8)
    interpolation = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR if scale < 1 else cv2.INTER_CUBIC
    pixels = np.asarray(cv2.resize(pixels, (new_width, new_height), interpolation=interpolation), np.uint8)
    return replace(
        view,
        pixels=pixels,
        scale_y=view.scale_y * new_height / height,
        scale_x=view.scale_x * new_width / width,
    )
