"""WebP files, animated ones too: their chunks. (WebP container specification, RFC 9649.)

A file in which nothing was found keeps its pictures byte for byte. Otherwise lossless ones keep every pixel outside the
mask, and lossy ones are encoded anew at a quality that matches theirs.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from anonymizer.errors import PictureError
from anonymizer.files.animation import Patch, to_patches
from anonymizer.files.metadata import Policy, exact_profile, is_text_kept, kept_exif, parse_exif
from anonymizer.files.picture import Encoded, Picture, StoredFrame, to_image
from anonymizer.files.quality import at_matched_quality
from anonymizer.types import Pixels

_Chunk: TypeAlias = tuple[bytes, bytes]
"""Kind and data."""

_BITSTREAMS = (b"VP8 ", b"VP8L")
_PICTURE_CHUNKS = (b"ALPH", *_BITSTREAMS)
_HAS_PROFILE, _HAS_ALPHA, _HAS_EXIF, _HAS_XMP, _IS_ANIMATION = 0x20, 0x10, 0x08, 0x04, 0x02
_REPLACES = 0x02  # a frame does, in place of being blended with what is there
_FRAME_HEADER = 16  # bytes: place, size, duration, flags


def _chunks(content: bytes) -> Iterator[_Chunk]:
    position = 0
    while position + 8 <= len(content):
        size = int.from_bytes(content[position + 4 : position + 8], "little")
        yield content[position : position + 4], content[position + 8 : position + 8 + size]
        position += 8 + size + size % 2


def _join(chunks: Iterable[_Chunk]) -> bytes:
    return b"".join(kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2) for kind, data in chunks)


def _file_chunks(content: bytes) -> list[_Chunk]:
    return list(_chunks(content[12 : 8 + int.from_bytes(content[4:8], "little")]))


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A WebP file with the same frames, durations and number of loops.

    Raises:
        PictureError: the chunks of the source are damaged.
    """
    chunks = _file_chunks(picture.content)
    sources = [data for kind, data in chunks if kind == b"ANMF"]
    streams = [kind for kind, _ in chunks if kind in _BITSTREAMS][:1]
    streams += [kind for data in sources for kind, _ in _chunks(data[_FRAME_HEADER:]) if kind in _BITSTREAMS]
    if len(streams) != len(frames):
        raise PictureError("is damaged: its number of frames is not certain")
    is_changed = any(frame.is_changed for frame in frames)
    if not is_changed:
        pictures = [_without_others(kind, data) for kind, data in chunks if kind in (*_PICTURE_CHUNKS, b"ANMF")]
    elif sources:
        patches = list(to_patches(frames, step=2))
        pictures = [
            (b"ANMF", _animation_frame(source, patch, stream))
            for source, patch, stream in zip(sources, patches, streams, strict=True)
        ]
    else:
        pictures = _encode(
            frames[0].pixels, streams[0], sum(len(data) for kind, data in chunks if kind in _PICTURE_CHUNKS)
        )
    is_lossless = not is_changed or streams == [b"VP8L"] * len(streams)
    extended = _extended(picture, frames, chunks, policy, pictures)
    body = b"WEBP" + _join(extended)
    return Encoded(b"RIFF" + len(body).to_bytes(4, "little") + body, "lossless" if is_lossless else "reencoded")


def _extended(
    picture: Picture, frames: Sequence[StoredFrame], chunks: Sequence[_Chunk], policy: Policy, pictures: list[_Chunk]
) -> list[_Chunk]:
    """The pictures with the metadata that the policy keeps, in the order that is asked for."""
    source = dict(reversed(chunks))  # of several the first
    exif = kept_exif(parse_exif(source[b"EXIF"]) if b"EXIF" in source else None, picture.encoding.orientation, policy)
    before = [(b"ICCP", exact_profile(source[b"ICCP"]))] if b"ICCP" in source else []
    behind = [(b"EXIF", exif)] if exif is not None else []
    xmp = source.get(b"XMP ", b"")
    if xmp and is_text_kept(xmp, policy):
        behind.append((b"XMP ", xmp))
    is_animation = pictures[0][0] == b"ANMF"
    if b"VP8X" not in source and not before and not behind and len(pictures) == 1:
        return pictures
    height, width = frames[0].pixels.shape[:2]
    has_alpha = any(frame.pixels.shape[2] in (2, 4) for frame in frames)
    kinds = {kind for kind, _ in (*before, *behind)}
    flags = _HAS_ALPHA * has_alpha | _IS_ANIMATION * is_animation
    flags |= _HAS_PROFILE * (b"ICCP" in kinds) | _HAS_EXIF * (b"EXIF" in kinds) | _HAS_XMP * (b"XMP " in kinds)
    canvas = bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    animation = [(b"ANIM", source[b"ANIM"][:6])] if is_animation else []
    return [(b"VP8X", canvas), *before, *animation, *pictures, *behind]


def _without_others(kind: bytes, data: bytes) -> _Chunk:
    """A picture as it is; of an animation's frame its picture alone."""
    if kind != b"ANMF":
        return kind, data
    inner = (chunk for chunk in _chunks(data[_FRAME_HEADER:]) if chunk[0] in _PICTURE_CHUNKS)
    return kind, data[:_FRAME_HEADER] + _join(inner)


def _animation_frame(source: bytes, patch: Patch, stream: bytes) -> bytes:
    height, width = patch.pixels.shape[:2]
    numbers = (patch.left // 2, patch.top // 2, width - 1, height - 1)
    place = b"".join(number.to_bytes(3, "little") for number in numbers)
    duration = source[12:15]
    return place + duration + bytes([_REPLACES]) + _join(_encode(patch.pixels, stream, len(source)))


def _encode(pixels: Pixels, stream: bytes, size: int) -> list[_Chunk]:
    """The chunks of one picture. `size`: of the source's, in bytes."""
    if stream == b"VP8L":
        content = _save(pixels, 100, is_lossless=True)
    else:
        content = at_matched_quality(lambda quality: _save(pixels, quality, is_lossless=False), size)
    return [chunk for chunk in _file_chunks(content) if chunk[0] in _PICTURE_CHUNKS]


def _save(pixels: Pixels, quality: int, is_lossless: bool) -> bytes:
    buffer = io.BytesIO()
    to_image(pixels).save(buffer, "WEBP", lossless=is_lossless, quality=quality, exact=True)
    return buffer.getvalue()
