"""The little of H.264 that is needed to copy parts of a stream: ITU-T H.264, sections 7.3, D and E; ISO/IEC 14496-15.

Everything here is strict: what is not understood to the last bit raises ValueError.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

SLICE, IDR_SLICE, MESSAGE, SEQUENCE, PICTURE = 1, 5, 6, 7, 8
"""Types of units (nal_unit_type)."""
MARKERS = (9, 10, 11, 12)
"""Units that say nothing about pictures: delimiters, ends, filling."""
ALLOWED = frozenset((SLICE, IDR_SLICE, MESSAGE, SEQUENCE, PICTURE, *MARKERS))
"""Others hold parts of pictures, second views or layers, which are not seen where the stream is decoded."""
MAX_ENCODER_ID = 31
"""Greatest number of a sequence's parameters."""

_REGISTERED = 4
_CAPTIONS = b"\xb5\0\x31GA94\x03"
_MASTERING, _LIGHT, _TRANSFER = 137, 144, 147
_KEPT_MESSAGES = {_MASTERING: 24, _LIGHT: 4, _TRANSFER: 1}
"""Messages (SEI) that tell how colours are shown, with their size in bytes."""
_HAS_CHROMA_FORMAT = (100, 110, 122, 244, 44)
_PROFILES = (66, 77, *_HAS_CHROMA_FORMAT)
PROFILE_NAMES = {66: "baseline", 77: "main", 100: "high", 110: "high10", 122: "high422", 244: "high444"}
"""Of those that x264 writes."""
_MAX_MACROBLOCKS = {
    **{9: 396, 10: 396, 11: 900, 12: 2376, 13: 2376, 20: 2376, 21: 4752, 22: 8100, 30: 8100, 31: 18000, 32: 20480},
    **{40: 32768, 41: 32768, 42: 34816, 50: 110400, 51: 184320, 52: 184320, 60: 696320, 61: 696320, 62: 696320},
}
"""Of the frames that a decoder of a level holds, table A-1."""
_MOST_FRAMES = 16


def units_of_stream(data: bytes) -> list[bytes]:
    """The units of a byte stream, in which each follows a start code (annex B)."""
    parts = data.split(b"\0\0\x01")
    if parts[0].strip(b"\0"):
        raise ValueError("does not begin with a start code")
    # A unit never ends with a zero byte: those belong to the next start code.
    return [unit for part in parts[1:] if (unit := part.rstrip(b"\0"))]


def units_of_sample(data: bytes, length_bytes: int) -> list[bytes]:
    """The units of a packet in which the length of each comes first."""
    units, position = [], 0
    while position < len(data):
        start = position + length_bytes
        end = start + int.from_bytes(data[position:start], "big")
        if end > len(data) or start > len(data):
            raise ValueError("has a unit that is cut off")
        if end > start:
            units.append(data[start:end])
        position = end
    return units


def to_stream(units: Iterable[bytes]) -> bytes:
    return b"".join(b"\0\0\0\x01" + unit for unit in units)


def to_sample(units: Iterable[bytes]) -> bytes:
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def rank_of(profile: int) -> int:
    """A decoder of a profile decodes those of a lower rank."""
    return _PROFILES.index(profile)


def type_of(unit: bytes) -> int:
    return unit[0] & 31


class Configuration(NamedTuple):
    """AVCDecoderConfigurationRecord: what a file says once for the whole stream."""

    length_bytes: int
    """Of the length before each unit; 0: units follow start codes."""
    sets: tuple[bytes, ...]
    """Units with parameters of sequences and pictures."""

    @classmethod
    def of(cls, extradata: bytes | None) -> Configuration:
        """
        Raises:
            ValueError: it is damaged.
        """
        if not extradata or extradata[0] != 1:
            return cls(0, tuple(u for u in units_of_stream(extradata or b"") if type_of(u) in (SEQUENCE, PICTURE)))
        if len(extradata) < 7:
            raise ValueError("is cut off")
        sets: list[bytes] = []
        position = 5
        for mask in (31, 255):
            number = extradata[position] & mask
            position += 1
            for _ in range(number):
                size = int.from_bytes(extradata[position : position + 2], "big")
                unit = extradata[position + 2 : position + 2 + size]
                position += 2 + size
                if not unit or position > len(extradata):
                    raise ValueError("is cut off")
                sets.append(unit)
            if mask == 31 and position >= len(extradata):
                raise ValueError("is cut off")
        return cls((extradata[4] & 3) + 1, tuple(sets))


def configuration(sequences: Sequence[SequenceSet], pictures: Sequence[PictureSet]) -> bytes:
    """The AVCDecoderConfigurationRecord of a stream with units of `to_sample`.

    Raises:
        ValueError: there are too many.
    """
    if len(sequences) > 31 or len(pictures) > 255 or not sequences:
        raise ValueError("too many sets of parameters")
    first = max(sequences, key=lambda each: rank_of(each.profile))
    constraints = 255
    for each in sequences:
        constraints &= each.unit[2]
    result = bytearray((1, first.profile, constraints, max(each.level for each in sequences), 0xFF))
    for mask, units in ((0xE0, [s.unit for s in sequences]), (0, [p.unit for p in pictures])):
        result.append(mask | len(units))
        for unit in units:
            result += len(unit).to_bytes(2, "big") + unit
    if first.profile in (100, 110, 122, 244):
        depth = first.bit_depth - 8
        result += bytes((0xFC | first.chroma_format, 0xF8 | depth, 0xF8 | depth, 0))
    return bytes(result)


@dataclass(frozen=True)
class SequenceSet:
    """Parameters of a sequence (SPS)."""

    unit: bytes
    number: int
    profile: int
    """66 baseline, 77 main, 100 high, 110, 122 and 244 high 10, 4:2:2 and 4:4:4, 44 intra."""
    level: int
    """Ten times the level."""
    chroma_format: int
    bit_depth: int
    width: int
    """Of what is decoded, before it is cut to what is shown, pixels."""
    height: int
    hides_pixels: bool
    """Whether more is cut off than what fills up the last macroblocks."""
    has_fields: bool
    order: int
    """How the order of frames is told (pic_order_cnt_type); 2: they are stored in the order in which they are shown."""
    has_gaps: bool
    """Whether frames may be missing."""
    reference_frames: int
    reordered: int | None
    """How many frames at most come before one that is shown later; None: not said."""
    held: int | None
    """How many frames a decoder must hold; None: not said."""
    _tail: int = field(repr=False)
    """Position of the bit from which on only clocks and limits of buffers are told."""
    _has_usability: bool = field(repr=False)

    @property
    def most_held(self) -> int:
        """How many frames a decoder holds that is told nothing (MaxDpbFrames)."""
        if self.level not in _MAX_MACROBLOCKS:
            raise ValueError(f"has the unknown level {self.level}")
        macroblocks = (self.width // 16) * (self.height // 16)
        return min(_MAX_MACROBLOCKS[self.level] // macroblocks, _MOST_FRAMES)

    def with_buffers(self, reordered: int, held: int) -> SequenceSet:
        """The same for pictures, but it says how many frames are reordered and held, and nothing else of its end.

        What goes are clocks and the buffers of transmission, whose messages are not kept either.
        """
        bits = _payload_bits(self.unit)[: self._tail]
        if not self._has_usability:
            bits += "1" + "0000" + "0"
        bits += "000" + "1" + "1" + "".join(map(_golomb, (0, 0, 15, 15, reordered, held))) + "1"
        bits += "0" * (-len(bits) % 8)
        return read_sequence(self.unit[:1] + _escaped(_to_bytes(bits)))


@dataclass(frozen=True)
class PictureSet:
    """Parameters of pictures (PPS)."""

    unit: bytes
    number: int
    sequence: int
    """The number of its sequence's parameters."""
    has_second_pictures: bool
    """Whether there may be redundant pictures, which are decoded only where the first one is damaged."""


class _Bits:
    """Reads the bits of a unit."""

    def __init__(self, bits: str) -> None:
        self._bits = bits
        self.position = 0

    def number(self, size: int) -> int:
        end = self.position + size
        if end > len(self._bits):
            raise ValueError("is cut off")
        part, self.position = self._bits[self.position : end], end
        return int(part, 2) if part else 0

    def flag(self) -> bool:
        return self.number(1) == 1

    def golomb(self) -> int:
        """Exponential Golomb code, unsigned, section 9.1."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 32:
                raise ValueError("has a number that is too large")
        return (1 << zeros) - 1 + self.number(zeros)

    def signed(self) -> int:
        code = self.golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)

    @property
    def has_more(self) -> bool:
        """Whether there is anything before the bit that ends the unit."""
        return self.position < self._bits.rindex("1")

    def end(self) -> None:
        if self.position != self._bits.rindex("1"):
            raise ValueError("holds more than its parameters")


def read_sequence(unit: bytes) -> SequenceSet:
    """
    Raises:
        ValueError: it is damaged, of a profile that is not known, or holds more.
    """
    bits = _Bits(_payload_bits(unit))
    profile, _, level = bits.number(8), bits.number(8), bits.number(8)
    if profile not in _PROFILES:
        raise ValueError(f"has the unknown profile {profile}")
    number = bits.golomb()
    chroma_format, depth, depth_of_colour = 1, 8, 8
    if profile in _HAS_CHROMA_FORMAT:
        chroma_format = bits.golomb()
        if chroma_format > 3 or (chroma_format == 3 and bits.flag()):
            raise ValueError("has colours in pictures of their own")
        depth, depth_of_colour = bits.golomb() + 8, bits.golomb() + 8
        bits.flag()
        if bits.flag():
            _read_lists(bits, 12 if chroma_format == 3 else 8)
    bits.golomb()
    order = _read_order(bits)
    reference_frames, has_gaps = bits.golomb(), bits.flag()
    columns, rows = bits.golomb() + 1, bits.golomb() + 1
    has_fields = not bits.flag()
    if has_fields:
        bits.flag()
    bits.flag()
    left, right, top, bottom = [bits.golomb() for _ in range(4)] if bits.flag() else (0, 0, 0, 0)
    width, height = columns * 16, rows * 16 * (1 + has_fields)
    unit_x = 2 if chroma_format in (1, 2) else 1
    unit_y = (2 if chroma_format == 1 else 1) * (1 + has_fields)
    hides = left or top or right * unit_x >= 16 or bottom * unit_y >= 16 * (1 + has_fields)
    tail = bits.position
    reordered = held = None
    if has_usability := bits.flag():
        tail, reordered, held = _read_usability(bits)
    bits.end()
    if number > MAX_ENCODER_ID or depth != depth_of_colour or width * height > 1 << 28:
        raise ValueError("has numbers that are not possible")
    return SequenceSet(
        unit,
        number,
        profile,
        level,
        chroma_format,
        depth,
        width,
        height,
        bool(hides),
        has_fields,
        order,
        has_gaps,
        reference_frames,
        reordered,
        held,
        tail,
        has_usability,
    )


def _read_order(bits: _Bits) -> int:
    """How the order of pictures is told."""
    kind = bits.golomb()
    if kind == 0:
        bits.golomb()
    elif kind == 1:
        bits.flag()
        bits.signed()
        bits.signed()
        for _ in range(min(bits.golomb(), 255)):
            bits.signed()
    elif kind > 2:
        raise ValueError("has numbers that are not possible")
    return kind


def _read_usability(bits: _Bits) -> tuple[int, int | None, int | None]:
    """Video usability information, annex E; where its last part begins, frames reordered and held."""
    if bits.flag() and bits.number(8) == 255:
        bits.number(32)
    if bits.flag():
        bits.flag()
    if bits.flag():
        bits.number(4)
        if bits.flag():
            bits.number(24)
    if bits.flag():
        bits.golomb()
        bits.golomb()
    if bits.flag():
        bits.number(65)
    tail = bits.position
    has_clocks = False
    for _ in range(2):
        if bits.flag():
            has_clocks = True
            number = bits.golomb() + 1
            bits.number(8)
            for _ in range(min(number, 32)):
                bits.golomb()
                bits.golomb()
                bits.flag()
            bits.number(20)
    if has_clocks:
        bits.flag()
    bits.flag()
    if not bits.flag():
        return tail, None, None
    bits.flag()
    for _ in range(4):
        bits.golomb()
    return tail, bits.golomb(), bits.golomb()


def _read_lists(bits: _Bits, number: int) -> None:
    """Scaling lists, section 7.3.2.1.1.1."""
    for index in range(number):
        if not bits.flag():
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + bits.signed()) % 256
            last = following or last


def read_picture(unit: bytes, sequences: Sequence[SequenceSet]) -> PictureSet:
    """
    Args:
        sequences: all that are known.

    Raises:
        ValueError: it is damaged, of an unknown sequence, or holds more.
    """
    bits = _Bits(_payload_bits(unit))
    number, of_sequence = bits.golomb(), bits.golomb()
    sequence = next((each for each in sequences if each.number == of_sequence), None)
    if sequence is None:
        raise ValueError("belongs to no sequence")
    bits.number(2)
    if bits.golomb():
        raise ValueError("has groups of slices")
    for _ in range(2):
        bits.golomb()
    bits.number(3)
    for _ in range(3):
        bits.signed()
    bits.number(2)
    has_second = bits.flag()
    if bits.has_more:
        has_large = bits.flag()
        if bits.flag():
            _read_lists(bits, 6 + (6 if sequence.chroma_format == 3 else 2) * has_large)
        bits.signed()
    bits.end()
    if number > 255:
        raise ValueError("has numbers that are not possible")
    return PictureSet(unit, number, of_sequence, has_second)


def picture_set_of(slice_unit: bytes) -> int:
    """The number of the picture parameters that a slice uses."""
    bits = _Bits(_payload_bits(slice_unit[:24]))
    bits.golomb()
    bits.golomb()
    return bits.golomb()


def kept_units(units: Iterable[bytes], has_captions: bool = False) -> Iterator[bytes]:
    """What of a packet is copied: the slices, and messages about colours. Parameters are written elsewhere.

    Args:
        has_captions: whether captions stay, too.
    """
    for unit in units:
        match type_of(unit):
            case 1 | 5:
                yield unit
            case 6:
                yield from _kept_messages(unit, has_captions)
            case _:
                pass


def _kept_messages(unit: bytes, has_captions: bool) -> Iterator[bytes]:
    payload = _unescaped(unit[1:]).rstrip(b"\0")
    position, kept = 0, bytearray()
    while position < len(payload) - 1:
        kind, position = _byte_coded(payload, position)
        size, position = _byte_coded(payload, position)
        if position + size > len(payload):
            return  # nothing of what is damaged
        message = payload[position : position + size]
        if _KEPT_MESSAGES.get(kind) == size or (has_captions and kind == _REGISTERED and _are_captions(message)):
            kept += bytes((kind, size)) + message
        position += size
    if kept:
        yield unit[:1] + _escaped(bytes(kept) + b"\x80")


def _are_captions(message: bytes) -> bool:
    """Whether it holds closed captions and nothing else: ATSC A/53, part 4, section 6.2.3."""
    if not message.startswith(_CAPTIONS) or not len(_CAPTIONS) < len(message) < 255:
        return False
    return len(message) == len(_CAPTIONS) + 3 + 3 * (message[len(_CAPTIONS)] & 31)


def _byte_coded(payload: bytes, position: int) -> tuple[int, int]:
    value = 0
    while position < len(payload) and payload[position] == 255:
        value, position = value + 255, position + 1
    return (value + payload[position], position + 1) if position < len(payload) else (value, position)


def _payload_bits(unit: bytes) -> str:
    payload = _unescaped(unit[1:]).rstrip(b"\0")
    if not payload:
        raise ValueError("is empty")
    return f"{int.from_bytes(payload, 'big'):0{8 * len(payload)}b}"


def _unescaped(payload: bytes) -> bytes:
    """Without the bytes that keep start codes from coming up by chance, section 7.4.1."""
    return payload.replace(b"\0\0\x03", b"\0\0")


def _escaped(payload: bytes) -> bytes:
    result = bytearray()
    zeros = 0
    for byte in payload:
        if zeros == 2 and byte <= 3:
            result.append(3)
            zeros = 0
        result.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(result)


def _to_bytes(bits: str) -> bytes:
    return int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""


def _golomb(value: int) -> str:
    code = f"{value + 1:b}"
    return "0" * (len(code) - 1) + code
