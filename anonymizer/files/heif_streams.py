"""Compressed pictures in AVIF and HEIC files: what they hold beside the picture, and how they name its colours.

AV1 consists of open bitstream units (AV1 specification, section 5.3), HEVC of network abstraction layer units
(ITU-T H.265, section 7.3.1).
"""

from __future__ import annotations

from collections.abc import Iterator

from anonymizer.files.heif_items import Item

_SEQUENCE, _DELIMITER, _FRAME_HEADER, _TILES, _METADATA, _FRAME, _REPEATED_HEADER = 1, 2, 3, 4, 5, 6, 7
_AV1_FRAMES = (_FRAME_HEADER, _FRAME)
_AV1_PARTS = (_SEQUENCE, _DELIMITER, _FRAME_HEADER, _TILES, _FRAME, _REPEATED_HEADER)
_HEVC_SLICES, _HEVC_HEADERS = range(32), range(32, 38)  # parameter sets, delimiter, ends


def data_beside_frame(item: Item, data: bytes) -> Iterator[bytes]:
    """Units that no decoder needs for the picture: messages, padding, further frames, bytes behind the last unit."""
    if item.kind == b"av01":
        yield from _beside_av1(data)
    elif item.kind in (b"hvc1", b"hev1"):
        configuration = item.property_of(b"hvcC") or b""
        yield from _beside_hevc(data, (configuration[21] & 3) + 1 if len(configuration) > 21 else 4)


def read_units(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The units of an AV1 picture: type, and positions of the payload. What cannot be read is a unit of type -1."""
    position = 0
    while position < len(data):
        header = data[position]
        start = position + (2 if header & 4 else 1)
        if header & 0x80:
            yield -1, position, len(data)
            return
        size = len(data) - start
        if header & 2:
            size, start = _leb128(data, start)
        if size < 0 or start + size > len(data):
            yield -1, position, len(data)
            return
        yield header >> 3 & 15, start, start + size
        position = start + size


def _leb128(data: bytes, position: int) -> tuple[int, int]:
    """A number of variable length, and the position behind it; -1 if it is damaged."""
    value = 0
    for index, byte in enumerate(data[position : position + 8]):
        value |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return value, position + index + 1
    return -1, position


def _beside_av1(data: bytes) -> Iterator[bytes]:
    frames = 0
    for kind, start, end in read_units(data):
        frames += kind in _AV1_FRAMES
        if kind not in _AV1_PARTS or (frames > 1 and kind not in (_SEQUENCE, _DELIMITER)):
            yield data[start:end]


def _beside_hevc(data: bytes, length_size: int) -> Iterator[bytes]:
    position, frames = 0, 0
    while position + length_size < len(data):
        size = int.from_bytes(data[position : position + length_size], "big")
        start = position + length_size
        unit = data[start : start + size]
        if len(unit) < max(size, 2):
            yield data[position:]
            return
        kind, layer = unit[0] >> 1 & 63, (unit[0] & 1) << 5 | unit[1] >> 3
        is_first = kind in _HEVC_SLICES and len(unit) > 2 and bool(unit[2] & 0x80)
        frames += is_first
        if layer or frames > 1 or kind not in (*_HEVC_SLICES, *_HEVC_HEADERS):
            yield unit[2:]
        position = start + size


def with_colours(data: bytes, colours: tuple[int, int]) -> bytes:
    """An AV1 picture whose header names these primaries and this transfer function, if it names any.

    Only the short header of still pictures is known here. (AV1 specification, sections 5.5.1 and 5.5.2.)
    """
    for kind, start, end in read_units(data):
        if kind == _SEQUENCE:
            position = _position_of_colours(data[start:end])
            if position is None:
                return data
            bits = int.from_bytes(data[start:end], "big")
            shift = 8 * (end - start) - position - 16
            bits = bits & ~(0xFFFF << shift) | (colours[0] << 8 | colours[1]) << shift
            return data[:start] + bits.to_bytes(end - start, "big") + data[end:]
    return data


def colours_of(data: bytes) -> tuple[int, int] | None:
    """The primaries and the transfer function that the header of an AV1 picture names; None as for `with_colours`."""
    for kind, start, end in read_units(data):
        if kind == _SEQUENCE:
            position = _position_of_colours(data[start:end])
            if position is None:
                return None
            bits = int.from_bytes(data[start:end], "big") >> 8 * (end - start) - position - 16
            return bits >> 8 & 0xFF, bits & 0xFF
    return None


def _position_of_colours(header: bytes) -> int | None:
    """Number of bits before the primaries; None if they are not named, or the header is not a short one."""
    text = "".join(f"{byte:08b}" for byte in header)
    profile, is_short = int(text[:3] or "0", 2), text[4:5] == "1"
    if not is_short:
        return None
    position = 10
    width_bits, height_bits = (int(text[at : at + 4] or "0", 2) + 1 for at in (position, position + 4))
    position += 8 + width_bits + height_bits + 6  # three flags of prediction tools and three of filters
    is_deep = text[position : position + 1] == "1"
    position += 1 + (profile == 2 and is_deep)
    position += profile != 1  # whether it is gray
    is_named = text[position : position + 1] == "1"
    return position + 1 if is_named and position + 25 <= len(text) else None
