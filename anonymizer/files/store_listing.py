"""Finds the pictures in a store, page by page: names and versions of a folder lie on disk, however many they are."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from anonymizer.addresses import Address
from anonymizer.files.names import caseless, has_extension, loose
from anonymizer.files.others import is_apple_double, is_source_text, kind_of_other
from anonymizer.files.storage import Entry, storage_of
from anonymizer.types import Job

_SCHEMA = """
CREATE TABLE pictures (
    name TEXT PRIMARY KEY, stem TEXT, stamp TEXT, caseless TEXT, caseless_stem TEXT, loose TEXT, record TEXT
) WITHOUT ROWID;
CREATE TABLE others (name TEXT);
"""
_NAME_RECORDS = """
CREATE INDEX by_caseless ON pictures (caseless);
CREATE INDEX by_stem ON pictures (caseless_stem);
CREATE INDEX by_loose ON pictures (loose);
UPDATE pictures AS one SET record = CASE
    WHEN (SELECT count(*) FROM pictures WHERE caseless_stem = one.caseless_stem) = 1
        AND NOT EXISTS (SELECT 1 FROM pictures WHERE caseless = one.caseless_stem)
    THEN stem ELSE name END || '.json';
CREATE INDEX by_record ON pictures (record);
"""
"""As `names.record_names` does."""
_JOBS = """
SELECT name, stem, stamp, record,
    EXISTS (SELECT 1 FROM pictures WHERE record = one.stem || '.json'),
    EXISTS (SELECT 1 FROM pictures WHERE record = one.name || '.json'),
    (SELECT json_group_array(name) FROM (
        SELECT name FROM pictures WHERE loose = one.loose AND name < one.name ORDER BY name))
FROM pictures AS one ORDER BY name
"""
_WHY_NOT = "its key has a part that is empty, a dot or two dots, which cannot be a file in a folder; rename it"


@dataclass
class StoreListing:
    """The pictures below an address, in the order of a local listing. See `find.Listing` for its fields."""

    root: Address
    extensions: Sequence[str]
    not_looked_at: Counter[str] = field(default_factory=Counter)
    unreadable: dict[str, str] = field(default_factory=dict)
    on_other: Callable[[Path], None] = lambda path: None
    is_exact: bool = True
    """Whether names are told apart where the outputs go, so that nothing looks like something else."""

    def __iter__(self) -> Iterator[Job]:
        folders = [Path()]
        similar: dict[str, list[Path]] = {}
        while folders:
            folder = folders.pop()
            before = similar.setdefault(loose(folder.as_posix()), [])
            below: list[Path] = []
            try:
                yield from self.jobs_in(folder, below, self._targets_in(before))
            except OSError as error:
                self.unreadable[folder.as_posix()] = f"folder cannot be listed: {error.strerror}"
            if not self.is_exact:
                before.append(folder)
            folders += sorted(below, reverse=True)

    def jobs_in(
        self, folder: Path, below: list[Path] | None = None, before: Mapping[str, Sequence[Path]] = MappingProxyType({})
    ) -> Iterator[Job]:
        """The jobs of the pictures directly in one folder.

        Args:
            below: takes the folders in it.
            before: targets in folders before it whose names may be the same as its own, by their loose names.

        Raises:
            OSError: it cannot be listed.
        """
        # In memory, or in a temporary file where it is large. Another thread may collect what was left halfway.
        with closing(sqlite3.connect("", check_same_thread=False)) as names:
            names.executescript(_SCHEMA)
            for page in storage_of(self.root).list(folder):
                files = [entry for entry in page if self._is_file(folder, entry, below)]
                pictures = [entry for entry in files if self._is_picture(folder / entry.name)]
                others = {entry.name for entry in files}.difference(entry.name for entry in pictures)
                names.executemany("INSERT OR IGNORE INTO pictures VALUES (?, ?, ?, ?, ?, ?, NULL)", map(_row, pictures))
                names.executemany("INSERT INTO others VALUES (?)", ((name,) for name in others))
            names.executescript(_NAME_RECORDS)
            for name, stem, stamp, record, has_stem, has_name, lookalikes in names.execute(_JOBS):
                similar = [folder / other for other in json.loads(lookalikes)]
                free = [other for other, is_taken in ((stem, has_stem), (name, has_name)) if not is_taken]
                yield Job(
                    folder / name,
                    folder / name,
                    folder / record,
                    tuple(folder / f"{other}.json" for other in sorted(free)),
                    lookalikes=() if self.is_exact else (*before.get(loose(name), ()), *similar),
                    version=stamp,
                )
            for (name,) in names.execute("SELECT name FROM others ORDER BY name"):
                self.not_looked_at[kind_of_other(self.root / folder / name)] += 1
                self.on_other(folder / name)

    def _is_file(self, folder: Path, entry: Entry, below: list[Path] | None) -> bool:
        if PurePosixPath(entry.name).name != entry.name or entry.name in ("", ".", ".."):
            self.unreadable[f"{folder.as_posix()}/{entry.name}"] = _WHY_NOT
        elif entry.is_link:
            self.unreadable[(folder / entry.name).as_posix()] = "links in stores are not followed"
        elif entry.is_folder:
            if below is not None:
                below.append(folder / entry.name)
        else:
            return True
        return False

    def _is_picture(self, path: Path) -> bool:
        place = self.root / path
        return has_extension(path, self.extensions) and not is_apple_double(place) and not is_source_text(place)

    def _targets_in(self, folders: Sequence[Path]) -> dict[str, list[Path]]:
        targets: dict[str, list[Path]] = {}
        for folder in folders:
            for job in StoreListing(self.root, self.extensions).jobs_in(folder):
                targets.setdefault(loose(job.target.name), []).append(job.target)
        return targets


def _row(entry: Entry) -> tuple[str, str, str, str, str, str]:
    stem = Path(entry.name).stem
    return entry.name, stem, entry.stamp, caseless(entry.name), caseless(stem), loose(entry.name)
