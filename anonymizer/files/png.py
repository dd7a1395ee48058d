"""PNG files: their chunks. (PNG specification, third edition, section 11.)"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.metadata import Extras, Policy, is_text_kept, kept_exif, parse_exif
from anonymizer.types import Pixels

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_CHUNKS = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"pHYs")
"""What is needed to show the picture right: colour spaces and density."""
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_SMALL_CHUNKS = (b"tIME", b"bKGD", b"hIST", b"sBIT", b"sPLT", b"mDCV", b"cLLI")
"""What else the specification knows, and too small to hold a picture."""
_MAX_UNKNOWN = 256
"""Bytes from which on a chunk of unknown purpose may hold a picture."""
_MAX_TEXT = 16_000_000  # bytes
_PICTURE_CHUNKS = (b"PLTE", b"tRNS", b"IDAT", b"IEND")


_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Number of the colour type per number of channels: gray, gray with alpha, RGB, RGBA."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Per number of the colour type; 3 is a palette."""
_GRAY_WITH_ALPHA, _COLOUR_TYPE_AT = 4, 25


def decode_16_bits(content: bytes) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16] | None]:
    """Pixels (H, W, 1) or (H, W, 3) RGB, and alpha (H, W) if there is any, of a file with 16 bits per channel.

    Raises:
        PictureError: the file is damaged.
    """
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16:
        raise PictureError("is damaged: its 16-bit pixels cannot be read")
    stored = decoded.astype(np.uint16, copy=False)
    if stored.ndim == 2:
        return stored[:, :, np.newaxis], None
    alpha = np.ascontiguousarray(stored[:, :, 3]) if stored.shape[2] == 4 else None
    is_gray = content[_COLOUR_TYPE_AT] == _GRAY_WITH_ALPHA
    return np.ascontiguousarray(stored[:, :, :1] if is_gray else stored[:, :, 2::-1]), alpha


def encode(stored: Pixels, source: bytes, orientation: int, policy: Policy) -> bytes:
    """A PNG file with the chunks of the source file that the policy keeps.

    Args:
        stored: uint8 or uint16 (H, W, C): gray, gray with alpha, RGB or RGBA; not turned upright.
    """
    header, *others = _chunks(_encode_8_bits(stored) if stored.dtype == np.uint8 else _encode_16_bits(stored))
    return _join([header, *_kept_metadata(source, orientation, policy), *others])


def _encode_8_bits(stored: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(stored[:, :, 0] if stored.shape[2] == 1 else stored).save(buffer, "PNG")
    return buffer.getvalue()


def _encode_16_bits(stored: Pixels) -> bytes:
    """Done by hand: neither Pillow nor OpenCV writes all four kinds."""
    height, width, channels = stored.shape
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    rows = stored.astype(">u2").reshape(height, -1).view(np.uint8)
    differences = np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8))  # filter 2, "up", wraps around
    data = zlib.compress(np.insert(differences, 0, 2, axis=1).tobytes())
    return _join([(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")])


def with_kept_metadata(content: bytes, orientation: int, policy: Policy) -> bytes | None:
    """The file with its picture data as they are, and of its metadata what the policy keeps.

    None if its compressed data hold more than the picture: the rest may be another one.
    """
    header, *others = _chunks(content)
    if not _is_exact_stream(header[1], (data for kind, data in others if kind == b"IDAT")):
        return None
    picture = [(kind, data) for kind, data in others if kind in _PICTURE_CHUNKS]
    return _join([header, *_kept_metadata(content, orientation, policy), *picture])


def _kept_metadata(source: bytes, orientation: int, policy: Policy) -> Iterator[tuple[bytes, bytes]]:
    exif: Image.Exif | None = None
    for kind, data in _chunks(source):
        if kind == b"eXIf":
            exif = parse_exif(data)
        elif _is_kept(kind, data, policy):
            yield kind, data
    kept = kept_exif(exif, orientation, policy)
    if kept is not None:
        yield b"eXIf", kept


def _is_kept(kind: bytes, data: bytes, policy: Policy) -> bool:
    if kind in _TEXT_CHUNKS:
        return is_text_kept(_plain_text(kind, data), policy)
    return kind in _COLOUR_CHUNKS or (kind == b"tIME" and policy != "strip")


def _plain_text(kind: bytes, data: bytes) -> bytes:
    """What a text chunk says, where it can be read; otherwise a sign that it may hold a picture."""
    keyword, _, rest = data.partition(b"\0")
    if keyword.startswith(b"Raw profile"):
        return b"Thumbnail"  # EXIF, XMP or IPTC once more, in hexadecimal digits
    is_compressed = kind == b"zTXt" or (kind == b"iTXt" and rest[:1] == b"\1")
    if not is_compressed:
        return data
    packed = rest[1:] if kind == b"zTXt" else rest[2:].split(b"\0", 2)[-1]
    try:
        return keyword + zlib.decompressobj().decompress(packed, _MAX_TEXT)
    except zlib.error:
        return b"Thumbnail"


def left_out(content: bytes) -> list[str]:
    """What a user should know is no longer in the file, under any policy."""
    if any(kind == b"caBX" for kind, _ in _chunks(content)):
        return ["content credentials (C2PA) are left out, since they no longer hold"]
    return []


def extras(content: bytes) -> Extras:
    """What a file holds beside its picture."""
    end = _end_of_picture(content)
    found = Extras(bytes_behind=len(content) - end)
    header, *others = _chunks(content)
    if not _is_exact_stream(header[1], (data for kind, data in others if kind == b"IDAT")) and not header[1][-1]:
        found.previews.append("more compressed data than the picture takes")
    for kind, data in others:
        if kind == b"eXIf":
            found.exifs.append(data)
        elif kind == b"caBX":
            found.previews.append("content credentials (C2PA)")
        elif kind in _TEXT_CHUNKS:
            found.texts.append(_plain_text(kind, data))
        elif kind not in (*_COLOUR_CHUNKS, *_PICTURE_CHUNKS, *_SMALL_CHUNKS):
            found.texts.append(data)
            if len(data) > _MAX_UNKNOWN:
                found.previews.append(f"{len(data)} bytes in an unknown chunk")
    return found


def _end_of_picture(content: bytes) -> int:
    position = len(_SIGNATURE) + sum(12 + len(data) for _, data in _chunks(content))
    return min(position, len(content))


def _is_exact_stream(header: bytes, parts: Iterable[bytes]) -> bool:
    """Whether the compressed data hold just the rows that the header announces. Interlaced files count as no."""
    width, height, depth, colour_type, _, _, interlace = struct.unpack(">IIBBBBB", header)
    bits_per_pixel = depth * _CHANNELS[colour_type]
    expected = height * (1 + (width * bits_per_pixel + 7) // 8)
    inflate, size = zlib.decompressobj(), 0
    try:
        for part in parts:
            size += len(inflate.decompress(part))
    except zlib.error:
        return False
    return inflate.eof and not inflate.unused_data and size == expected and interlace == 0


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
