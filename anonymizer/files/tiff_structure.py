"""What lies where in a TIFF file: its directories, what these hold and refer to, and what nothing refers to.

(TIFF, revision 6.0; Adobe's technical notes on sub-directories; the design of BigTIFF; DNG 1.7.)
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from anonymizer.errors import PictureError

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of a value of each type."""
_UNSIGNED = (1, 3, 4, 13, 16, 18)

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
OFFSETS, ORIENTATION, SAMPLES, ROWS, COUNTS, PLANES = 273, 274, 277, 278, 279, 284
PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 317, 322, 323, 324, 325
EXTRA, SAMPLE_FORMAT, FILL_ORDER = 338, 339, 266
_SUB_DIRECTORIES = (330, 400, 34665, 34853, 40965)
PICTURE_DIRECTORIES = 330
_JPEG_AT, _JPEG_SIZE = 513, 514
_OLD_JPEG_TABLES = {519: 64, 520: 33, 521: 289}  # bytes that each of them may have
_DNG_VERSION = 50706
_COLOR_FILTER_ARRAY, _LINEAR_RAW, MASK = 32803, 34892, 4
_RAW_COMPRESSIONS = (32767, 32769, 32770, 34713, 65000, 65535)  # of Sony, Epson, Samsung, Nikon, Kodak, Pentax
_JPEG_COMPRESSIONS = (6, 7)
_UNCOMPRESSED, _DEFLATES = 1, (8, 32946)
_MAX_DIRECTORIES, _MAX_DEPTH = 10_000, 32
_PADDING = 16
"""Bytes between two parts of a file up to which they are padding, or marks around the tiles of a GeoTIFF."""
_MAX_UNKNOWN = 256
"""Bytes of all further gaps up to which they hold no picture, but what editing of tags leaves behind."""
_JPEG_MARGIN = 16
"""Pixels by which the JPEG data of a page may be wider or higher than the page: one block of pixels."""
_FRAME_MARKERS = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))

Part = tuple[int, int]
"""From where to where something lies in a file, half open."""


@dataclass(frozen=True)
class Entry:
    """A tag's values."""

    kind: int
    """Type of the values."""
    count: int
    at: int
    """Where the values lie."""
    data: bytes


@dataclass(frozen=True)
class Directory:
    """The tags of a page, of a picture beside it, or of its metadata. Damaged entries are missing."""

    entries: Mapping[int, Entry]
    part: Part
    byte_order: str
    inner: Sequence[Directory] = ()
    """Sub-directories with pictures, and those behind them in a chain."""
    metadata: Sequence[Directory] = ()
    """Of EXIF, GPS and interoperability."""

    def numbers(self, tag: int) -> tuple[int, ...]:
        """The values of a tag of unsigned numbers; none if there is no such tag."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _UNSIGNED:
            return ()
        size = _SIZES[entry.kind]
        data, order = entry.data, self.byte_order
        return tuple(
            int.from_bytes(data[at : at + size], order)  # type: ignore[arg-type]
            for at in range(0, len(data), size)
        )

    def number(self, tag: int, default: int) -> int:
        """The first value of a tag."""
        return next(iter(self.numbers(tag)), default)

    def text(self, tag: int) -> bytes:
        """The bytes of a tag, whatever its type: programs do not agree on those of XMP and IPTC."""
        return self.entries[tag].data if tag in self.entries else b""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels; 0 if unknown."""
        return self.number(WIDTH, 0), self.number(HEIGHT, 0)

    @property
    def area(self) -> int:
        return self.size[0] * self.size[1]

    @property
    def is_mask(self) -> bool:
        """Whether it tells which pixels of another page are transparent."""
        return self.number(PHOTOMETRIC, 0) == MASK or bool(self.number(SUBFILE, 0) & 4)

    @property
    def is_reduced(self) -> bool:
        """Whether it says that it is a smaller copy of another page."""
        return bool(self.number(SUBFILE, 0) & 1)

    @property
    def is_tiled(self) -> bool:
        return TILE_OFFSETS in self.entries

    @property
    def data_parts(self) -> list[Part]:
        """Where the strips or tiles lie."""
        offsets, counts = (TILE_OFFSETS, TILE_COUNTS) if self.is_tiled else (OFFSETS, COUNTS)
        starts, sizes = self.numbers(offsets), self.numbers(counts)
        if not sizes:  # allowed in old files, which are not compressed
            sizes = (-(-self.size[0] * sum(self.bits) // 8) * self.number(ROWS, self.size[1]),) * len(starts)
        return [(start, start + size) for start, size in zip(starts, sizes, strict=False)]

    @property
    def bits(self) -> tuple[int, ...]:
        """Of each sample of a pixel."""
        samples, found = self.number(SAMPLES, 1), self.numbers(BITS) or (1,)
        return found if len(found) == samples else (found[0],) * samples


@dataclass(frozen=True)
class TiffFile:
    """The directories of a file."""

    content: bytes

    @property
    def byte_order(self) -> str:
        return "big" if self.content[:1] == b"M" else "little"

    @property
    def is_big(self) -> bool:
        """Whether it is a BigTIFF file, with offsets of 8 bytes."""
        return b"+" in self.content[2:4]

    @cached_property
    def chain(self) -> list[Directory]:
        """The directories that follow each other: pages, their previews and masks."""
        return self._follow(self._number(8, 8) if self.is_big else self._number(4, 4), set(), 0)

    def all_directories(self) -> Iterator[Directory]:
        """Those of the chain and all below them."""
        pending = list(self.chain)
        while pending:
            directory = pending.pop()
            yield directory
            pending += [*directory.inner, *directory.metadata]

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self.content[at : at + size], self.byte_order)  # type: ignore[arg-type]

    def _follow(self, start: int, seen: set[int], depth: int) -> list[Directory]:
        if depth > _MAX_DEPTH:
            raise PictureError("is damaged, or made to hide something: its directories lie too deep in each other")
        found = []
        while 0 < start < len(self.content) and start not in seen and len(seen) < _MAX_DIRECTORIES:
            seen.add(start)
            directory, start = self._read(start, seen, depth)
            found.append(directory)
        return found

    def _read(self, start: int, seen: set[int], depth: int) -> tuple[Directory, int]:
        """A directory, and where the next one lies, or 0."""
        head, each, word = (8, 20, 8) if self.is_big else (2, 12, 4)
        number = self._number(start, head)
        end = start + head + number * each + word
        entries: dict[int, Entry] = {}
        if end > len(self.content) + word:
            return Directory({}, (start, start + head), self.byte_order), 0
        for at in range(start + head, end - word, each):
            kind, count = self._number(at + 2, 2), self._number(at + 4, word)
            size = _SIZES.get(kind, 0) * count
            place = at + 4 + word
            if size > word:
                place = self._number(place, word)
            if size and place + size <= len(self.content):
                entries[self._number(at, 2)] = Entry(kind, count, place, self.content[place : place + size])
        bare = Directory(entries, (start, min(end, len(self.content))), self.byte_order)
        inner: list[Directory] = []
        metadata: list[Directory] = []
        for tag in _SUB_DIRECTORIES:
            for place in bare.numbers(tag):
                (inner if tag == PICTURE_DIRECTORIES else metadata).extend(self._follow(place, seen, depth + 1))
        return Directory(entries, bare.part, self.byte_order, inner, metadata), self._number(end - word, word)

    # --- what is in it

    def raw_format(self) -> str | None:
        """The name of the raw format of a camera if the file has one; None if it has not."""
        content = self.content
        if self.chain and _DNG_VERSION in self.chain[0].entries:
            return "DNG"
        if content[8:10] == b"CR":
            return "CR2"
        if content[8:12] in (b"IIII", b"MMMM") and re.search(rb"waR|Raw", content[12:16]):
            return "IIQ"
        for directory in self.all_directories():
            is_raw = directory.number(PHOTOMETRIC, 0) in (_COLOR_FILTER_ARRAY, _LINEAR_RAW)
            if is_raw or directory.number(COMPRESSION, 1) in _RAW_COMPRESSIONS:
                return "samples of a sensor"
        return None

    def pages(self) -> list[Page]:
        """All pages, with their masks. A larger picture is one too, even if it says that it is a smaller copy."""
        others = [one for one in self.chain if not one.is_mask]
        largest = max((one.area for one in others if not one.is_reduced), default=0)
        found: list[Page] = []
        for number, directory in enumerate(self.chain):
            if directory.is_mask:
                if not directory.is_reduced and found and found[-1].mask is None:
                    if found[-1].directory.size == directory.size:
                        found[-1] = Page(found[-1].number, found[-1].directory, directory)
                    else:
                        found.append(Page(number, directory))
                elif not directory.is_reduced:
                    found.append(Page(number, directory))
            elif not directory.is_reduced or directory.area > largest:
                found.append(Page(number, directory))
        return found

    def larger_picture(self) -> tuple[int, int] | None:
        """Width and height of the largest picture that is larger than the page beside which it lies."""
        found = []
        for page in self.chain:
            area = max(page.area, self._largest_page if page.is_reduced or page.is_mask else 0)
            found += [size for size in self._sizes_beside(page) if size[0] * size[1] > area]
            for width, height in self._jpeg_sizes(page):
                if width > page.size[0] + _JPEG_MARGIN or height > page.size[1] + _JPEG_MARGIN:
                    found += [(width, height)] if width * height > area else []
        return max(found, key=lambda size: size[0] * size[1], default=None)

    @cached_property
    def _largest_page(self) -> int:
        return max((page.directory.area for page in self.pages()), default=0)

    def _sizes_beside(self, page: Directory) -> Iterator[tuple[int, int]]:
        """Sizes of the pictures in directories below a page."""
        pending = [*page.inner, *page.metadata]
        while pending:
            directory = pending.pop()
            yield directory.size
            yield from self._jpeg_sizes(directory)
            pending += [*directory.inner, *directory.metadata]

    def _jpeg_sizes(self, directory: Directory) -> Iterator[tuple[int, int]]:
        """The sizes that JPEG data of a directory give themselves."""
        for start, end in _jpeg_parts(directory):
            if size := _jpeg_size(self.content[start:end]):
                yield size

    # --- what is not

    def unreferred(self) -> int:
        """The number of bytes that nothing in the file refers to, but for padding and small remains of editing."""
        parts = _merge_all(self._parts(), len(self.content))
        gaps = [(end, start) for (_, end), (start, _) in pairwise([(0, 0), *parts])]
        inner = [self._used(*gap) for gap in gaps if gap[1] - gap[0] > _PADDING]
        behind = self._used(max((end for _, end in parts), default=0), len(self.content))
        return (sum(inner) if sum(inner) > _MAX_UNKNOWN else 0) + behind + self._unused_data()

    def _used(self, start: int, end: int) -> int:
        """The number of bytes in a part of the file; 0 if all are 0."""
        return end - start if self.content[start:end].strip(b"\0") else 0

    def _parts(self) -> Iterator[Part]:
        yield 0, 16 if self.is_big else 8
        for directory in self.all_directories():
            yield directory.part
            for entry in directory.entries.values():
                yield entry.at, entry.at + len(entry.data)
            yield from directory.data_parts
            yield from _jpeg_parts(directory)
            for tag, size in _OLD_JPEG_TABLES.items():
                yield from ((start, start + size) for start in directory.numbers(tag))

    def _unused_data(self) -> int:
        """Bytes in strips and tiles behind the end of their pixels, where that is easily told."""
        found = 0
        for directory in self.all_directories():
            compression, size = directory.number(COMPRESSION, 1), _size_of_part(directory)
            parts, needed = directory.data_parts, _number_of_parts(directory)
            found += sum(self._used(*part) for part in parts[needed:])
            if compression == _UNCOMPRESSED:
                found += sum(self._used(start + size, end) for start, end in parts[:needed] if end > start + size)
            elif compression in _DEFLATES:
                found += sum(self._behind_deflated(part, size) for part in parts[:needed])
        return found

    def _behind_deflated(self, part: Part, size: int) -> int:
        """The number of bytes in a part that are not needed to get its pixels, `size` bytes."""
        stream = zlib.decompressobj()
        try:
            stream.decompress(self.content[slice(*part)], max(1, size))
            if not stream.eof and stream.decompress(stream.unconsumed_tail, 1):
                return len(stream.unconsumed_tail)
        except zlib.error:
            return 0
        return len(stream.unused_data) if stream.unused_data.strip(b"\0") else 0


@dataclass(frozen=True)
class Page:
    """A picture to process."""

    number: int
    """In the chain of directories."""
    directory: Directory
    mask: Directory | None = None
    """Which of its pixels are transparent."""


def _size_of_part(directory: Directory) -> int:
    """Bytes of the pixels of a strip or tile, at most."""
    bits = directory.bits[0] if directory.number(PLANES, 1) == 2 else sum(directory.bits)
    if directory.is_tiled:
        width, height = directory.number(TILE_WIDTH, 0), directory.number(TILE_HEIGHT, 0)
    else:
        width, height = directory.size[0], min(directory.number(ROWS, directory.size[1]), directory.size[1])
    return -(-width * bits // 8) * height


def _number_of_parts(directory: Directory) -> int:
    """Of strips or tiles that the picture needs."""
    width, height = directory.size
    planes = directory.number(SAMPLES, 1) if directory.number(PLANES, 1) == 2 else 1
    if directory.is_tiled:
        across, down = max(1, directory.number(TILE_WIDTH, 1)), max(1, directory.number(TILE_HEIGHT, 1))
        return planes * -(-width // across) * -(-height // down)
    return planes * -(-height // max(1, min(height, directory.number(ROWS, height))))


def _jpeg_parts(directory: Directory) -> Iterator[Part]:
    start, size = directory.number(_JPEG_AT, 0), directory.number(_JPEG_SIZE, 0)
    if start:
        yield start, start + size
    if directory.number(COMPRESSION, 1) in _JPEG_COMPRESSIONS:
        parts = directory.data_parts
        if len(parts) == 1:
            yield parts[0]


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in the first frame header of JPEG data. (ITU-T T.81, section B.2.2.)"""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        if data[at + 1] in _FRAME_MARKERS:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None


def _merge_all(parts: Iterator[Part], size: int) -> list[Part]:
    """Overlapping and adjacent parts united, and cut at the end of the file."""
    merged: list[Part] = []
    for start, end in sorted((start, min(end, size)) for start, end in parts if start < min(end, size)):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
