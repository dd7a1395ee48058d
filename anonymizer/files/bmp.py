"""BMP files. Every pixel outside the mask stays, with its alpha; density and colour space are their only metadata.

(Microsoft: BITMAPFILEHEADER, BITMAPINFOHEADER, BITMAPV4HEADER, BITMAPV5HEADER.)
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.codecs import Codec
from anonymizer.files.frames import decode_still, palette_left_out
from anonymizer.files.global_state import pillow_state
from anonymizer.files.metadata import EmbeddedData, Policy, exact_profile
from anonymizer.files.palettes import COLOURS, PALETTE_ISSUE, as_colours, may_hold_data, used_by
from anonymizer.files.picture import Encoded, Frame, Picture, StoredFrame, to_image
from anonymizer.settings import ReadSettings
from anonymizer.types import Alpha, Pixels

_FILE_HEADER = 14  # bytes
_OLD, _PLAIN, _WITH_ALPHA, _WITH_COLOURS, _WITH_PROFILE = 12, 40, 56, 108, 124  # sizes of the header behind it
_RGB, _MASKS, _ALPHA_MASKS = 0, 3, 6  # kinds of compression that are none
_READ_MASKS_OF_16_BITS = ((0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F))
_READ_MASKS = (  # of red, green, blue, alpha: those that Pillow reads
    *((0xFF000000, 0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
    *((0xFF0000, 0xFF00, 0xFF, 0xFF000000), (0xFF000000, 0xFF00, 0xFF, 0xFF0000)),
)
_WRITTEN_MASKS = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
_SRGB, _CALIBRATED, _EMBEDDED, _LINKED = b"BGRs", b"\0\0\0\0", b"DEBM", b"KNIL"
_COLOURS_AT, _GAMMA_AT, _INTENT_AT, _PROFILE_AT = 56, 96, 108, 112  # in the header


@dataclass(frozen=True)
class _Header:
    """How the pixels of a file are stored."""

    content: bytes

    def _number(self, at: int, size: int = 4) -> int:
        at += _FILE_HEADER
        return int.from_bytes(self.content[at : at + size], "little")

    @property
    def start(self) -> int:
        """Where the pixels begin; behind the palette if the file says that they begin in front of it."""
        told = int.from_bytes(self.content[10:14], "little")
        return self.palette_end if told in (0, _FILE_HEADER + self.size) else told

    @property
    def size(self) -> int:
        return self._number(0)

    @property
    def shape(self) -> tuple[int, int]:
        """Width, and height, which is negative if the top row comes first."""
        if self.size == _OLD:
            return self._number(4, 2), self._number(6, 2)
        height = self._number(8)
        return self._number(4), height - (1 << 32 if height >> 31 else 0)

    @property
    def bits(self) -> int:
        return self._number(10 if self.size == _OLD else 14, 2)

    @property
    def compression(self) -> int:
        return _RGB if self.size == _OLD else self._number(16)

    @cached_property
    def masks(self) -> tuple[int, int, int, int]:
        """Which bits of a pixel are red, green, blue and alpha; 0 if they are not told."""
        if self.compression not in (_MASKS, _ALPHA_MASKS):
            return 0, 0, 0, 0
        has_alpha = self.size >= _WITH_ALPHA or self.compression == _ALPHA_MASKS
        red, green, blue, alpha = (self._number(at) for at in (40, 44, 48, 52))
        return red, green, blue, alpha if has_alpha else 0

    @property
    def density(self) -> bytes:
        """Pixels per metre across and down, two numbers of 4 bytes."""
        return self._part(24, 8) if self.size >= _PLAIN else bytes(8)

    def _part(self, at: int, size: int) -> bytes:
        return self.content[_FILE_HEADER + at : _FILE_HEADER + at + size]

    @property
    def colour_space(self) -> bytes:
        """The fields for calibrated colours; those of sRGB if there are none."""
        space = self._part(_COLOURS_AT, _INTENT_AT - _COLOURS_AT)
        is_told = self.size >= _WITH_COLOURS and space.startswith(_CALIBRATED) and any(space[_GAMMA_AT - _COLOURS_AT :])
        return space if is_told else _SRGB.ljust(_INTENT_AT - _COLOURS_AT, b"\0")

    @cached_property
    def profile(self) -> tuple[int, bytes]:
        """Where the ICC profile lies, and what it is; nothing if there is none."""
        if self.size < _WITH_PROFILE or self._part(_COLOURS_AT, 4) not in (_EMBEDDED, _LINKED):
            return 0, b""
        start = _FILE_HEADER + self._number(_PROFILE_AT)
        return start, self.content[start : start + self._number(_PROFILE_AT + 4)]

    @property
    def has_profile(self) -> bool:
        """Whether it is in the file: it might also be the name of another one, which may be private."""
        return bool(exact_profile(self.profile[1])) and self._part(_COLOURS_AT, 4) == _EMBEDDED

    @property
    def intent(self) -> bytes:
        return self._part(_INTENT_AT, 4)

    @property
    def stride(self) -> int:
        """Bytes in a row."""
        return (self.shape[0] * self.bits + 31) // 32 * 4

    @property
    def end(self) -> int:
        """Where the pixels end."""
        is_plain = self.compression in (_RGB, _MASKS, _ALPHA_MASKS)
        size = self.stride * abs(self.shape[1]) if is_plain else self._number(20)
        return self.start + size if size else len(self.content)

    @property
    def palette(self) -> bytes:
        return self.content[self.palette_end - self._palette_size : self.palette_end]

    @property
    def palette_end(self) -> int:
        """Where the header, the masks behind it and the palette end."""
        masks = {_MASKS: 12, _ALPHA_MASKS: 16}.get(self.compression, 0) if self.size == _PLAIN else 0
        return _FILE_HEADER + self.size + masks + self._palette_size

    @property
    def _palette_size(self) -> int:
        colours = 0 if self.size == _OLD else self._number(32)
        colours = colours or (1 << self.bits if self.bits <= 8 else 0)
        return colours * (3 if self.size == _OLD else 4)


def can_open(content: bytes) -> bool:
    """Whether Pillow reads the alpha channel of a file, if it has one.

    Raises:
        PictureError: it does not.
    """
    if content.startswith(b"BM"):
        header = _Header(content)
        red, green, blue, alpha = header.masks
        is_read = {
            16: header.compression == _MASKS and (red, green, blue) in _READ_MASKS_OF_16_BITS,
            32: header.compression == _MASKS and (red, green, blue, alpha) in _READ_MASKS,
        }
        if alpha and not is_read.get(header.bits, False):
            raise PictureError("is a BMP file with an alpha channel of a kind that is not handled; convert it to PNG")
    return True


def decode(image: Image.Image, content: bytes, settings: ReadSettings) -> Picture:
    """The only picture. The fourth byte of pixels without alpha is a band of its own if it differs between pixels.

    Raises:
        PictureError: its mode is not handled.
    """
    picture = replace(decode_still(image, content, settings, "BMP"), left_out=tuple(_left_out(content)))
    header, frame = _Header(content), picture.frames[0]
    if frame.alpha is None and header.masks[3]:
        return replace(picture, frames=(Frame(frame.pixels, _alpha_of_16_bits(header)),))
    if frame.alpha is None and header.bits == 32 and len(content) >= header.end:
        unused = _unused_byte(header)
        if np.ptp(unused):
            return replace(picture, frames=(Frame(np.dstack([frame.pixels, unused]), further=1),))
    return picture


def _left_out(content: bytes) -> Iterator[str]:
    """Notes for the report."""
    found = read_metadata(content)
    if number := found.bytes_behind + found.bytes_apart:
        yield f"{number} bytes that do not belong to the picture are left out"


def _stored(header: _Header, dtype: str) -> Pixels:
    """The rows of uncompressed pixels, from the top on."""
    width, height = header.shape
    rows = np.frombuffer(header.content, np.uint8, header.stride * abs(height), header.start)
    values = rows.reshape(abs(height), header.stride).view(dtype)[
        :, : width * header.bits // (8 * np.dtype(dtype).itemsize)
    ]
    return values if height < 0 else values[::-1]


def _alpha_of_16_bits(header: _Header) -> Alpha:
    """The alpha channel of pixels of 16 bits, spread to 8."""
    mask = header.masks[3]
    lowest = mask & -mask
    values = (_stored(header, "<u2").astype(np.uint32) & mask) // lowest
    alpha: Alpha = np.rint(values * (255 / (mask // lowest))).astype(np.uint8)
    return alpha


def _unused_byte(header: _Header) -> Alpha:
    """The byte of each pixel of 32 bits that is not a colour, uint8 (H, W)."""
    red, green, blue, _ = header.masks
    used = (red | green | blue).to_bytes(4, "little") if red | green | blue else b"\xff\xff\xff\0"
    pixels: Pixels = _stored(header, "u1").reshape(abs(header.shape[1]), -1, 4)
    return pixels[:, :, used.index(0)]


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A BMP file of the only frame."""
    header, stored, source = _Header(picture.content), frames[0].pixels, picture.frames[0]
    has_colours = header.has_profile or not header.colour_space.startswith(_SRGB)
    if source.alpha is not None or source.further or has_colours:
        return Encoded(_write(header, stored, source.alpha is not None, has_colours), "lossless")
    with pillow_state(), Image.open(io.BytesIO(picture.content), formats=["BMP"]) as image:
        options = {"dpi": image.info["dpi"]} if "dpi" in image.info else {}
    buffer = io.BytesIO()
    to_image(stored).save(buffer, "BMP", **options)
    return Encoded(buffer.getvalue(), "lossless")


def _write(source: _Header, stored: Pixels, has_alpha: bool, has_colours: bool) -> bytes:
    """A file with alpha, another fourth byte, or the colour space of its source.

    Args:
        stored: uint8 (H, W, C): gray, RGB, or with a fourth channel.
    """
    if stored.shape[2] <= 2:
        stored = np.dstack([*[stored[:, :, 0]] * 3, *[stored[:, :, 1]] * (stored.shape[2] - 1)])
    height, width, channels = stored.shape
    size = _PLAIN if not (has_alpha or has_colours) else _WITH_PROFILE if source.has_profile else _WITH_COLOURS
    stride = (width * channels + 3) // 4 * 4
    rows = np.zeros((height, stride), np.uint8)
    rows[:, : width * channels] = stored[::-1, :, [2, 1, 0, 3][:channels]].reshape(height, -1)
    start, profile = _FILE_HEADER + size, exact_profile(source.profile[1]) if source.has_profile else b""

    def number(value: int, size: int = 4) -> bytes:
        return value.to_bytes(size, "little")

    header = number(size) + number(width) + number(height) + number(1, 2) + number(8 * channels, 2)
    header += number(_MASKS if has_alpha else _RGB) + number(rows.nbytes) + source.density + bytes(8)
    if size != _PLAIN:
        header += b"".join(number(mask if has_alpha else 0) for mask in _WRITTEN_MASKS)
        header += source.colour_space if not profile else _EMBEDDED.ljust(_INTENT_AT - _COLOURS_AT, b"\0")
    if size == _WITH_PROFILE:
        header += source.intent + number(size + rows.nbytes) + number(len(profile)) + bytes(4)
    end = start + rows.nbytes + len(profile)
    if end >= 1 << 32:
        raise PictureError("would be larger than 4 GB, which BMP files cannot be")
    return b"BM" + number(end) + bytes(4) + number(start) + header + rows.tobytes() + profile


def embedded_data(content: bytes) -> EmbeddedData:
    """All data of a file beside its picture."""
    found = read_metadata(content)
    if _hides_in_palette(_Header(content)):
        found.hidden_content.append(PALETTE_ISSUE)
    return found


def read_metadata(content: bytes) -> EmbeddedData:
    """The colour profile, and bytes behind the pixels and in front of them that do not belong to it."""
    header = _Header(content)
    start, profile = header.profile
    end = header.end
    parts = [content[header.palette_end : header.start], content[end:]]
    if profile and start >= end:
        parts[1:] = [content[end:start], content[start + len(profile) :]]
    apart, *behind = (len(part) if part.strip(b"\0") else 0 for part in parts)
    return EmbeddedData(
        profiles=[profile] if header.has_profile else [],
        texts=[profile] if profile and not header.has_profile else [],
        bytes_behind=sum(behind),
        bytes_apart=apart,
    )


def _hides_in_palette(header: _Header) -> bool:
    """Whether colours that no pixel shows may be something else."""
    is_indexed = header.bits <= 8
    used = np.zeros(COLOURS, bool)
    if is_indexed:
        with pillow_state(True), Image.open(io.BytesIO(header.content), formats=["BMP"]) as image:
            if image.mode != "P":
                return False  # two colours, or a ramp
            used = used_by(np.asarray(image))
    return may_hold_data(as_colours(header.palette, 3 if header.size == _OLD else 4), used)


CODEC = Codec(decode, encode, embedded_data, can_open, left_out=palette_left_out, read_metadata=read_metadata)
