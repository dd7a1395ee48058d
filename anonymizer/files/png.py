"""PNG files, still and animated, and their chunks. (PNG specification, third edition, section 11.)"""

from __future__ import annotations

import io
import logging
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.animation import Patch, count_frames, decode_animation, to_patches
from anonymizer.files.carriers import Stated, stated_by
from anonymizer.files.codecs import Codec
from anonymizer.files.frames import decode_still, palette_left_out, read_encoding, refuse_colours, to_picture
from anonymizer.files.global_state import pillow_buffer, pillow_state
from anonymizer.files.metadata import (
    MAX_UNKNOWN,
    EmbeddedData,
    Policy,
    exact_profile,
    is_xmp,
    kept_exif,
    kept_texts,
    kept_xmp,
    left_out_note,
)
from anonymizer.files.palettes import COLOURS, PALETTE_ISSUE, Used, as_colours, may_hold_data, used_by, without_unused
from anonymizer.files.picture import Encoded, Frame, Picture, StoredFrame, to_image
from anonymizer.files.plain_language import is_plain
from anonymizer.settings import ReadSettings
from anonymizer.types import Pixels

logger = logging.getLogger(__name__)

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SIZES = {b"cICP": 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32, b"pHYs": 9, b"mDCV": 24, b"cLLI": 8, b"tIME": 7}
"""Chunks for colours, density, brightness and time, which are kept, and their sizes in bytes: others hold more."""
_OTHER_SIZES = {b"bKGD": 6, b"sBIT": 4}
"""The same of known ones that are not kept, at most."""
_MOST_CHROMATICITY, _MOST_SHARE, _BRIGHTEST = 2 * 100_000, 50_000, 10_000 * 10_000
"""Largest numbers in `cHRM` (2) and in `mDCV` (1, and 10,000 cd/m2), in their units."""
TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_XMP, _RAW_PROFILE, _END_OF_KEYWORD = b"XML:com.adobe.xmp", b"Raw profile", b"\0"
_EXIF = b"Exif\0\0"
_MAX_TEXT = 16_000_000  # bytes
_UNREADABLE = b"\0!"  # stands for text that is never kept
_PALETTE_CHUNKS = (b"PLTE", b"tRNS")
_PALETTE, _TRANSPARENT_SIZES = 3, {0: 2, 2: 6}  # colour type; bytes of a transparent colour by colour type
_HEADER_AT = 16  # position of the header's data in a file
_PICTURE_CHUNKS = (b"PLTE", b"tRNS", b"IDAT", b"IEND")
_ANIMATION_CHUNKS = (b"acTL", b"fcTL", b"fdAT")
_BIT_DEPTH_AT = 24  # signature 8, length 4, "IHDR" 4, width 4, height 4
FRAME_CONTROL = struct.Struct(">IIIIIHHBB")  # number, width, height, left, top, delay as a fraction, disposal, blending

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Colour type by number of channels: gray, gray with alpha, RGB, RGBA."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Number of channels by colour type; 3 is a palette."""
_GRAY_WITH_ALPHA, _COLOUR_TYPE_AT = 4, 25


def decode(image: Image.Image, content: bytes, settings: ReadSettings) -> Picture:
    """The still picture, or the frames of an animation as they are shown.

    Raises:
        PictureError: the file is damaged, or of a kind that is not handled.
    """
    is_animation = count_frames(image, settings) > 1
    if content[12:16] != b"IHDR":
        raise PictureError("is damaged: a PNG file that does not begin with its header")
    refuse_colours(image)
    if is_animation and is_16_bits(content):
        raise PictureError("is an animated PNG file of 16 bits per channel; convert it to 8 bits first")
    if is_animation:
        return decode_animation(image, content, settings, "PNG", _stated(content))
    if not is_16_bits(content):
        return decode_still(image, content, settings, "PNG", _stated(content))
    with pillow_state(settings.allow_truncated):
        image.load()  # detects damage, and reads metadata behind the pixels
        encoding = read_encoding(image, "PNG", _stated(content))
    return to_picture(Frame(*decode_16_bits(content)), content, encoding)


def decode_16_bits(content: bytes) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16] | None]:
    """Decodes a file with 16 bits per channel: pixels (H, W, 1) or (H, W, 3) RGB, and alpha (H, W) if there is any.

    Raises:
        PictureError: the file is damaged.
    """
    with pillow_state():
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16:
        raise PictureError("is damaged: its 16-bit pixels cannot be read")
    stored = decoded.astype(np.uint16, copy=False)
    if stored.ndim == 2:
        return stored[:, :, np.newaxis], None
    alpha = np.ascontiguousarray(stored[:, :, 3]) if stored.shape[2] == 4 else None
    is_gray = content[_COLOUR_TYPE_AT] == _GRAY_WITH_ALPHA
    return np.ascontiguousarray(stored[:, :, :1] if is_gray else stored[:, :, 2::-1]), alpha


def is_16_bits(content: bytes) -> bool:
    """Whether the file, which begins with its header, has 16 bits per channel."""
    return content[_BIT_DEPTH_AT] == 16


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A PNG file with the chunks of the source file that the policy keeps.

    Raises:
        PictureError: the chunks of an animation are damaged.
    """
    metadata, names = _filter_metadata(picture, policy)
    content = None
    if not any(frame.is_changed for frame in frames):
        content = _with_same_pixels(picture, metadata)
        if content is None:
            logger.debug("re-encoded, since the compressed data may hold more than the picture")
    if content is None:
        header, *others = _encode_animation(picture, frames) if len(frames) > 1 else encode_still(frames[0].pixels)
        content = join_chunks([header, *metadata, *others])
    return Encoded(content, "lossless", left_out_note(names))


Chunk: TypeAlias = tuple[bytes, bytes]
"""Kind and data."""


def encode_still(stored: Pixels) -> list[Chunk]:
    """The chunks of a file with one picture, (H, W, C), uint8 or uint16."""
    return list(read_chunks(_encode_8_bits(stored) if stored.dtype == np.uint8 else _encode_16_bits(stored)))


@dataclass(frozen=True)
class _Animation:
    """Loops, delays and first picture of an animated file."""

    loops: int
    delays: list[tuple[int, int]]
    """Duration of each frame in seconds, as a fraction."""
    has_default: bool
    """Whether the first picture is not a frame of the animation, but for viewers that cannot show animations."""


def _animation(content: bytes) -> _Animation:
    kinds = [kind for kind, _ in read_chunks(content)]
    controls = [FRAME_CONTROL.unpack(data) for kind, data in read_chunks(content) if kind == b"fcTL"]
    loops = next(int.from_bytes(data[4:8], "big") for kind, data in read_chunks(content) if kind == b"acTL")
    has_default = not controls or kinds.index(b"IDAT") < kinds.index(b"fcTL")
    return _Animation(loops, [(control[5], control[6]) for control in controls], has_default)


def _encode_animation(picture: Picture, frames: Sequence[StoredFrame]) -> Iterator[Chunk]:
    animation = _animation(picture.content)
    stills, moving = (frames[:1], frames[1:]) if animation.has_default else (frames[:0], frames)
    if len(animation.delays) < len(moving):
        raise PictureError("is damaged: its number of frames is not certain")
    patches = list(to_patches(moving))
    header, *data = encode_still((stills or moving)[0].pixels)
    yield header
    yield b"acTL", struct.pack(">II", len(moving), animation.loops)
    if stills:
        yield from (chunk for chunk in data if chunk[0] != b"IEND")
    number = 0
    for patch, delay in zip(patches, animation.delays, strict=False):
        yield b"fcTL", _frame_control(number, patch, delay)
        number += 1
        for kind, part in encode_still(patch.pixels):
            if kind != b"IDAT":
                continue
            if patch is patches[0] and not stills:
                yield kind, part  # also shown by viewers without animations: its data have no number
            else:
                yield b"fdAT", struct.pack(">I", number) + part
                number += 1
    yield b"IEND", b""


def _frame_control(number: int, patch: Patch, delay: tuple[int, int]) -> bytes:
    height, width = patch.pixels.shape[:2]
    return FRAME_CONTROL.pack(number, width, height, patch.left, patch.top, *delay, 0, 0)  # stays, and replaces


def _encode_8_bits(stored: Pixels) -> bytes:
    buffer = io.BytesIO()
    with pillow_buffer():
        to_image(stored).save(buffer, "PNG")
    return buffer.getvalue()


def _encode_16_bits(stored: Pixels) -> bytes:
    """Own encoder, since neither Pillow nor OpenCV writes all four colour types with 16 bits."""
    height, width, channels = stored.shape
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    rows = stored.astype(">u2").reshape(height, -1).view(np.uint8)
    differences = np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8))  # filter 2, "up", wraps around
    data = zlib.compress(np.insert(differences, 0, 2, axis=1).tobytes())
    return join_chunks([(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")])


def _with_same_pixels(picture: Picture, metadata: Sequence[Chunk]) -> bytes | None:
    """The file with its picture data as they are, and these metadata.

    None if the compressed data hold more than the frames: the rest could be another picture.
    """
    header, *others = read_chunks(picture.content)
    is_animation = len(picture.frames) > 1
    if not _are_exact_streams(header[1], others, len(picture.frames) if is_animation else 1, is_animation):
        return None
    kinds = (*_PICTURE_CHUNKS, *_ANIMATION_CHUNKS) if is_animation else _PICTURE_CHUNKS
    palette = _kept_palette(header[1], others, is_animation)
    if palette is None:
        return None
    pictures = [chunk for chunk in others if chunk[0] in kinds and chunk[0] not in _PALETTE_CHUNKS]
    return join_chunks([header, *metadata, *palette, *pictures])


def _kept_palette(header: bytes, chunks: Sequence[Chunk], is_animation: bool) -> list[Chunk] | None:
    """The palette and its transparency, or the transparent colour, without anything that no pixel shows.

    None if there are several, or some of another size.
    """
    found = [chunk for chunk in chunks if chunk[0] in _PALETTE_CHUNKS]
    by_kind = dict(found)
    palette, transparency = by_kind.get(b"PLTE", b""), by_kind.get(b"tRNS", b"")
    colour_type = header[_COLOUR_TYPE_AT - _HEADER_AT]
    if len(by_kind) < len(found):
        return None
    if colour_type != _PALETTE:
        is_sound = not transparency or _is_needed(header, b"tRNS", transparency)
        return None if not is_sound else [(b"tRNS", transparency)] if transparency else []
    if len(palette) % 3 or len(transparency) > len(palette) // 3 or not all(_is_needed(header, *one) for one in found):
        return None
    used = _used_colours(header, chunks, is_animation)
    kept = [(b"PLTE", without_unused(as_colours(palette), used).tobytes())]
    alphas = without_unused(as_colours(transparency, 1), used, 255)
    return [*kept, (b"tRNS", alphas.tobytes())] if transparency else kept


def _is_needed(header: bytes, kind: bytes, data: bytes) -> bool:
    """Whether a palette or transparency is needed to show the picture: beside RGB, a palette is a mere suggestion."""
    colour_type = header[_COLOUR_TYPE_AT - _HEADER_AT]
    if colour_type == _PALETTE:
        return len(data) <= COLOURS * (3 if kind == b"PLTE" else 1)
    return kind == b"tRNS" and len(data) == _TRANSPARENT_SIZES.get(colour_type, 0)


def _used_colours(header: bytes, chunks: Sequence[Chunk], is_animation: bool) -> Used:
    """The colours of the palette that any frame shows."""
    palette, pictures = (b"PLTE", bytes(3 * COLOURS)), []
    for size, parts in _streams(header, chunks, is_animation):
        content = join_chunks([(b"IHDR", size + header[8:]), palette, (b"IDAT", b"".join(parts)), (b"IEND", b"")])
        with pillow_state(), Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            pictures.append(np.asarray(image))
    return used_by(*pictures)


def _filter_metadata(picture: Picture, policy: Policy) -> tuple[list[Chunk], list[str]]:
    """The chunks beside the pixels that the policy keeps, and names of metadata that are not plain language."""
    kept: list[Chunk] = []
    seen: set[bytes] = set()
    for kind, data in read_chunks(picture.content):
        if _is_for_display(kind, data) and kind not in seen and (kind != b"tIME" or policy != "strip"):
            kept.append((kind, data))
        elif kind == b"iCCP" and kind not in seen:
            kept += _exact_profile(data)
        seen.add(kind)
    exif = kept_exif(_exif(picture.content), picture.encoding.orientation, policy)
    texts, names = _filter_texts(picture, policy)
    return [*kept, *texts, *([] if exif.content is None else [(b"eXIf", exif.content)])], [*exif.left_out, *names]


def _is_for_display(kind: bytes, data: bytes) -> bool:
    """Whether a chunk is a sound one of those in `_SIZES`. The longer ones could hold something else than colours."""
    if kind not in _SIZES or len(data) != _SIZES[kind]:
        return False
    if kind == b"cHRM":
        return bool(max(struct.unpack(">8I", data)) <= _MOST_CHROMATICITY)
    if kind == b"mDCV":
        *shares, brightest, darkest = struct.unpack(">8H2I", data)
        return bool(max(shares) <= _MOST_SHARE and darkest <= brightest <= _BRIGHTEST)
    return True


def _exif(content: bytes) -> bytes | None:
    return next((data for kind, data in read_chunks(content) if kind == b"eXIf"), None)


def _stated(content: bytes) -> Stated:
    """Its orientation. Some viewers know EXIF data only in texts, and some do not turn PNG files."""
    chunks = list(read_chunks(content))
    exifs = [data for kind, data in chunks if kind == b"eXIf"]
    packets = [_packet(*_plain_text(*chunk)) for chunk in chunks if chunk[0] in TEXT_CHUNKS and _is_xmp(chunk)]
    raw = [profile for chunk in chunks if chunk[0] in TEXT_CHUNKS and (profile := _raw_profile(*chunk))]
    exifs += [profile for profile in raw if profile.startswith(_EXIF)]
    packets += [profile for profile in raw if is_xmp(profile)]
    return stated_by(exifs, packets, further=(1,))


def _raw_profile(kind: bytes, data: bytes) -> bytes:
    """EXIF data or XMP in hexadecimal digits, as ImageMagick writes them; nothing in other chunks."""
    keyword, _, rest = data.partition(b"\0")
    if not keyword.startswith(_RAW_PROFILE) or kind == b"iTXt":
        return b""
    text = rest if kind == b"tEXt" else _inflated(rest[1:])
    try:
        return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii"))
    except ValueError:
        return b""


def _filter_texts(picture: Picture, policy: Policy) -> tuple[list[Chunk], list[str]]:
    """The text chunks that the policy keeps, and names of those that are not plain language."""
    names: list[str] = []
    if policy != "keep":
        return [], names
    chunks = [(kind, data) for kind, data in read_chunks(picture.content) if kind in TEXT_CHUNKS]
    kept: list[Chunk] = []
    texts = [_plain_text(*chunk) for chunk in chunks]
    are_kept = kept_texts(
        [(b"", b"") if _is_xmp(chunk) else text for chunk, text in zip(chunks, texts, strict=True)], policy
    )
    for chunk, (title, text), is_kept in zip(chunks, texts, are_kept, strict=True):
        packet = _packet(title, text)
        if _is_xmp(chunk) and _UNREADABLE not in text:
            xmp = kept_xmp(packet, policy, picture.encoding.orientation)
            names += xmp.left_out
            kept += [] if xmp.content is None else [chunk if xmp.content == packet else _xmp_chunk(xmp.content)]
        elif is_kept and not _is_xmp(chunk):
            kept.append(chunk)
        else:
            names.append(f"the text {chunk[1].partition(_END_OF_KEYWORD)[0][:40].decode('latin-1')!r}")
    return kept, names


def _is_xmp(chunk: Chunk) -> bool:
    return chunk[1].partition(_END_OF_KEYWORD)[0] == _XMP


def _packet(names: bytes, text: bytes) -> bytes:
    """The XMP packet in the text of a chunk. `names`: see `_plain_text`."""
    return names.removeprefix(_XMP) + text


def _xmp_chunk(packet: bytes) -> Chunk:
    return b"iTXt", _XMP + b"\0\0\0\0\0" + packet


def _exact_profile(data: bytes) -> Iterator[Chunk]:
    """The chunk with an ICC profile with nothing but colours; nothing if it is damaged."""
    name, profile, ends = _read_profile(data)
    exact = exact_profile(profile)
    is_exact = exact == profile and ends and is_plain(name.decode("latin-1"))
    if exact:
        yield b"iCCP", data if is_exact else b"ICC profile\0\0" + zlib.compress(exact)


def _read_profile(data: bytes) -> tuple[bytes, bytes, bool]:
    """Name and content of an ICC profile, nothing if it is damaged, and whether its data end where the chunk does."""
    name, _, packed = data.partition(b"\0")
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(packed[1:], _MAX_TEXT)
    except zlib.error:
        return name, b"", False
    return name, profile, inflate.eof and not inflate.unused_data


def _plain_text(kind: bytes, data: bytes) -> tuple[bytes, bytes]:
    """Names of a text chunk, which are its keyword, language and title, and its text.

    The text is `_UNREADABLE` if it cannot be read and so may hold a picture.
    """
    keyword, _, rest = data.partition(b"\0")
    if keyword.startswith(_RAW_PROFILE):
        return keyword, _UNREADABLE  # another copy of EXIF, XMP or IPTC, in hexadecimal digits
    if kind == b"tEXt":
        return keyword, rest
    if kind == b"zTXt":
        return keyword, _inflated(rest[1:])
    language, _, translated = rest[2:].partition(b"\0")
    title, _, text = translated.partition(b"\0")
    return keyword + language + title, _inflated(text) if rest[:1] == b"\1" else text


def _inflated(packed: bytes) -> bytes:
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(packed, _MAX_TEXT)
    except zlib.error:
        return _UNREADABLE
    return text if inflate.eof and not inflate.unused_data else _UNREADABLE


def _are_exact_streams(header: bytes, chunks: Sequence[Chunk], frames: int, is_animation: bool) -> bool:
    """Whether the compressed data hold exactly the rows of `frames` frames; false for interlaced files."""
    streams = _streams(header, chunks, is_animation)
    return len(streams) == frames and all(_is_exact_stream(size + header[8:], parts) for size, parts in streams)


def _streams(header: bytes, chunks: Sequence[Chunk], is_animation: bool) -> list[tuple[bytes, list[bytes]]]:
    """Width and height, as stored, and compressed data of each frame."""
    streams: list[tuple[bytes, list[bytes]]] = []
    for kind, data in chunks:
        if kind == b"fcTL" and is_animation:
            streams.append((data[4:12], []))
        elif kind == b"IDAT":
            if not streams:
                streams.append((header[:8], []))
            streams[-1][1].append(data)
        elif kind == b"fdAT" and is_animation:
            streams[-1][1].append(data[4:])
    return streams


def embedded_data(content: bytes) -> EmbeddedData:
    """All data of a file beside its picture."""
    found = read_metadata(content)
    header, *others = read_chunks(content)
    frames, is_animation = _announced_frames(others)
    is_interlaced = header[1][-1] != 0  # not checked
    if not is_interlaced and not _are_exact_streams(header[1], others, frames, is_animation):
        found.hidden_content.append("more compressed data than the picture takes")
    elif _hides_in_palette(header[1], others, is_animation):
        found.hidden_content.append(PALETTE_ISSUE)
    return found


def _hides_in_palette(header: bytes, chunks: Sequence[Chunk], is_animation: bool) -> bool:
    """Whether colours that no pixel shows may be something else, in a file with a palette."""
    if header[_COLOUR_TYPE_AT - _HEADER_AT] != _PALETTE:
        return False
    parts = [(data, 3 if kind == b"PLTE" else 1) for kind, data in chunks if kind in _PALETTE_CHUNKS]
    used = _used_colours(header, chunks, is_animation)
    return any(may_hold_data(as_colours(data, channels), used) for data, channels in parts)


def read_metadata(content: bytes) -> EmbeddedData:
    """The same without a look at the compressed data."""
    found = EmbeddedData(bytes_behind=len(content) - _end_of_picture(content))
    header, *others = read_chunks(content)
    _, is_animation = _announced_frames(others)
    palettes = set[bytes]()
    known = (b"iCCP", b"IDAT", b"IEND", *(_ANIMATION_CHUNKS if is_animation else ()))
    for kind, data in others:
        if kind == b"eXIf":
            found.exifs.append(data)
        elif kind == b"caBX":
            found.hidden_content.append("content credentials (C2PA)")
        elif kind in TEXT_CHUNKS:
            names, text = _plain_text(kind, data)
            if _is_xmp((kind, data)):
                found.texts.append(_packet(names, text))
            else:
                found.named_texts.append((names, text))
            if _UNREADABLE in text:
                found.hidden_content.append("a text that cannot be read")
        elif kind == b"iCCP":
            found.profiles.append(_read_profile(data)[1])
            if list(_exact_profile(data)) != [(kind, data)]:
                found.hidden_content.append("more in the colour profile than the profile")
        elif kind in _PALETTE_CHUNKS:
            if kind in palettes or not _is_needed(header[1], kind, data):
                found.texts.append(data)
                if len(data) > MAX_UNKNOWN:
                    found.hidden_content.append(PALETTE_ISSUE)
            palettes.add(kind)
        elif kind not in known and not _is_for_display(kind, data) and len(data) > _OTHER_SIZES.get(kind, -1):
            found.texts.append(data)
            if len(data) > MAX_UNKNOWN:
                found.hidden_content.append(f"{len(data)} bytes in an unknown chunk")
    return found


def _announced_frames(chunks: Sequence[Chunk]) -> tuple[int, bool]:
    """Number of pictures that viewers show, and whether they are an animation."""
    kinds = [kind for kind, _ in chunks]
    control = dict(reversed(chunks)).get(b"acTL")
    if control is None or b"fcTL" not in kinds:
        return 1, False
    has_default = b"IDAT" in kinds and kinds.index(b"IDAT") < kinds.index(b"fcTL")
    return int.from_bytes(control[:4], "big") + has_default, True


def _end_of_picture(content: bytes) -> int:
    position = len(_SIGNATURE) + sum(12 + len(data) for _, data in read_chunks(content))
    return min(position, len(content))


def _is_exact_stream(header: bytes, parts: Iterable[bytes]) -> bool:
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


def join_chunks(chunks: Iterable[Chunk]) -> bytes:
    """A file of these chunks."""
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def read_chunks(content: bytes) -> Iterator[Chunk]:
    """The chunks of a file up to and including the end of the picture."""
    position = len(_SIGNATURE)
    while position + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, position)
        kind = content[position + 4 : position + 8]
        yield kind, content[position + 8 : position + 8 + length]
        if kind == b"IEND":
            return  # bytes behind it do not belong to the picture
        position += 12 + length


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def left_out(picture: Picture, frames: Sequence[StoredFrame]) -> Sequence[str]:
    """The palette, unless nothing was redacted."""
    return palette_left_out(picture, frames) if any(frame.is_changed for frame in frames) else ()


CODEC = Codec(decode, encode, embedded_data, left_out=left_out, read_metadata=read_metadata)
