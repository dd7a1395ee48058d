"""All findings of a check, on disk: there may be millions of them, with thumbnails."""

from __future__ import annotations

import json
import pickle
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from anonymizer.check.finding import Finding, Level, is_in_doubt, without_the_less_likely
from anonymizer.check.html_page import Card, to_article
from anonymizer.errors import OutputError
from anonymizer.geometry import Box

_SCHEMA = """
CREATE TABLE findings (position INTEGER, number INTEGER, file TEXT, level TEXT, doubt REAL, finding TEXT);
CREATE TABLE articles (rank INTEGER, has_box INTEGER, score REAL, size REAL, file TEXT, card BLOB);
"""
_KNOWN_BEFORE = -1
"""Position of findings that are known before the first file is checked."""


class FindingStore:
    """Findings in the order of their files, whatever the order in which they are added.

    They lie in a temporary database that has no name: it is gone when the process is, however that ends. All methods
    but `close` raise OutputError if the disk that it lies on is full or gone.
    """

    def __init__(self) -> None:
        self._connection = sqlite3.connect("")
        with _disk_errors():
            self._connection.executescript(_SCHEMA)
        self.levels: Counter[Level] = Counter()
        """How many findings of each level there are."""
        self._limit = -1.0
        """Warnings of something in doubt with a score up to it are noted only."""

    def close(self) -> None:
        self._connection.close()

    def add(self, findings: Sequence[Finding], card: Card | None = None, position: int = _KNOWN_BEFORE) -> None:
        """Adds the findings of a file and what the page shows of it.

        Args:
            position: of the file, from 0 on.
        """
        rows = [
            (
                position,
                number,
                json.dumps(finding.file),
                finding.level,
                finding.score if is_in_doubt(finding) else None,
                json.dumps(asdict(finding)),
            )
            for number, finding in enumerate(findings)
        ]
        # Each file is a transaction: a full disk rolls back what is not committed.
        with _disk_errors(), self._connection:
            self._connection.executemany("INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?)", rows)
            if card is not None:
                row = (*card.rank, json.dumps(card.file), pickle.dumps(card))
                self._connection.execute("INSERT INTO articles VALUES (?, ?, ?, ?, ?, ?)", row)
        self.levels.update(finding.level for finding in findings)

    def limit_doubts(self, number: int) -> None:
        """Keeps so many warnings of something in doubt, those with the highest scores; the others are noted only."""
        query = "SELECT doubt FROM findings WHERE doubt IS NOT NULL ORDER BY doubt DESC LIMIT 1 OFFSET ?"
        for (limit,) in list(self._rows(query, number)):
            self._limit = limit
            with _disk_errors(), self._connection:
                noted = self._connection.execute(
                    "UPDATE findings SET level = 'noted', doubt = NULL WHERE doubt <= ?", (limit,)
                ).rowcount
            self.levels.subtract({"warning": noted})
            self.levels.update({"noted": noted})

    def __iter__(self) -> Iterator[Finding]:
        for (text,) in self._rows("SELECT finding FROM findings ORDER BY position, number, rowid"):
            yield without_the_less_likely(_to_finding(text), self._limit)

    def of(self, level: Level) -> FindingsOfLevel:
        """The findings of one level; can be iterated over several times."""
        return FindingsOfLevel(self, level)

    def files_with(self, level: Level) -> int:
        """How many files have a finding of this level."""
        ((number,),) = self._rows("SELECT COUNT(DISTINCT file) FROM findings WHERE level = ?", level)
        return int(number)

    def articles(self) -> Iterator[bytes]:
        """What the page shows of each file, by urgency."""
        for (content,) in self._rows("SELECT card FROM articles ORDER BY rank, has_box, score, size, file, rowid"):
            card = pickle.loads(content).without_the_less_likely(self._limit)
            if card is not None:
                # Names may hold bytes that are not text.
                yield to_article(card).encode("utf-8", "backslashreplace")

    def _rows(self, query: str, *values: str | int) -> Iterator[tuple[Any, ...]]:
        with _disk_errors():  # sorting many rows takes space on the disk too
            cursor = self._connection.execute(query, values)
        while True:
            with _disk_errors():
                row = cursor.fetchone()
            if row is None:
                return
            yield row


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OutputError(f"temporary database of the findings: {error}; nothing more can be written") from None


@dataclass(frozen=True)
class FindingsOfLevel:
    """The findings of one level in a store."""

    store: FindingStore
    level: Level

    def __iter__(self) -> Iterator[Finding]:
        return (finding for finding in self.store if finding.level == self.level)


def _to_finding(text: str) -> Finding:
    values = json.loads(text)
    box, frames = values.pop("box"), values.pop("frames")
    return Finding(**values, box=None if box is None else Box(**box), frames=None if frames is None else tuple(frames))
