"""The boxes of which HEIF and JPEG 2000 files consist. (ISO base media file format, ISO/IEC 14496-12, section 4.2.)"""

from __future__ import annotations

from collections.abc import Iterator


def read_boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind (four bytes) and content of each box in a sequence of boxes."""
    position = 0
    while position + 8 <= len(content):
        size = int.from_bytes(content[position : position + 4], "big")
        kind, start = content[position + 4 : position + 8], 8
        if size == 1:
            size, start = int.from_bytes(content[position + 8 : position + 16], "big"), 16
        end = position + size if size >= start else len(content)
        yield kind, content[position + start : end]
        position = end


def write_box(kind: bytes, content: bytes) -> bytes:
    """One box. `kind` has four bytes."""
    return (len(content) + 8).to_bytes(4, "big") + kind + content
