"""The boxes of which HEIF and JPEG 2000 files consist. (ISO base media file format, ISO/IEC 14496-12, section 4.2.)"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """Where a box lies in a file."""

    kind: bytes
    """Four bytes."""
    start: int
    """Position of its header."""
    body: int
    """Position of its content."""
    end: int


def find_boxes(content: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes between two positions. A box that is too long, or whose size makes no sense, reaches to the end."""
    position, last = start, len(content) if end is None else end
    while position + 8 <= last:
        size = int.from_bytes(content[position : position + 4], "big")
        kind, header = content[position + 4 : position + 8], 8
        if size == 1:
            size, header = int.from_bytes(content[position + 8 : position + 16], "big"), 16
        behind = min(position + size, last) if size >= header else last
        yield Box(kind, position, min(position + header, last), behind)
        position = behind


def read_boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind (four bytes) and content of each box in a sequence of boxes."""
    return ((box.kind, content[box.body : box.end]) for box in find_boxes(content))


def write_box(kind: bytes, content: bytes) -> bytes:
    """One box. `kind` has four bytes."""
    return (len(content) + 8).to_bytes(4, "big") + kind + content
