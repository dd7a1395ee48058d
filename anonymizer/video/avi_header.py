"""Mends what the header of an AVI file says of MP3 sound: PyAV copies a field that must be zero there.

With it, players take each second of sound for many. FFmpeg's own program sets the field to zero when it copies.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

_HEADER_BYTES = 1 << 16
_MP3 = 0x55
_LENGTH_AT, _SAMPLE_SIZE_AT = 32, 44
"""Of the fields dwLength and dwSampleSize in a stream header. (AVISTREAMHEADER of the Windows SDK.)"""


def mend_sound(path: Path, packets: Sequence[int]) -> None:
    """Says of each MP3 stream that its packets are of no fixed size, and how many there are.

    Args:
        packets: their number in each sound stream, in the order of the streams.

    Raises:
        OSError: the file cannot be changed.
    """
    with open(path, "r+b") as file:
        head = file.read(_HEADER_BYTES)
        for (start, tag), number in zip(_sounds(head), packets, strict=True):
            if tag == _MP3 and struct.unpack_from("<I", head, start + _SAMPLE_SIZE_AT)[0]:
                for at, value in ((_LENGTH_AT, number), (_SAMPLE_SIZE_AT, 0)):
                    file.seek(start + at)
                    file.write(struct.pack("<I", value))


def _sounds(head: bytes) -> Iterator[tuple[int, int]]:
    """Where the header of each sound stream begins, and the tag of its format."""
    at = head.find(b"strh")
    while at >= 0:
        size = int.from_bytes(head[at + 4 : at + 8], "little")
        following = at + 8 + size + size % 2
        if head[at + 8 : at + 12] == b"auds" and head[following : following + 4] == b"strf":
            yield at + 8, int.from_bytes(head[following + 8 : following + 10], "little")
        at = head.find(b"strh", following)
