"""PNG files: their chunks. (PNG specification, third edition, section 11.)"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator

from PIL import Image

from anonymizer.files.metadata import Policy, is_text_kept, kept_exif, parse_exif

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_CHUNKS = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"pHYs")
"""What is needed to show the picture right: colour spaces and density."""
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_MAX_TEXT = 16_000_000  # bytes
_PICTURE_CHUNKS = (b"PLTE", b"tRNS", b"IDAT", b"IEND")


def encode(image: Image.Image, source: bytes, orientation: int, policy: Policy) -> bytes:
    """A PNG file of `image`, with the chunks of the source file that the policy keeps."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    header, *others = _chunks(buffer.getvalue())
    return _join([header, *_kept_metadata(source, orientation, policy), *others])


def with_kept_metadata(content: bytes, orientation: int, policy: Policy) -> bytes | None:
    """The file with its picture data as they are, and of its metadata what the policy keeps.

    None if its compressed data hold more than the picture: the rest may be another one.
    """
    header, *others = _chunks(content)
    if not _is_one_stream(data for kind, data in others if kind == b"IDAT"):
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


def _is_one_stream(parts: Iterable[bytes]) -> bool:
    inflate = zlib.decompressobj()
    for part in parts:
        inflate.decompress(part)
    return inflate.eof and not inflate.unused_data


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
