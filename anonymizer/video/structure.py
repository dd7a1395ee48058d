"""How long film files say that they are, by their outermost structure: FFmpeg plays what is there, and says nothing."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from anonymizer.addresses import Address, Place
from anonymizer.files.storage import read_beginning

_MATROSKA = b"\x1aE\xdf\xa3"
_SEGMENT = b"\x18S\x80g"
_LONGEST_HEADER = 1 << 20
_DOC_TYPE_WEBM = b"\x42\x82\x84webm"
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_IS_BROADCAST = 1
_PROGRAM_STREAM = b"\0\0\x01\xba"
_PICTURE_BRANDS = (*(b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis", b"crx ", b"jxl "), b"jp2 ")
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp")
_TS_SYNC = 0x47
PACKET_WITH_TIME_CODE = 192
_TS_LAYOUTS = ((188, 0), (PACKET_WITH_TIME_CODE, 4), (204, 0))
_MOST_LOOKED_AT = 5 * max(length for length, _ in _TS_LAYOUTS)
"""Bytes of a packet, and which of them is the first sync byte: plain, with time codes (m2ts, mts), with parity."""


def missing_bytes(path: Path) -> int:
    """How many bytes the file lacks at its end, at least; 0 if it is whole, as far as that can be told.

    Raises:
        OSError: it cannot be read.
    """
    return max(0, end_of_film(path) - path.stat().st_size)


def end_of_film(path: Path) -> int:
    """Where the file ends by its own structure, at least; 0 if it does not say.

    Knows Matroska and WebM (RFC 9559), MP4 and MOV (ISO/IEC 14496-12), AVI, ASF, and transport streams (ISO/IEC
    13818-1), whose packets are of one size.

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        start = file.read(16)
        if start[:4] == _MATROSKA:
            return _end_of_matroska(file)
        elif start[4:8] in _MP4_BOXES:
            return _end_of_boxes(file, size)
        elif start[:4] == b"RIFF" and start[8:12] == b"AVI ":
            return _end_of_riff(file, size)
        elif start == _ASF:
            return _end_of_asf(file)
        return _end_of_packets(file, size)


def is_webm(path: Path) -> bool:
    """Whether a Matroska file says of itself that it is of the subset WebM, by the element DocType (RFC 8794, 11.2.7).

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        if file.read(4) != _MATROSKA:
            return False
        return _DOC_TYPE_WEBM in file.read(min(_variable_number(file) or 0, _LONGEST_HEADER))


def is_film(path: Place) -> bool:
    """Whether a file begins like a film in one of the common containers, whatever its name."""
    try:
        if isinstance(path, Path) and not path.is_file():
            return False
        with BytesIO(read_beginning(path, _MOST_LOOKED_AT)) if isinstance(path, Address) else open(path, "rb") as file:
            start = file.read(16)
            is_named = (
                start[:4] in (_MATROSKA, _PROGRAM_STREAM)
                or start == _ASF
                or (start[:4] == b"RIFF" and start[8:12] == b"AVI ")
                or (start[4:8] == b"ftyp" and start[8:12] not in _PICTURE_BRANDS)
                or start[4:8] in (b"moov", b"mdat")
            )
            return is_named or _end_of_packets(file, 1) > 0
    except OSError:
        return False


def _end_of_matroska(file: BinaryIO) -> int:
    """The end of the first segment; 0 if it is not said, as in a live recording."""
    file.seek(len(_MATROSKA))
    header = _variable_number(file)
    if header is None or header > _LONGEST_HEADER:
        return 0
    file.seek(header, os.SEEK_CUR)
    if file.read(4) != _SEGMENT:
        return 0
    length = _variable_number(file)
    return 0 if length is None else file.tell() + length


def _variable_number(file: BinaryIO) -> int | None:
    """A number of EBML (RFC 8794, section 4); None where it stands for "not known"."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    bits = 7 * (more + 1)
    number = int.from_bytes(first + file.read(more), "big") & ((1 << bits) - 1)
    return None if number == (1 << bits) - 1 else number


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    """The end of the last box that begins within the file."""
    end = 0
    while end + 8 <= size:
        file.seek(end)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length == 0 and head[4:8].isalnum():  # to the end of the file
            return size
        if length < 8 or not head[4:8].isalnum():  # no box
            return end
        end += length
    return end


def _end_of_riff(file: BinaryIO, size: int) -> int:
    """Large files have several RIFF chunks, one behind the other (OpenDML 1.02)."""
    end = 0
    while end + 12 <= size:
        file.seek(end)
        head = file.read(12)
        length = int.from_bytes(head[4:8], "little")
        if head[:4] != b"RIFF" or not 0 < length < 0xFFFFFFF0:
            return end
        end += 8 + length + length % 2
    return end - 1  # the last byte may only be there to make it even


def _end_of_asf(file: BinaryIO) -> int:
    """Advanced Systems Format, section 3.2: File Properties Object."""
    file.seek(0)
    properties = file.read(1 << 16).partition(_ASF_PROPERTIES)[2][:76]
    flags = int.from_bytes(properties[72:76], "little")
    is_known = len(properties) == 76 and not flags & _ASF_IS_BROADCAST
    return int.from_bytes(properties[24:32], "little") if is_known else 0


def packet_size(path: Path) -> int | None:
    """Bytes of a packet of a transport stream, with what lies between two of them; None for other files.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        return _packet_size(file)


def _packet_size(file: BinaryIO) -> int | None:
    start = file.read(_MOST_LOOKED_AT)
    for length, first in _TS_LAYOUTS:
        if len(start) > first + 4 * length and all(start[first + n * length] == _TS_SYNC for n in range(5)):
            return length
    return None


def _end_of_packets(file: BinaryIO, size: int) -> int:
    """The end of the packet that begins last; 0 if the file holds no packets of a transport stream."""
    file.seek(0)
    length = _packet_size(file)
    return 0 if length is None else -(-size // length) * length
