"""Crops of a picture that a model sees, at the scales of its views.

A large picture is cut into overlapping tiles, so that memory stays bounded. Objects that do not fit into the overlap
are found in the same picture shrunk to a quarter, which is cut in turn if it is still large. So there is no limit to
the size of a picture, nor to that of an object in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.detect.description import ViewSpec
from anonymizer.geometry import Box
from anonymizer.types import Pixels8

Boxes = npt.NDArray[np.float64]
"""(N, 4): y_min, x_min, y_max, x_max in pixels."""

TILE = 2048
"""Largest height and width of a tile, in pixels. CenterFace takes some 0.4 GB for one."""
OVERLAP = 256
"""Pixels that neighbouring tiles share. Each object up to this size, less two edges, lies wholly in one of them."""
SHRINK = 0.25
"""Scale of the shrunk copy of a picture that was cut into tiles. It covers objects from half the overlap on."""
_EDGE = 4.0
"""An object that ends within this distance of a cut, in pixels, may continue beyond it."""


@dataclass(frozen=True)
class Crop:
    """What a model sees at once: a part of a picture, possibly scaled, mirrored or turned."""

    pixels: Pixels8
    """uint8 (H, W, 3), RGB."""
    picture_height: int
    """Height of the whole picture before it was turned, in pixels."""
    picture_width: int
    spec: ViewSpec
    top: float = 0
    left: float = 0
    """Where the crop begins, in pixels of the scaled picture."""
    scale_y: float = 1.0
    scale_x: float = 1.0
    """Pixels of the crop per pixel of the picture."""
    cut_bottom: bool = False
    cut_right: bool = False
    """Whether the picture continues beyond this side."""

    def covers(self, boxes: Boxes) -> npt.NDArray[np.bool_]:
        """(N,): which boxes, in pixels of the crop, are not cut off and have a size that is not left to other views."""
        height, width = self.pixels.shape[:2]
        is_cut_off = (
            ((boxes[:, 0] < _EDGE) & (self.top > 0))
            | ((boxes[:, 1] < _EDGE) & (self.left > 0))
            | ((boxes[:, 2] > height - _EDGE) & self.cut_bottom)
            | ((boxes[:, 3] > width - _EDGE) & self.cut_right)
        )
        size = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)
        return np.asarray(~is_cut_off & (size >= self.spec.min_size) & (size <= self.spec.max_size))

    def to_picture(self, boxes: Boxes) -> Boxes:
        """Boxes in pixels of the crop as boxes in pixels of the picture."""
        boxes = np.add(boxes, (self.top, self.left, self.top, self.left))
        boxes = boxes / (self.scale_y, self.scale_x, self.scale_y, self.scale_x)
        height, width = self.picture_height, self.picture_width
        if self.spec.quarter_turns % 2:
            height, width = width, height
        if self.spec.mirrored:
            boxes = np.stack((boxes[:, 0], width - boxes[:, 3], boxes[:, 2], width - boxes[:, 1]), axis=1)
        for _ in range(self.spec.quarter_turns % 4):
            # One quarter clockwise: rows become columns, from the right.
            boxes = np.stack((boxes[:, 1], height - boxes[:, 2], boxes[:, 3], height - boxes[:, 0]), axis=1)
            height, width = width, height
        return boxes


@dataclass(frozen=True)
class ScaledView:
    """A view of a picture of known size."""

    spec: ViewSpec
    scale: float
    """Pixels that the model sees per pixel of the picture."""

    def __str__(self) -> str:
        turn = f" turned by {90 * (self.spec.quarter_turns % 4)} degrees" if self.spec.quarter_turns % 4 else ""
        return f"scale {self.scale:.3g}{' mirrored' if self.spec.mirrored else ''}{turn}"

    @property
    def vote_min_size(self) -> float:
        """Longer side of the smallest object whose score it has a vote on, in pixels of the picture."""
        return max(self.spec.min_size, self.spec.vote_min_size) / self.scale

    @property
    def vote_max_size(self) -> float:
        """Longer side of the largest object whose score it has a vote on, in pixels of the picture."""
        return self.spec.max_size / self.scale


def whole_picture(picture: Pixels8) -> Crop:
    """The picture itself, as one crop at its own size that covers objects of all sizes."""
    return Crop(picture, picture.shape[0], picture.shape[1], ViewSpec())


def scaled_views(specs: Sequence[ViewSpec], height: int, width: int) -> list[ScaledView]:
    """The views of a picture of a size in pixels; at least one.

    Specs that resolve to the same scale are merged; the merged one covers both size ranges. Of the views with the same
    turn, the one with the largest scale has no lower size limit: no other view would cover smaller objects.
    """
    distinct: dict[tuple[float, bool, int], ViewSpec] = {}
    for spec in specs:
        scale = spec.scale(height, width)
        if scale is None:
            continue
        key = (scale, spec.mirrored, spec.quarter_turns % 4)
        distinct[key] = _merged(spec, distinct.get(key, spec))
    max_scale: dict[int, float] = {}
    for scale, _, turns in distinct:
        max_scale[turns] = max(scale, max_scale.get(turns, 0.0))
    return [
        ScaledView(spec if scale < max_scale[turns] else replace(spec, min_size=0, vote_min_size=0), scale)
        for (scale, _, turns), spec in distinct.items()
    ] or [ScaledView(ViewSpec(), 1.0)]


def _merged(spec: ViewSpec, twin: ViewSpec) -> ViewSpec:
    return replace(
        spec,
        min_size=min(spec.min_size, twin.min_size),
        vote_min_size=min(max(one.min_size, one.vote_min_size) for one in (spec, twin)),
        max_size=max(spec.max_size, twin.max_size),
        score_exponent=min(spec.score_exponent, twin.score_exponent),
    )


def crops_of(picture: Pixels8, view: ScaledView) -> Iterator[Crop]:
    """The crops that a model sees of a picture in one view, one after the other.

    Args:
        picture: uint8 (H, W, 3), RGB.
    """
    turned = np.rot90(picture, view.spec.quarter_turns)
    turned = turned[:, ::-1] if view.spec.mirrored else turned
    yield from _tiles(_scaled(Crop(turned, picture.shape[0], picture.shape[1], view.spec), view.scale))


def close_crop(picture: Pixels8, box: Box, spec: ViewSpec, size: float, side: int) -> Crop:
    """A square around an object, black where it extends beyond the picture.

    Args:
        picture: uint8 (H, W, 3), RGB.
        box: of the object, in pixels of the picture; its centre lies in the picture.
        spec: how the picture is turned first.
        size: longer side of the object in the crop, in pixels.
        side: height and width of the crop, in pixels.
    """
    turned = np.rot90(picture, spec.quarter_turns)
    height, width = turned.shape[:2]
    y, x = _turned_point(box, picture, spec.quarter_turns)
    length = max(1, round(box.longer_side * side / size))
    top, left = min(round(y - length / 2), height - 1), min(round(x - length / 2), width - 1)
    bottom, right = top + length, left + length
    scale = side / length
    # The part inside the picture is scaled before it is padded: the square may be far larger than the picture.
    inside = turned[max(0, top) : bottom, max(0, left) : right]
    scaled = _scaled(Crop(inside, picture.shape[0], picture.shape[1], spec), scale).pixels
    offset = round(max(0, -top) * scale), round(max(0, -left) * scale)
    return Crop(
        _padded(scaled, offset, side),
        picture.shape[0],
        picture.shape[1],
        spec,
        top=top * scale,
        left=left * scale,
        scale_y=scale,
        scale_x=scale,
        cut_bottom=bottom < height,
        cut_right=right < width,
    )


def _turned_point(box: Box, picture: Pixels8, quarter_turns: int) -> tuple[float, float]:
    """y, x of the centre of a box when the picture is turned by quarters, anticlockwise."""
    x, y = box.center
    height, width = picture.shape[:2]
    for _ in range(quarter_turns % 4):
        y, x = width - x, y
        height, width = width, height
    return y, x


def _padded(pixels: Pixels8, offset: tuple[int, int], side: int) -> Pixels8:
    """A black square with the pixels at an offset y, x from its corner."""
    padded = np.zeros((side, side, 3), np.uint8)
    target = padded[offset[0] : offset[0] + pixels.shape[0], offset[1] : offset[1] + pixels.shape[1]]
    target[:] = pixels[: target.shape[0], : target.shape[1]]
    return padded


def _tiles(crop: Crop) -> Iterator[Crop]:
    """The crop itself; if it is too large, its tiles and those of the crop shrunk by `SHRINK`."""
    height, width = crop.pixels.shape[:2]
    if height * width <= TILE * TILE:
        yield crop
        return
    tile_height, tile_width = tile_length(height), tile_length(width)
    max_size = min(crop.spec.max_size, OVERLAP - 2 * _EDGE)
    for top in tile_starts(height, tile_height):
        for left in tile_starts(width, tile_width):
            yield replace(
                crop,
                pixels=np.ascontiguousarray(crop.pixels[top : top + tile_height, left : left + tile_width]),
                spec=replace(crop.spec, max_size=max_size),
                top=top,
                left=left,
                cut_bottom=top + tile_height < height,
                cut_right=left + tile_width < width,
            )
    min_size = max(crop.spec.min_size, OVERLAP / 2) * SHRINK
    yield from _tiles(_scaled(replace(crop, spec=replace(crop.spec, min_size=min_size)), SHRINK))


def _tile_count(length: int) -> int:
    """Number of tiles along a side."""
    return max(1, ceil((length - OVERLAP) / (TILE - OVERLAP)))


def tile_length(length: int) -> int:
    """Length of the tiles along a side, in pixels: they share OVERLAP pixels, and none is longer than needed."""
    count = _tile_count(length)
    return ceil((length + (count - 1) * OVERLAP) / count)


def tile_starts(length: int, tile: int) -> list[int]:
    """First pixels of the tiles of a length along a side: evenly spread."""
    count = _tile_count(length)
    return [round(index * (length - tile) / (count - 1)) for index in range(count)] if count > 1 else [0]


def _scaled(crop: Crop, scale: float) -> Crop:
    height, width = crop.pixels.shape[:2]
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    pixels = np.ascontiguousarray(crop.pixels)
    if (new_height, new_width) == (height, width):
        return replace(crop, pixels=pixels)
    # Shrinking averages, so that no pixel is skipped. Halving is the fastest; for less than a half, interpolating
    # between neighbours is enough.
    while pixels.shape[0] >= 4 * new_height and pixels.shape[1] >= 4 * new_width:
        half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
        pixels = np.asarray(cv2.resize(pixels, half, interpolation=cv2.INTER_AREA), np.uint8)
    interpolation = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR if scale < 1 else cv2.INTER_CUBIC
    pixels = np.asarray(cv2.resize(pixels, (new_width, new_height), interpolation=interpolation), np.uint8)
    return replace(
        crop,
        pixels=pixels,
        scale_y=crop.scale_y * new_height / height,
        scale_x=crop.scale_x * new_width / width,
    )
