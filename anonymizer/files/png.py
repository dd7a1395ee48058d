"""PNG files: their chunks. (PNG specification, third edition, section 11.)"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator

from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ORIENTATION_TAG = 0x0112
_COLOUR_CHUNKS = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"pHYs")
"""What is needed to show the picture right: colour spaces and density."""
_PICTURE_CHUNKS = (b"PLTE", b"tRNS", b"IDAT", b"IEND")


def encode(image: Image.Image, source: bytes, orientation: int) -> bytes:
    """A PNG file of `image`, with the chunks of the source file that are needed to show it right, and no others."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    header, *others = _chunks(buffer.getvalue())
    return _join([header, *_needed_metadata(source, orientation), *others])


def without_metadata(content: bytes, orientation: int) -> bytes | None:
    """The file with its picture data as they are, and of its metadata only what is needed to show it right.

    None if its compressed data hold more than the picture: the rest may be another one.
    """
    header, *others = _chunks(content)
    if not _is_one_stream(data for kind, data in others if kind == b"IDAT"):
        return None
    kept = [(kind, data) for kind, data in others if kind in _PICTURE_CHUNKS]
    return _join([header, *_needed_metadata(content, orientation), *kept])


def _is_one_stream(parts: Iterable[bytes]) -> bool:
    inflate = zlib.decompressobj()
    for part in parts:
        inflate.decompress(part)
    return inflate.eof and not inflate.unused_data


def _needed_metadata(source: bytes, orientation: int) -> Iterator[tuple[bytes, bytes]]:
    for kind, data in _chunks(source):
        if kind in _COLOUR_CHUNKS:
            yield kind, data
    if orientation != 1:
        exif = Image.Exif()
        exif[_ORIENTATION_TAG] = orientation
        yield b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")


def _join(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(_SIGNATURE)
    while position + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, position)
        kind = content[position + 4 : position + 8]
        yield kind, content[position + 8 : position + 8 + length]
        if kind == b"IEND":
            return  # what lies behind it is no part of the picture
        position += 12 + length


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
