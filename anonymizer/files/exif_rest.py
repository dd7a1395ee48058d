"""What EXIF data hold beside the tags that can be read.

Nothing of it is kept, since EXIF data are written anew from their tags; nobody sees it who looks at tags alone. It may
be the value of a damaged tag, such as one that reaches beyond the end, of a tag of an unknown type or one that is there
twice, a directory to which nothing refers, or anything between and behind the values. (CIPA DC-008, section 4.6.)
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from typing import Literal

_PREFIX = b"Exif\0\0"
_HEADER, _ENTRY = 8, 12  # bytes
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
"""Bytes of a value of each type."""
_PIXELS = ((0x0201, 0x0202), (0x0111, 0x0117))
"""Tags that say where JPEG data and a strip of pixels lie, and how many bytes they are."""
_ZLIB_BYTES = 8  # of compressed data that hold nothing


class ExifLayout:
    """Where the directories and values of EXIF data lie.

    Args:
        content: EXIF data, with or without their prefix.
    """

    def __init__(self, content: bytes) -> None:
        while content.startswith(_PREFIX):
            content = content[len(_PREFIX) :]
        self._content = content
        self._order: Literal["big", "little"] = "big" if content[:1] == b"M" else "little"
        self._is_free = bytearray(b"\1") * len(content)
        self._take(0, _HEADER)

    @property
    def first(self) -> int:
        """Where the first directory lies."""
        return self.number(4, 4)

    @property
    def rest(self) -> bytes:
        """What has not been taken."""
        return bytes(one for one, is_free in zip(self._content, self._is_free, strict=True) if is_free)

    def number(self, at: int, size: int) -> int:
        """The unsigned number there; bytes beyond the end are not there."""
        return int.from_bytes(self._content[at : at + size], self._order)

    def take(self, start: int, tags: Collection[int]) -> int:
        """Takes a directory, and the values of these of its tags; of several entries the last one.

        Returns:
            Where the next directory lies; 0 if there is none.
        """
        if not 0 < start < len(self._content):
            return 0
        entries = list(self._entries(start))
        end = start + 2 + _ENTRY * len(entries)
        self._take(start, start + 2)
        self._take(end, end + 4)
        for at in {self.number(one, 2): one for one in entries}.values():
            if self.number(at, 2) not in tags:
                continue
            self._take(at, at + _ENTRY)
            size = _SIZES.get(self.number(at + 2, 2), 0) * self.number(at + 4, 4)
            if size > 4:
                place = self.number(at + 8, 4)
                self._take(place, place + size)
        return self.number(end, 4)

    def take_picture(self, start: int, tags: Collection[int]) -> None:
        """Takes the directory of a thumbnail, and its JPEG data or pixels."""
        self.take(start, tags)
        for place, size in _PIXELS:
            at = self.pointer(start, place)
            self._take(at, at + self.pointer(start, size))

    def pointer(self, start: int, tag: int) -> int:
        """The number in a tag, such as where another directory lies; 0 if there is none."""
        places = [at for at in self._entries(start) if self.number(at, 2) == tag]
        return self.number(places[-1] + 8, _SIZES.get(self.number(places[-1] + 2, 2), 4)) if places else 0

    def _entries(self, start: int) -> Iterator[int]:
        """Where the entries of a directory lie."""
        for number in range(self.number(start, 2) if 0 < start < len(self._content) else 0):
            at = start + 2 + _ENTRY * number
            if at + _ENTRY > len(self._content):
                return
            yield at

    def _take(self, start: int, end: int) -> None:
        end = min(end, len(self._content))
        if start < end:
            self._is_free[start:end] = bytes(end - start)


def content_of(rest: bytes) -> int:
    """How many bytes some bytes take when they are compressed: padding takes none."""
    return max(0, len(zlib.compress(rest, 9)) - _ZLIB_BYTES)
