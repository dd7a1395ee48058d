"""Which files in the output folder this program wrote, and how they looked then: a table of the run manifest.

Whatever looks otherwise, or was never noted, belongs to somebody else, or was changed by hand.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

Written: TypeAlias = Mapping[str, list[str]]
"""By the path of an output in hexadecimal digits, since it may hold bytes that are not text: the digest of its size and
time of modification, which is quick to compare, and that of its content, which outlives a copy of the folder."""

ALL_PICTURES = b""
"""Stands for the names of all pictures."""
ALWAYS = 2**63 - 1
SCHEMA = """
DROP TABLE IF EXISTS written;
DROP TABLE IF EXISTS trusted;
CREATE TABLE written (
    name BLOB PRIMARY KEY,      -- of a picture
    files TEXT                  -- its outputs as they were written: see Written
);
CREATE TABLE trusted (
    name BLOB PRIMARY KEY,      -- of a picture; empty for all of them
    until_ns INTEGER            -- its files in the output that were modified until then may be replaced
);
"""


class WrittenFiles:
    """What one manifest knows of the outputs. Its errors are those of sqlite3.

    A picture is named by its path as bytes; paths of outputs are relative to the output folder.
    """

    def __init__(self, connection: sqlite3.Connection, salt: bytes, output_root: Path) -> None:
        self._connection = connection
        self._salt = salt
        self._output_root = output_root

    def of(self, picture: bytes) -> Written:
        row = self._connection.execute("SELECT files FROM written WHERE name = ?", (picture,)).fetchone()
        return {} if row is None else json.loads(row[0])

    def knows(self, picture: bytes, path: Path) -> bool:
        """Whether an output was written once, however it looks now."""
        return _key(path) in self.of(picture)

    def is_as_written(self, picture: bytes, path: Path) -> bool:
        """Whether an output is there and just as it was written."""
        noted = self.of(picture).get(_key(path))
        if noted is None:
            return False
        time, content = noted
        if self._time_digest(path) == time:
            return True
        if self._content_digest(path) != content:
            return False
        self.note(picture, [path])  # the folder was copied: the next look is quick again
        return True

    def note(self, picture: bytes, paths: Iterable[Path], forgotten: Iterable[Path] = ()) -> None:
        """Takes down how these outputs look now, as far as they are there.

        Args:
            forgotten: outputs that are no longer of this program.
        """
        files = dict(self.of(picture))
        for path in forgotten:
            files.pop(_key(path), None)
        for path in paths:
            files.pop(_key(path), None)
            content = self._content_digest(path)
            if content is not None:
                files[_key(path)] = [self._time_digest(path), content]
        self._connection.execute("INSERT OR REPLACE INTO written VALUES (?, ?)", (picture, json.dumps(files)))

    def trust(self, picture: bytes, until_ns: int) -> None:
        """From now on, files under the names of its outputs may be replaced if they were modified until then."""
        self._connection.execute("INSERT OR REPLACE INTO trusted VALUES (?, ?)", (picture, until_ns))

    def end_trust(self, picture: bytes) -> None:
        self._connection.execute("DELETE FROM trusted WHERE name = ?", (picture,))

    def is_trusted(self, picture: bytes, path: Path) -> bool:
        """Whether a file may be replaced by what was said of this picture, or of all."""
        row = self._connection.execute("SELECT until_ns FROM trusted WHERE name = ?", (picture,)).fetchone()
        try:
            return row is not None and (self._output_root / path).stat().st_mtime_ns <= row[0]
        except OSError:
            return False

    def _time_digest(self, path: Path) -> str:
        """Empty if there is no such file."""
        try:
            status = (self._output_root / path).stat()
        except OSError:
            return ""
        return self._digest(f"{status.st_size} {status.st_mtime_ns}".encode()).hexdigest()

    def _content_digest(self, path: Path) -> str | None:
        """None if there is no such file, or it cannot be read."""
        digest = self._digest()
        try:
            with open(self._output_root / path, "rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        except OSError:
            return None
        return digest.hexdigest()

    def _digest(self, content: bytes = b"") -> hashlib.blake2b:
        """Salted: the manifest may be published with the pictures, and must not reveal when they were made."""
        return hashlib.blake2b(content, key=self._salt, digest_size=32)


def _key(path: Path) -> str:
    return os.fsencode(path).hex()
