"""The items of an AVIF or HEIC file: pictures, their tiles, and metadata. (ISO/IEC 14496-12, section 8.11.)"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from anonymizer.files.iso_boxes import Box, find_boxes, read_boxes

Span = tuple[int, int]
"""Positions in the file: start, and end."""
Property = tuple[bytes, bytes]
"""Kind of the box, and its content."""

_IN_FILE, _IN_IDAT = 0, 1  # where the bytes of an item are


class StructureError(Exception):
    """The boxes cannot be read."""


@dataclass
class Item:
    """A picture, a tile of one, a picture derived from others, or metadata."""

    number: int
    kind: bytes = b""
    """Four bytes, such as av01 or Exif; empty if the file does not say."""
    content_type: bytes = b""
    """Media type of an item of kind mime."""
    is_packed: bool = False
    """Whether an item of kind mime is compressed."""
    spans: list[Span] = field(default_factory=list)
    properties: list[Property] = field(default_factory=list)
    references: dict[bytes, list[int]] = field(default_factory=dict)
    """Numbers of other items, by the kind of the reference: dimg, auxl, thmb, cdsc."""

    def property_of(self, kind: bytes) -> bytes | None:
        """The content of the first property of this kind."""
        return next((data for one, data in self.properties if one == kind), None)


@dataclass(frozen=True)
class Items:
    """What the meta box of a file describes."""

    primary: int
    """Number of the picture that is shown."""
    by_number: Mapping[int, Item]
    idat: Span
    """Where the data within the meta box are."""

    def closure(self, roots: Sequence[int], but_of: Container[bytes] = ()) -> set[int]:
        """The numbers of some items and of those that they are derived from, such as tiles.

        Args:
            but_of: kinds of items whose sources do not count.
        """
        found: set[int] = set()
        waiting = list(roots)
        while waiting:
            number = waiting.pop()
            if number not in found and number in self.by_number:
                found.add(number)
                item = self.by_number[number]
                waiting += item.references.get(b"dimg", []) if item.kind not in but_of else []
        return found


class _Reader:
    """Reads numbers one after the other."""

    def __init__(self, content: bytes, box: Box) -> None:
        self._content, self._at, self._end = content, box.body, box.end

    def number(self, size: int) -> int:
        """The next `size` bytes, big endian; 0 if that is 0."""
        return int.from_bytes(self.take(size), "big")

    def take(self, size: int) -> bytes:
        if self._at + size > self._end:
            raise StructureError("a box is too short")
        self._at += size
        return self._content[self._at - size : self._at]

    def rest(self) -> bytes:
        return self._content[self._at : self._end]

    @property
    def position(self) -> int:
        return self._at


def read_items(content: bytes) -> Items:
    """The items of a file.

    Raises:
        StructureError: the boxes are damaged, or of a version that is not known.
    """
    metas = [box for box in find_boxes(content) if box.kind == b"meta"]
    if len(metas) != 1:
        raise StructureError("not one meta box")
    inner = list(find_boxes(content, metas[0].body + 4, metas[0].end))
    boxes = {box.kind: box for box in reversed(inner)}
    if len({box.kind for box in inner if box.kind not in (b"free", b"skip")}) != sum(
        box.kind not in (b"free", b"skip") for box in inner
    ):
        raise StructureError("two boxes of the same kind in the meta box")
    if not {b"pitm", b"iinf", b"iloc"} <= boxes.keys():
        raise StructureError("no primary item, or no places of items")
    reader = _Reader(content, boxes[b"pitm"])
    primary = reader.number(2 if reader.number(4) >> 24 == 0 else 4)
    idat = boxes.get(b"idat")
    items = {item.number: item for item in _read_kinds(content, boxes[b"iinf"])}
    span = (idat.body, idat.end) if idat else (0, 0)
    _read_places(content, boxes[b"iloc"], span, items)
    if b"iref" in boxes:
        _read_references(content, boxes[b"iref"], items)
    if b"iprp" in boxes:
        _read_properties(content, boxes[b"iprp"], items)
    return Items(primary, items, span)


def _read_kinds(content: bytes, box: Box) -> Iterator[Item]:
    reader = _Reader(content, box)
    reader.number(2 if reader.number(4) >> 24 == 0 else 4)
    for entry in find_boxes(content, reader.position, box.end):
        if entry.kind != b"infe":
            continue
        inner = _Reader(content, entry)
        version = inner.number(4) >> 24
        number = inner.number(4 if version == 3 else 2)
        inner.number(2)
        if version < 2:
            yield Item(number)
            continue
        kind = inner.take(4)
        _, content_type, encoding, *_ = (*inner.rest().split(b"\0"), b"", b"", b"")
        is_mime = kind == b"mime"
        yield Item(number, kind, content_type if is_mime else b"", is_mime and bool(encoding))


@dataclass(frozen=True)
class Place:
    """Where a part of an item is said to be."""

    item: int
    is_in_file: bool
    """Whether it is counted from the beginning of the file, not of the data within the meta box."""
    is_readable: bool
    """Whether it is in this file, and not within another item."""
    offset: int
    length: int
    """0 if it reaches to the end."""
    field: tuple[int, int]
    """Position and size in bytes of a number that can be changed to move this part; the size is 0 if there is none."""
    base: int
    """To be subtracted from `offset` for the value of that number."""


def read_places(content: bytes, box: Box) -> Iterator[Place]:
    """The places in an iloc box.

    Raises:
        StructureError: the box is damaged.
    """
    reader = _Reader(content, box)
    version = reader.number(4) >> 24
    sizes = reader.number(2)
    offset_size, length_size, base_size, index_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15
    wide = 4 if version == 2 else 2
    for _ in range(reader.number(wide)):
        number = reader.number(wide)
        method = reader.number(2) & 15 if version else _IN_FILE
        is_readable = reader.number(2) == 0 and method in (_IN_FILE, _IN_IDAT)
        base = reader.number(base_size)
        for _ in range(reader.number(2)):
            reader.number(index_size if version else 0)
            field_ = (reader.position, offset_size)
            offset = base + reader.number(offset_size)
            yield Place(number, method == _IN_FILE, is_readable, offset, reader.number(length_size), field_, base)


def _read_places(content: bytes, box: Box, idat: Span, items: Mapping[int, Item]) -> None:
    for place in read_places(content, box):
        if place.item not in items:
            raise StructureError("a place without an item")
        if place.is_readable:
            origin, end = (0, len(content)) if place.is_in_file else idat
            start = min(origin + place.offset, end)
            items[place.item].spans.append((start, min(start + place.length, end) if place.length else end))


def _read_references(content: bytes, box: Box, items: Mapping[int, Item]) -> None:
    reader = _Reader(content, box)
    wide = 4 if reader.number(4) >> 24 else 2
    for entry in find_boxes(content, reader.position, box.end):
        inner = _Reader(content, entry)
        number = inner.number(wide)
        targets = [inner.number(wide) for _ in range(inner.number(2))]
        if number not in items:
            raise StructureError("a reference from an item that does not exist")
        items[number].references.setdefault(entry.kind, []).extend(targets)


def _read_properties(content: bytes, box: Box, items: Mapping[int, Item]) -> None:
    properties: list[Property] = []
    for entry in find_boxes(content, box.body, box.end):
        if entry.kind == b"ipco":
            properties = list(read_boxes(content[entry.body : entry.end]))
    for entry in find_boxes(content, box.body, box.end):
        if entry.kind != b"ipma":
            continue
        reader = _Reader(content, entry)
        flags = reader.number(4)
        for _ in range(reader.number(4)):
            number = reader.number(4 if flags >> 24 else 2)
            for _ in range(reader.number(1)):
                index = reader.number(2) & 0x7FFF if flags & 1 else reader.number(1) & 0x7F
                if index > len(properties):
                    raise StructureError("a property that does not exist")
                if index and number in items:
                    items[number].properties.append(properties[index - 1])


def data_of(content: bytes, item: Item) -> bytes:
    """The bytes of an item."""
    return b"".join(content[start:end] for start, end in item.spans)
