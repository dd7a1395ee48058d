"""The segments and headers of a JPEG file. (ITU-T T.81, annex B.)"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BLOCK = 8
"""Width and height of a block in samples."""
SOI, EOI, SOS, DQT, DHT, DRI, DAC = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xCC
APP0, APP1, APP2, APP11, APP13, APP14, COM = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xFE
SEQUENTIAL, PROGRESSIVE = (0xC0, 0xC1), 0xC2  # baseline and extended; start of frame
ARITHMETIC = (0xC9, 0xCA)  # the same in arithmetic coding
FRAMES = (*SEQUENTIAL, PROGRESSIVE, *ARITHMETIC)
PICTURE_SEGMENTS = (*(set(range(0xC0, 0xD0)) - {0xC8}), DQT, DRI)  # frames, tables, restart interval
RESTARTS = range(0xD0, 0xD8)
TABLES = (DHT, SOS, DQT, DRI)  # Huffman and quantisation tables, restart interval; and the next scan
JFIF, ADOBE = b"JFIF\0", b"Adobe"
JFIF_SIZE = 14  # "JFIF" with its end, version, density and the size of the thumbnail that may follow
ADOBE_SIZE = 12  # "Adobe" with its version, flags and the transform of the colours
_MOST_COMPONENTS = 4  # in a scan
HUFFMAN_LENGTHS = 16  # a Huffman table begins with the number of codes of each length
ZIGZAG = sorted(
    range(BLOCK * BLOCK),
    key=lambda at: (sum(divmod(at, BLOCK)), at // BLOCK if sum(divmod(at, BLOCK)) % 2 else at % BLOCK),
)
"""Indices into a block, row by row, in the zigzag order of files."""

_WITHOUT_LENGTH = {0x01, *RESTARTS, SOI, EOI}
_MARKER = re.compile(rb"\xff[^\0\xff]", re.DOTALL)  # neither data nor fill bytes


class CoefficientsError(Exception):
    """The coefficients cannot be read or written; the whole picture has to be re-encoded."""


@dataclass(frozen=True)
class Segment:
    """A marker with its payload."""

    marker: int
    start: int
    """Position of the marker."""
    payload: bytes
    end: int


@dataclass(frozen=True)
class Component:
    """Luminance or a colour difference, from the frame header."""

    identifier: int
    across: int
    """Blocks in a unit (MCU) of interleaved data, from left to right."""
    down: int
    table: int
    """Number of the quantisation table."""
    steps: tuple[int, int]
    """Pixels per sample, vertically and horizontally."""
    rows: int
    """Number of rows of blocks."""
    columns: int


@dataclass(frozen=True)
class Header:
    """The frame header of a picture with 8 bits per sample."""

    height: int
    width: int
    components: tuple[Component, ...]

    @property
    def steps(self) -> tuple[int, int]:
        """Pixels per sample of the coarsest component, vertically and horizontally."""
        vertical, horizontal = zip(*(one.steps for one in self.components), strict=True)
        return max(vertical), max(horizontal)


def read_segments(content: bytes) -> Iterator[Segment]:
    """The marker segments up to and including the first start of scan."""
    position = 2
    while position + 4 <= len(content):
        if content[position] != 0xFF:
            position += 1  # stray bytes, which decoders skip too
            continue
        marker = content[position + 1]
        if marker in (0xFF, 0x00) or marker in _WITHOUT_LENGTH:
            position += 1 if marker == 0xFF else 2
            continue
        end = position + 2 + int.from_bytes(content[position + 2 : position + 4], "big")
        yield Segment(marker, position, content[position + 4 : end], end)
        if marker == SOS:
            return
        position = end


def write_segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload


def picture_data(content: bytes) -> bytes:
    """Tables, frame and scans: the segments that the picture needs, and everything from its first scan to its end.

    Without tables that no scan uses: they may hold anything.
    """
    parts = []
    used = used_tables(content)
    for segment in read_segments(content):
        if segment.marker == SOS:
            parts.append(content[segment.start : end_of_picture(content, segment.end)])
        elif segment.marker in (DHT, DQT):
            tables = _with_used_tables(segment, used)
            parts.append(content[segment.start : segment.end] if tables is None else tables)
        elif segment.marker in PICTURE_SEGMENTS:
            parts.append(content[segment.start : segment.end])
    return b"".join(parts)


def used_tables(content: bytes) -> set[tuple[int, int]]:
    """Marker and number of the tables that the frame and the scans name; a Huffman table's class is in its number."""
    used = set[tuple[int, int]]()
    scans: list[bytes] = []
    for segment in read_segments(content):
        if segment.marker in FRAMES:
            used |= {(DQT, number) for number in segment.payload[8::3]}
        elif segment.marker == SOS:
            scans.append(segment.payload)
    size = 1 + 2 * _MOST_COMPONENTS
    further = (at + 4 for at, marker in markers_behind(content, first_scan(content)) if marker == SOS)
    scans += [content[start : start + size] for start in further]
    for scan in scans:
        for tables in scan[2 : 1 + 2 * scan[0] : 2] if scan else ():
            used |= {(DHT, tables >> 4), (DHT, 0x10 | tables & 15)}
    return used


def unused_tables(content: bytes) -> list[bytes]:
    """The tables that no scan uses, and that are not equal to one that is used; none if a table is damaged."""
    segments, used = list(read_segments(content)), used_tables(content)
    try:
        found = [
            ((marker, first & (15 if marker == DQT else 0xFF)) in used, body)
            for marker in (DHT, DQT)
            for first, body in split_tables(segments, marker)
        ]
    except CoefficientsError:
        return []
    shown = {body for is_used, body in found if is_used}
    return [body for is_used, body in found if not is_used and body not in shown]


def _with_used_tables(segment: Segment, used: set[tuple[int, int]]) -> bytes | None:
    """The segment without other tables; None if it has none, or is damaged."""
    try:
        tables = list(split_tables([segment], segment.marker))
    except CoefficientsError:
        return None
    mask = 15 if segment.marker == DQT else 0xFF
    kept = [bytes([first]) + body for first, body in tables if (segment.marker, first & mask) in used]
    if len(kept) == len(tables):
        return None
    return write_segment(segment.marker, b"".join(kept)) if kept else b""


def read_header(content: bytes) -> Header:
    """Parses the frame header.

    Raises:
        CoefficientsError: it is damaged, or of a kind whose blocks cannot be replaced.
    """
    frames = [segment.payload for segment in read_segments(content) if segment.marker in FRAMES]
    if len(frames) != 1 or len(frames[0]) < 6 or len(frames[0]) != 6 + 3 * frames[0][5]:
        raise CoefficientsError("no frame header, or a damaged one")
    frame = frames[0]
    precision, height, width = frame[0], int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    factors = [(sampling & 15, sampling >> 4) for sampling in frame[7::3]]
    if precision != 8 or not height or not width or not all(1 <= one <= 4 for pair in factors for one in pair):
        raise CoefficientsError("a depth, size or sampling that cannot be handled")
    most_down, most_across = (max(values) for values in zip(*factors, strict=True))
    if any(most_down % down or most_across % across for down, across in factors):
        raise CoefficientsError("sampling factors that do not divide each other")
    components = [
        Component(
            identifier=frame[6 + 3 * number],
            across=across,
            down=down,
            table=frame[8 + 3 * number],
            steps=(most_down // down, most_across // across),
            rows=-(-height * down // (most_down * BLOCK)),
            columns=-(-width * across // (most_across * BLOCK)),
        )
        for number, (down, across) in enumerate(factors)
    ]
    return Header(height, width, tuple(components))


def split_tables(segments: Iterable[Segment], marker: int) -> Iterator[tuple[int, bytes]]:
    """The Huffman (DHT) or quantisation tables (DQT) in some segments: first byte and rest of each.

    Raises:
        CoefficientsError: a table is damaged.
    """
    for payload in (segment.payload for segment in segments if segment.marker == marker):
        position = 0
        while position < len(payload):
            first, body = payload[position], payload[position + 1 :]
            if marker == DQT:
                size = BLOCK * BLOCK * (2 if first >> 4 else 1)
            else:
                size = HUFFMAN_LENGTHS + sum(body[:HUFFMAN_LENGTHS])
            if len(body) < size:
                raise CoefficientsError("a damaged table")
            yield first, body[:size]
            position += 1 + size


def quantisation_tables(content: bytes) -> dict[int, npt.NDArray[np.float32]]:
    """The quantisation tables, (8, 8), by their number.

    Raises:
        CoefficientsError: a table is damaged.
    """
    tables = {}
    for first, body in split_tables(read_segments(content), DQT):
        table = np.zeros(BLOCK * BLOCK, np.float32)
        table[ZIGZAG] = np.frombuffer(body, ">u2" if first >> 4 else np.uint8)
        tables[first & 15] = table.reshape(BLOCK, BLOCK)
    return tables


def has_several_scans(content: bytes) -> bool:
    """Whether there is more than one scan: data hidden in or between them cannot be told from the picture."""
    behind_first = [marker for _, marker in markers_behind(content, first_scan(content))]
    return is_progressive(content) or SOS in behind_first


def is_progressive(content: bytes) -> bool:
    return any(segment.marker == PROGRESSIVE for segment in read_segments(content))


def adobe_transform(content: bytes) -> int | None:
    """The colour transform in Adobe's segment: 0 none, 1 YCbCr, 2 YCCK. None if there is no such segment."""
    payloads = [segment.payload for segment in read_segments(content) if segment.marker == APP14]
    transforms = [payload[11] for payload in payloads if payload.startswith(ADOBE) and len(payload) > 11]
    return transforms[-1] if transforms else None  # decoders use the last one


def is_jfif(content: bytes) -> bool:
    return any(map(is_jfif_header, read_segments(content)))


def is_jfif_header(segment: Segment) -> bool:
    """Whether it is a JFIF segment; decoders ignore shorter ones."""
    return segment.marker == APP0 and segment.payload.startswith(JFIF) and len(segment.payload) >= JFIF_SIZE


def first_scan(content: bytes) -> int:
    """Position of the entropy-coded data of the first scan."""
    return next((segment.end for segment in read_segments(content) if segment.marker == SOS), len(content))


def end_of_picture(content: bytes, position: int) -> int:
    """Position behind the end marker of the picture whose first scan is at `position`; the end of the file if none."""
    return next((at + 2 for at, marker in markers_behind(content, position) if marker == EOI), len(content))


def markers_behind(content: bytes, position: int) -> Iterator[tuple[int, int]]:
    """Position and code of all markers in and behind a scan, up to and including the end of the picture."""
    while (found := _MARKER.search(content, position)) is not None:
        position, marker = found.start(), content[found.start() + 1]
        yield position, marker
        if marker == EOI:
            return
        # Progressive files have tables between scans, whose content may look like markers.
        length = int.from_bytes(content[position + 2 : position + 4], "big") if marker not in _WITHOUT_LENGTH else 0
        position += 2 + length
