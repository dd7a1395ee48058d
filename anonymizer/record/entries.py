"""The files that reports list, kept on the disk: there may be millions of them."""

from __future__ import annotations

import json
import sqlite3
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, overload

from anonymizer.files.find import listing_order

Entry: TypeAlias = Mapping[str, Any]
"""What a report says of a file, see `report`."""


class Entries(Sequence[Entry]):
    """Read from a temporary file each time. Memory stays flat, whatever their number."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._connection = sqlite3.connect("", check_same_thread=False)  # a file of SQLite's, gone with the connection
        weakref.finalize(self, self._connection.close)
        self._connection.execute("CREATE TABLE entries (position INTEGER PRIMARY KEY, place BLOB, entry TEXT)")
        rows = ((_sort_key(entry["file"]), json.dumps(entry)) for entry in entries)
        self._connection.executemany("INSERT INTO entries (place, entry) VALUES (?, ?)", rows)
        (self._number,) = self._connection.execute("SELECT COUNT(*) FROM entries").fetchone()

    def __len__(self) -> int:
        return int(self._number)

    def __iter__(self) -> Iterator[Entry]:
        for (text,) in self._connection.execute("SELECT entry FROM entries ORDER BY position"):
            yield json.loads(text)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        numbers = range(self._number)[index]
        return self._at(numbers) if isinstance(numbers, int) else [self._at(number) for number in numbers]

    def in_listing_order(self, on_repeated: Callable[[str], None]) -> Iterator[Entry]:
        """Sorted as in a listing. Of those with the same name only the last one comes.

        Args:
            on_repeated: called with the names of files that are there more than once. Those of folders may be.
        """
        last: Entry | None = None
        for (text,) in self._connection.execute("SELECT entry FROM entries ORDER BY place, position"):
            entry = json.loads(text)
            if last is not None and entry["file"] != last["file"]:
                yield last
            elif last is not None and not entry["file"].endswith("/"):
                on_repeated(entry["file"])
            last = entry
        if last is not None:
            yield last

    def _at(self, number: int) -> Entry:
        query = "SELECT entry FROM entries WHERE position = ?"
        (text,) = self._connection.execute(query, (number + 1,)).fetchone()
        entry: Entry = json.loads(text)
        return entry


def _sort_key(name: str) -> bytes:
    """Compares as `listing_order` does."""
    return b"".join(
        (b"\x02" if is_folder else b"\x01") + part.encode("utf-8", "surrogatepass") + b"\x00"
        for is_folder, part in listing_order(name)
    )
