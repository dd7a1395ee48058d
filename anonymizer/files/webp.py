"""WebP files, still and animated, and their chunks. (WebP container specification, RFC 9649.)

If nothing was redacted, the pictures stay byte for byte. Otherwise lossless files keep every pixel outside the mask,
and lossy ones are re-encoded at a quality that matches theirs.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.animation import Patch, decode_still_or_animation, to_patches
from anonymizer.files.carriers import stated_by
from anonymizer.files.codecs import Codec
from anonymizer.files.global_state import pillow_state
from anonymizer.files.metadata import (
    MAX_UNKNOWN,
    EmbeddedData,
    Policy,
    exact_profile,
    kept_exif,
    kept_xmp,
    left_out_note,
)
from anonymizer.files.picture import Encoded, Picture, StoredFrame, to_image
from anonymizer.files.quality import at_matched_quality
from anonymizer.files.trailing_data import CUT, is_complete
from anonymizer.settings import ReadSettings
from anonymizer.types import Pixels

logger = logging.getLogger(__name__)

Chunk: TypeAlias = tuple[bytes, bytes]
"""Kind and data."""

_BITSTREAMS = (b"VP8 ", b"VP8L")
PICTURE_CHUNKS = (b"ALPH", *_BITSTREAMS)
_HAS_PROFILE, _HAS_ALPHA, _HAS_EXIF, _HAS_XMP, _IS_ANIMATION = 0x20, 0x10, 0x08, 0x04, 0x02
_REPLACES = 0x02  # blending method of a frame: it replaces the canvas
_FRAME_HEADER = 16  # bytes: place, size, duration, flags


def read_chunks(content: bytes) -> Iterator[Chunk]:
    """Kind and data of each chunk in a sequence of chunks."""
    position = 0
    while position + 8 <= len(content):
        size = int.from_bytes(content[position + 4 : position + 8], "little")
        yield content[position : position + 4], content[position + 8 : position + 8 + size]
        position += 8 + size + size % 2


def join_chunks(chunks: Iterable[Chunk]) -> bytes:
    """The inverse of `read_chunks`."""
    return b"".join(kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2) for kind, data in chunks)


def read_file_chunks(content: bytes) -> list[Chunk]:
    """The chunks of a whole file."""
    return list(read_chunks(content[12 : 8 + int.from_bytes(content[4:8], "little")]))


@dataclass(frozen=True)
class _Still:
    """A still picture or a frame of an animation, as stored in the source."""

    header: bytes
    """Position and size of a frame, in three bytes each, duration and flags; empty for a still picture."""
    chunks: list[Chunk]
    """The alpha channel, if there is one, and the colours."""

    @property
    def stream(self) -> bytes:
        """The kind of the chunk with the colours: lossy or lossless."""
        return self.chunks[-1][0]

    @property
    def size(self) -> int:
        return sum(len(data) for _, data in self.chunks)


def _stills(chunks: Sequence[Chunk]) -> list[_Still]:
    frames = [data for kind, data in chunks if kind == b"ANMF"]
    parts = [(data[:_FRAME_HEADER], list(read_chunks(data[_FRAME_HEADER:]))) for data in frames] or [
        (b"", list(chunks))
    ]
    stills = []
    for header, inner in parts:
        streams = [chunk for chunk in inner if chunk[0] in _BITSTREAMS]
        alpha = [chunk for chunk in inner if chunk[0] == b"ALPH"]
        if len(streams) != 1 or len(alpha) > 1:
            raise PictureError("is damaged: a frame that is not one picture")
        stills.append(_Still(header, [*(alpha if streams[0][0] == b"VP8 " else []), *streams]))
    return stills


def decode(image: Image.Image, content: bytes, settings: ReadSettings) -> Picture:
    """The still picture, or the frames of an animation as they are shown."""
    chunks = read_file_chunks(content)
    exifs, packets = ([data for kind, data in chunks if kind == one] for one in (b"EXIF", b"XMP "))
    # Some viewers do not turn WebP files.
    return decode_still_or_animation(image, content, settings, "WEBP", stated_by(exifs, packets, further=(1,)))


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A WebP file with the same frames, durations and number of loops.

    Raises:
        PictureError: the chunks of the source are damaged.
    """
    chunks = read_file_chunks(picture.content)
    stills = _stills(chunks)
    if len(stills) != len(frames):
        raise PictureError("is damaged: its number of frames is not certain")
    height, width = frames[0].pixels.shape[:2]
    is_kept = not any(frame.is_changed for frame in frames) and all(
        _is_exact(still, height, width, picture.allow_truncated) for still in stills
    )
    if not is_kept:
        logger.debug("encoding %d frames, redacted or with more data than they need", len(frames))
        patches = to_patches(frames, step=2)
        stills = [_encode_still(still, patch) for still, patch in zip(stills, patches, strict=True)]
    pictures = [(b"ANMF", still.header + join_chunks(still.chunks)) for still in stills if still.header]
    source = dict(reversed(chunks))  # the first of several
    exif = kept_exif(source.get(b"EXIF"), picture.encoding.orientation, policy)
    xmp = kept_xmp(source.get(b"XMP ", b""), policy, picture.encoding.orientation)
    kept = ((b"EXIF", exif.content), (b"XMP ", xmp.content))
    behind = [(kind, data) for kind, data in kept if data]
    body = b"WEBP" + join_chunks(_with_metadata(frames, source, behind, pictures or stills[0].chunks))
    is_lossless = is_kept or all(still.stream == b"VP8L" for still in stills)
    notes = left_out_note([*exif.left_out, *xmp.left_out])
    return Encoded(write_riff(body), "lossless" if is_lossless else "reencoded", notes)


def write_riff(body: bytes) -> bytes:
    """A whole file. `body`: "WEBP" and its chunks."""
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _is_exact(still: _Still, height: int, width: int, allow_truncated: bool = False) -> bool:
    """Whether every chunk needs its last bytes, so that nothing is hidden there. `height`, `width`: of the file."""
    size = still.header[6:12] or (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    canvas = (b"VP8X", bytes([_HAS_ALPHA * (len(still.chunks) > 1), 0, 0, 0]) + size)
    for number, (kind, data) in enumerate(still.chunks):
        shorter = [*still.chunks[:number], (kind, data[:-CUT]), *still.chunks[number + 1 :]]
        if is_complete(write_riff(b"WEBP" + join_chunks([canvas, *shorter])), "WEBP", allow_truncated):
            return False
    return True


def embedded_data(content: bytes) -> EmbeddedData:
    """All data of a file beside its pictures.

    Raises:
        PictureError: the chunks are damaged.
    """
    found = read_metadata(content)
    with pillow_state(), Image.open(io.BytesIO(content), formats=["WEBP"]) as image:
        width, height = image.size
    if not all(_is_exact(still, height, width) for still in _stills(read_file_chunks(content))):
        found.hidden_content.append("more compressed data than the picture takes")
    return found


def read_metadata(content: bytes) -> EmbeddedData:
    """The same without a look at the compressed data."""
    end = 8 + int.from_bytes(content[4:8], "little")
    found = EmbeddedData(bytes_behind=max(0, len(content) - end - end % 2))
    chunks = read_file_chunks(content)
    inner = [chunk for kind, data in chunks if kind == b"ANMF" for chunk in read_chunks(data[_FRAME_HEADER:])]
    for kind, data in (*chunks, *inner):
        if kind == b"EXIF":
            found.exifs.append(data)
        elif kind == b"C2PA":
            found.hidden_content.append("content credentials (C2PA)")
        elif kind == b"ICCP":
            found.profiles.append(data)
        elif kind not in (*PICTURE_CHUNKS, b"VP8X", b"ANIM", b"ANMF"):
            found.texts.append(data)
            if kind != b"XMP " and len(data) > MAX_UNKNOWN:
                found.hidden_content.append(f"{len(data)} bytes in an unknown chunk")
    return found


def _encode_still(source: _Still, patch: Patch) -> _Still:
    chunks = _encode(patch.pixels, source.stream, source.size)
    if not source.header:
        return _Still(b"", chunks)
    height, width = patch.pixels.shape[:2]
    numbers = (patch.left // 2, patch.top // 2, width - 1, height - 1)
    place = b"".join(number.to_bytes(3, "little") for number in numbers)
    return _Still(place + source.header[12:15] + bytes([_REPLACES]), chunks)


def _with_metadata(
    frames: Sequence[StoredFrame], source: Mapping[bytes, bytes], behind: Sequence[Chunk], pictures: list[Chunk]
) -> list[Chunk]:
    """The pictures with metadata, in the order of the specification.

    Args:
        source: the first chunk of each kind.
        behind: chunks that come behind the pictures.
    """
    profile = exact_profile(source.get(b"ICCP", b""))
    before = [(b"ICCP", profile)] if profile else []
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


def _encode(pixels: Pixels, stream: bytes, size: int) -> list[Chunk]:
    """The chunks of one picture. `size`: bytes of the source."""
    if stream == b"VP8L":
        content = _save(pixels, 100, is_lossless=True)
    else:
        content = at_matched_quality(lambda quality: _save(pixels, quality, is_lossless=False), size)
    return [chunk for chunk in read_file_chunks(content) if chunk[0] in PICTURE_CHUNKS]


def _save(pixels: Pixels, quality: int, is_lossless: bool) -> bytes:
    buffer = io.BytesIO()
    to_image(pixels).save(buffer, "WEBP", lossless=is_lossless, quality=quality, exact=True)
    return buffer.getvalue()


CODEC = Codec(decode, encode, embedded_data, read_metadata=read_metadata)
