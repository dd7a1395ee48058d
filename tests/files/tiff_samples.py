"""TIFF files of any structure: Pillow writes only plain ones."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.types import Pixels

Value: TypeAlias = int | tuple[int, ...] | bytes
Order: TypeAlias = Literal["little", "big"]

RAW, DEFLATE, PACKBITS = 1, 8, 32773
_LONG, _BYTES, _SHORT = 4, 7, 3
_LONG_TAGS = (256, 257, 273, 278, 279, 322, 323, 324, 325, 330, 513, 514)
_BYTE_TAGS = {270: 2, 50706: 1}


@dataclass
class Page:
    """A directory with its pixels and the directories below it."""

    tags: Mapping[int, Value]
    parts: Sequence[bytes] = ()
    """Strips or tiles."""
    inner: Sequence[Page] = ()
    """Sub-directories."""
    jpeg: bytes = b""
    """A picture that the tags 513 and 514 point to."""
    is_tiled: bool = field(default=False)


def page(
    pixels: Pixels,
    *,
    photometric: int | None = None,
    extra: tuple[int, ...] = (),
    compression: int = RAW,
    predictor: int = 1,
    is_planar: bool = False,
    tile: tuple[int, int] | None = None,
    rows: int | None = None,
    order: Order = "little",
    tags: Mapping[int, Value] | None = None,
    inner: Sequence[Page] = (),
) -> Page:
    """A page of uint8 or uint16 (H, W, C). `tile`: height and width."""
    height, width, samples = pixels.shape
    photometric = photometric if photometric is not None else (2 if samples >= 3 else 1)
    step_y, step_x = tile or (rows or height, width)
    planes = [pixels[:, :, n : n + 1] for n in range(samples)] if is_planar else [pixels]
    parts = []
    for plane in planes:
        for top in range(0, height, step_y):
            for left in range(0, width, step_x):
                block = plane[top : top + step_y, left : left + step_x]
                if tile:
                    missing = [(0, step_y - block.shape[0]), (0, step_x - block.shape[1]), (0, 0)]
                    block = np.pad(block, missing)
                if predictor == 2:
                    block = np.diff(block, axis=1, prepend=np.zeros_like(block[:, :1]))
                data = block.astype(block.dtype.newbyteorder("<" if order == "little" else ">")).tobytes()
                parts.append(_compress(data, compression))
    described: dict[int, Value] = {
        **{256: width, 257: height, 258: (8 * pixels.itemsize,) * samples, 259: compression, 262: photometric},
        **{277: samples, 284: 2 if is_planar else 1},
        **({322: step_x, 323: step_y} if tile else {278: step_y}),
        **({317: predictor} if predictor != 1 else {}),
        **({338: extra} if extra else {}),
        **(tags or {}),
    }
    return Page(described, parts, inner, is_tiled=tile is not None)


def mask_page(opaque: npt.NDArray[np.bool_], subfile: int = 4) -> Page:
    """A transparency mask of one bit per pixel, from a boolean (H, W)."""
    height, width = opaque.shape
    packed = np.packbits(opaque, axis=1).tobytes()
    tags: dict[int, Value] = {254: subfile, 256: width, 257: height, 258: 1, 259: RAW, 262: 4, 277: 1, 278: height}
    return Page(tags, [packed])


def _compress(data: bytes, compression: int) -> bytes:
    if compression == DEFLATE:
        return zlib.compress(data)
    if compression == PACKBITS:
        runs = [data[at : at + 128] for at in range(0, len(data), 128)]
        return b"".join(bytes([len(run) - 1]) + run for run in runs)
    return data


def tiff_file(*pages: Page, order: Order = "little", is_big: bool = False) -> bytes:
    """A file with these pages in a chain."""
    word = 8 if is_big else 4
    mark = b"II" if order == "little" else b"MM"
    head = (43).to_bytes(2, order) + (8).to_bytes(2, order) + bytes(2) if is_big else (42).to_bytes(2, order)
    content = bytearray(mark + head + bytes(word))
    _write_chain(content, len(content) - word, pages, order, is_big)
    return bytes(content)


def _write_chain(content: bytearray, link: int, pages: Sequence[Page], order: Order, is_big: bool) -> None:
    word = 8 if is_big else 4
    for one in pages:
        start, link_after = _write_page(content, one, order, is_big)
        content[link : link + word] = start.to_bytes(word, order)
        link = link_after


def _append(content: bytearray, data: bytes) -> int:
    content += b"\0" * (len(content) % 2)
    content += data
    return len(content) - len(data)


def _write_page(content: bytearray, one: Page, order: Order, is_big: bool) -> tuple[int, int]:
    """Where the directory lies, and the link to the next one."""
    word, head = (8, 8) if is_big else (4, 2)
    tags = dict(one.tags)
    if one.parts:
        starts = tuple(_append(content, part) for part in one.parts)
        offsets, counts = (324, 325) if one.is_tiled else (273, 279)
        tags[offsets], tags[counts] = starts, tuple(map(len, one.parts))
    if one.jpeg:
        tags[513], tags[514] = _append(content, one.jpeg), len(one.jpeg)
    if one.inner:
        tags[330] = tuple(_write_page(content, below, order, is_big)[0] for below in one.inner)
    entries = b""
    for tag, value in sorted(tags.items()):
        kind = _BYTE_TAGS.get(tag, _BYTES) if isinstance(value, bytes) else _LONG if tag in _LONG_TAGS else _SHORT
        size = {_LONG: 4, _SHORT: 2}.get(kind, 1)
        values = value if isinstance(value, tuple) else (value,)
        data = value if isinstance(value, bytes) else b"".join(int(v).to_bytes(size, order) for v in values)
        entries += tag.to_bytes(2, order) + kind.to_bytes(2, order) + (len(data) // size).to_bytes(word, order)
        entries += data.ljust(word, b"\0") if len(data) <= word else _append(content, data).to_bytes(word, order)
    start = _append(content, len(tags).to_bytes(head, order) + entries + bytes(word))
    return start, len(content) - word
