"""Replaces blocks in the single scan of a JPEG file by the native code of jpeg_scan.c.

It needs a tenth of the time of a library that reads and writes all coefficients, since it stores nothing in between.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from anonymizer.files.jpeg_segments import (
    DHT,
    DQT,
    DRI,
    EOI,
    HUFFMAN_LENGTHS,
    SEQUENTIAL,
    SOS,
    CoefficientsError,
    Header,
    Segment,
    read_segments,
    split_tables,
    write_segment,
)
from anonymizer.native import call, library

_SYMBOLS, _NUMBERS = 256, 4  # symbols in a Huffman table, and number of tables, at most
_ROOM_OF_BLOCK, _ROOM = 300, 4096
"""Bytes that a new block may need, and spare bytes that the native code needs beyond the size of the source."""


class _Component(ctypes.Structure):
    """Must match jpeg_scan.c."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in ("across", "down", "columns", "rows", "dc", "ac")),
        ("anew", ctypes.c_void_p),
    )


def replace_blocks(
    content: bytes, header: Header, new_blocks: Sequence[tuple[npt.NDArray[np.bool_], npt.NDArray[np.int16]]]
) -> bytes:
    """The picture data of the file, see `picture_data`, with blocks replaced.

    Args:
        content: a JPEG file.
        header: of this file.
        new_blocks: for each component which blocks to replace, (rows, columns), and their quantised coefficients,
            (N, 8, 8).

    Raises:
        CoefficientsError: the file has several scans, is damaged, or its Huffman codes cannot express the new blocks;
            or the native code was not built.
    """
    native = library()
    if native is None:
        raise CoefficientsError("the native code was not built")
    segments = list(read_segments(content))
    if sum(segment.marker in SEQUENTIAL for segment in segments) != 1 or segments[-1].marker != SOS:
        raise CoefficientsError("not a sequential file")
    scan = segments[-1]
    numbers = _table_numbers(scan, header)
    blocks = np.concatenate([coefficients for _, coefficients in new_blocks])
    indices = _number([is_touched for is_touched, _ in new_blocks])
    components = _to_components(header, numbers, indices)
    columns, rows = _units(header)
    data = np.frombuffer(content, np.uint8)[scan.end :]
    most = len(data) + len(data) // 8 + _ROOM_OF_BLOCK * len(blocks) + _ROOM
    plain = np.empty(len(data) + _ROOM, np.uint8)  # the scan without stuffed bytes
    written = np.empty(most, np.uint8)
    output = np.empty(most + most // 8, np.uint8)  # with stuffed bytes: one in 256
    consumed = ctypes.c_int64()
    size = call(
        native.replace_in_scan,
        data,
        len(data),
        components,
        len(components),
        *(columns, rows, _restart_interval(segments)),
        _huffman_tables(segments),
        blocks,
        len(blocks),
        plain,
        written,
        len(written),
        output,
        len(output),
        ctypes.byref(consumed),
    )
    end = scan.end + consumed.value
    if size < 0 or content[end : end + 2] != bytes([0xFF, EOI]):
        raise CoefficientsError("damaged, or without codes for the new blocks")
    return b"".join([*_needed(segments, header, numbers), output[:size].data, bytes([0xFF, EOI])])


def _number(is_touched: Sequence[npt.NDArray[np.bool_]]) -> list[npt.NDArray[np.int32]]:
    """For each block the index of its replacement, counted through all components; -1 for blocks that stay."""
    indices, count = [], 0
    for touched in is_touched:
        of_component = np.full(touched.shape, -1, np.int32)
        number = int(np.count_nonzero(touched))
        of_component[touched] = np.arange(count, count + number, dtype=np.int32)
        indices.append(of_component)
        count += number
    return indices


def _to_components(
    header: Header, tables: Sequence[tuple[int, int]], indices: Sequence[npt.NDArray[np.int32]]
) -> ctypes.Array[_Component]:
    """Arguments for the native code, which reads the indices in place: they must outlive the call."""
    if [of_component.shape for of_component in indices] != [(one.rows, one.columns) for one in header.components]:
        raise ValueError("flags of another number of blocks")
    is_interleaved = len(header.components) > 1
    described = [
        _Component(
            one.across if is_interleaved else 1,
            one.down if is_interleaved else 1,
            one.columns,
            one.rows,
            *numbers,
            of_component.ctypes.data,
        )
        for one, numbers, of_component in zip(header.components, tables, indices, strict=True)
    ]
    return (_Component * len(described))(*described)


def _units(header: Header) -> tuple[int, int]:
    """Units (MCU) from left to right and from top to bottom. Those of a single component are its blocks."""
    if len(header.components) == 1:
        return header.components[0].columns, header.components[0].rows
    columns = max(-(-one.columns // one.across) for one in header.components)
    return columns, max(-(-one.rows // one.down) for one in header.components)


def _needed(segments: Sequence[Segment], header: Header, numbers: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    """The header segments that the scan needs. Unused tables are left out: anything could be hidden in them."""
    quantisation = {first & 15: (first, body) for first, body in split_tables(segments, DQT)}
    huffman = dict(split_tables(segments, DHT))
    for number in sorted({one.table for one in header.components}):
        first, body = quantisation[number]
        yield write_segment(DQT, bytes([first]) + body)
    for kind in (0, 1):
        for number in sorted({one[kind] for one in numbers}):
            yield write_segment(DHT, bytes([kind << 4 | number]) + huffman[kind << 4 | number])
    interval = _restart_interval(segments)
    if interval:
        yield write_segment(DRI, interval.to_bytes(2, "big"))
    yield from (write_segment(s.marker, s.payload) for s in segments if s.marker in (*SEQUENTIAL, SOS))


def _table_numbers(scan: Segment, header: Header) -> list[tuple[int, int]]:
    """Numbers of the Huffman tables of each component: for the first coefficient of a block, and for the others."""
    count = len(header.components)
    parts = [scan.payload[1 + 2 * index : 3 + 2 * index] for index in range(count)]
    is_whole = scan.payload[:1] == bytes([count]) and scan.payload[1 + 2 * count :] == bytes([0, 63, 0])
    if not is_whole or [part[0] for part in parts] != [one.identifier for one in header.components]:
        raise CoefficientsError("not all components in one scan")
    return [(part[1] >> 4, part[1] & 15) for part in parts]


def _restart_interval(segments: Sequence[Segment]) -> int:
    """Units (MCU) between restart markers, 0 if there are none."""
    return next((int.from_bytes(s.payload[:2], "big") for s in reversed(segments) if s.marker == DRI), 0)


def _huffman_tables(segments: Sequence[Segment]) -> npt.NDArray[np.uint8]:
    """(2, 4, 16 + 256): number of codes per length, and symbols; first for the first coefficients, then for the others.

    Raises:
        CoefficientsError: a table is damaged.
    """
    tables = np.zeros((2, _NUMBERS, HUFFMAN_LENGTHS + _SYMBOLS), np.uint8)
    for first, body in split_tables(segments, DHT):
        kind, number = divmod(first, 16)
        if kind > 1 or number >= _NUMBERS or len(body) > HUFFMAN_LENGTHS + _SYMBOLS:
            raise CoefficientsError("a damaged Huffman table")
        tables[kind, number] = 0
        tables[kind, number, : len(body)] = np.frombuffer(body, np.uint8)
    return tables
