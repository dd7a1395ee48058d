"""The run manifest of an output in a store.

While a run goes on it is a database on this machine, as for a local folder. What it learns goes to the store in parts:
files that are written once and never changed. Whoever goes on, on whatever machine, begins with what all parts say. So
no run can spoil what another has taken down, and a run that was killed loses nothing: before pictures are handed out, a
part says which.
"""

from __future__ import annotations

import errno
import gzip
import json
import os
import shutil
import sqlite3
import tempfile
import time
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from anonymizer.addresses import Address, Place
from anonymizer.errors import OutputError
from anonymizer.files.storage import Storage, storage_of
from anonymizer.run.manifest import MANIFEST_NAME, Inputs, Manifest, _connect, _OtherShare
from anonymizer.run.sharding import is_in_shard
from anonymizer.run.store_claim import StoreClaim
from anonymizer.run.written import ALL_PICTURES, ALWAYS, WrittenFiles
from anonymizer.settings import Shard
from anonymizer.types import Job, Result

BOOKS = Path("anonymize-manifest")
"""Folder in the output for parts and claims."""
MOST_UNSAVED = 500
"""Results that may wait for the next part."""
MOST_UNSAVED_S = 10.0
"""How long they may, seconds."""
_PREFIX = "part-"
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, EOFError, StopIteration, gzip.BadGzipFile, zlib.error)
"""What reading a damaged part may raise."""
_FORMAT = 1
_OBJECTS = "CREATE TABLE objects (path TEXT PRIMARY KEY, stamp TEXT, modified_ns INTEGER) WITHOUT ROWID"


class StoreManifest(Manifest):
    """What became of each picture; see `Manifest`."""

    at_once = 64

    def __init__(
        self,
        input_root: Place,
        output_root: Address,
        fingerprint: str,
        *,
        shard: Shard | None = None,
        overwrite: bool = False,
    ) -> None:
        """Claims the output, reads what earlier runs took down, and begins a run.

        Raises:
            OutputError: another run is writing there, or the store cannot be read or written.
        """
        folder = Path(tempfile.mkdtemp(prefix="anonymize-manifest-"))
        # The report may be read until nobody has this object any more.
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._prepare(folder / MANIFEST_NAME, input_root, output_root, fingerprint)
        self._where = output_root / BOOKS
        self._shard = shard
        self._storage = storage_of(output_root)
        self._lines: list[str] = []
        self._saved_s = time.monotonic()
        self._parts = 0
        self._claim = StoreClaim(output_root, BOOKS, shard)
        self.locks = (self._claim.lock,)
        try:
            with self._translated_errors():
                self._clear_unfinished()
                self._connection = _connect(self._path)
                try:
                    self._objects = _Objects(self._storage)
                    last_run = self._read_parts()
                    self.is_new = not last_run
                    """Whether no run has written there yet."""
                    self._check_input(overwrite)
                    self._number = last_run + 1
                    self._run = self._connection.execute("INSERT INTO runs DEFAULT VALUES").lastrowid
                    self._written = WrittenObjects(self._connection, self._salt, self._objects)
                    now_ns = self._claim.modified_ns() if overwrite else None
                    if now_ns is not None:
                        self._written.trust(ALL_PICTURES, now_ns)
                    self._connection.commit()
                    self._head = {"format": _FORMAT, "root": self._input_digest(), "salt": self._salt.hex()}
                    self._begun_all = {} if now_ns is None else {"overwrites": now_ns}
                except BaseException:
                    self._connection.close()
                    raise
        except BaseException:
            self._claim.close()
            raise

    def close(self) -> None:
        with suppress(OutputError):
            self._save()
        self._objects.close()
        super().close()

    def discard(self) -> None:
        self._lines.clear()
        super().discard()

    def begin(self, jobs: Sequence[Job]) -> None:
        super().begin(jobs)
        self._lines.append(json.dumps({"begun": [job.name for job in jobs]}))
        self._save()

    def record(self, position: int, job: Job, result: Result, inputs: Inputs) -> None:
        with self._translated_errors():
            self._objects.note(result.versions or {}, gone=job.stale(*job.outputs))
        super().record(position, job, result, inputs)
        name = os.fsencode(job.name)
        with self._translated_errors():
            (done, evidence, files) = self._connection.execute(
                "SELECT done, evidence, (SELECT files FROM written WHERE name = files.name) FROM files WHERE name = ?",
                (name,),
            ).fetchone()
        line = {"file": job.name, "done": done, "evidence": evidence, "written": files}
        self._lines.append(json.dumps(line))
        if len(self._lines) >= MOST_UNSAVED or time.monotonic() - self._saved_s > MOST_UNSAVED_S:
            self._save()

    def finish(self) -> None:
        super().finish()
        self._lines.append(json.dumps({"finished": True}))
        self._save()

    def look_at(self, path: Path) -> Literal["nothing", "file", "other"]:
        with self._translated_errors():
            return "nothing" if self._objects.look_up(path) is None else "file"

    def _ask_all(self, question: Callable[[WrittenFiles], bool]) -> bool:
        """All shares are in the parts."""
        with self._translated_errors():
            return question(self._written)

    def _open_others(self) -> list[_OtherShare]:
        return []

    def _unlock(self) -> None:
        self._claim.close()

    def _save(self) -> None:
        """Writes a part with all that is not saved yet.

        Raises:
            OutputError: the store cannot be written, or another run may go on there.
        """
        self._claim.check()
        self._saved_s = time.monotonic()
        if not self._lines:
            return
        head = {**self._head, **(self._begun_all if not self._parts else {})}
        text = "\n".join([json.dumps(head), *self._lines])
        name = f"{_PREFIX}{self._number:06}-{self._claim.id}-{self._parts:08}.jsonl.gz"
        with self._translated_errors():
            self._storage.write(BOOKS / name, gzip.compress(text.encode(), 3, mtime=0))
        self._parts += 1
        self._lines.clear()

    def _read_parts(self) -> int:
        """Fills the database with what the parts say; the number of the last run, 0 for none."""
        last_run = 0
        for page in self._storage.list(BOOKS):
            for entry in page:
                if entry.name.startswith(_PREFIX):
                    content = self._storage.read(BOOKS / entry.name)
                    try:
                        self._take(map(json.loads, gzip.decompress(content).decode().splitlines()))
                    except _DAMAGE:
                        raise OSError(errno.EPROTO, f"its part {entry.name} is damaged") from None
                    last_run = max(last_run, int(entry.name.removeprefix(_PREFIX).partition("-")[0]))
        self._connection.commit()
        return last_run

    def _take(self, lines: Iterator[Any]) -> None:
        head = next(lines)
        if head["format"] > _FORMAT:
            raise OSError(errno.EPROTO, "it was written by a later version of the program")
        run = self._connection.execute
        run("DELETE FROM input")
        run("INSERT INTO input VALUES (?, ?)", (head["root"], bytes.fromhex(head["salt"])))
        if "overwrites" in head:
            run("INSERT OR REPLACE INTO trusted VALUES (?, ?)", (ALL_PICTURES, head["overwrites"]))
        for line in lines:
            if line.get("finished"):
                run("DELETE FROM trusted WHERE name = ?", (ALL_PICTURES,))
            begun = [name for name in line.get("begun", ()) if is_in_shard(name, self._shard)]
            trusted = [(os.fsencode(name), ALWAYS) for name in begun]
            self._connection.executemany("INSERT OR REPLACE INTO trusted VALUES (?, ?)", trusted)
            if "file" in line and is_in_shard(line["file"], self._shard):
                name = os.fsencode(line["file"])
                run("INSERT OR REPLACE INTO files VALUES (?, 0, 0, NULL, ?, ?)", (name, line["done"], line["evidence"]))
                if line["written"] is not None:
                    run("INSERT OR REPLACE INTO written VALUES (?, ?)", (name, line["written"]))
                run("DELETE FROM trusted WHERE name = ?", (name,))

    def _clear_unfinished(self) -> None:
        """Of runs that were killed. With shares, others may be writing."""
        if self._shard is None:
            with suppress(OSError):  # not all servers, and not all users, may ask for it
                self._storage.clear_unfinished(Path())

    def _input_digest(self) -> str:
        (root,) = self._connection.execute("SELECT root FROM input").fetchone()
        return str(root)


class _Objects:
    """How files of the output look: what a listing of their folder shows, and what was written since."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._folder: Path | None = None
        self._connection = sqlite3.connect("")  # in memory, or in a temporary file where it is large
        self._connection.execute(_OBJECTS)
        self._noted: dict[str, str] = {}

    def close(self) -> None:
        self._connection.close()

    def note(self, versions: Mapping[str, str], gone: Iterable[Path]) -> None:
        """What was written just now, in place of what lay there."""
        for path in gone:
            self._connection.execute("DELETE FROM objects WHERE path = ?", (path.as_posix(),))
        rows = [(path, stamp, 0) for path, stamp in versions.items()]
        self._connection.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", rows)
        self._noted = {path.as_posix(): versions.get(path.as_posix(), "") for path in gone} | dict(versions)

    def look_up(self, path: Path) -> tuple[str, int] | None:
        """Version and time of modification of a file; None if there is none.

        Raises:
            OSError: the store does not say.
        """
        if path.as_posix() in self._noted:
            version = self._noted[path.as_posix()]
            return (version, 0) if version else None
        if path.parent != self._folder:
            self._list(path.parent)
        row: tuple[str, int] | None = self._connection.execute(
            "SELECT stamp, modified_ns FROM objects WHERE path = ?", (path.as_posix(),)
        ).fetchone()
        return row

    def _list(self, folder: Path) -> None:
        self._folder = None
        self._connection.execute("DELETE FROM objects")
        for page in self._storage.list(folder):
            rows = [((folder / e.name).as_posix(), e.stamp, e.modified_ns) for e in page if not e.is_folder]
            self._connection.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", rows)
        self._folder = folder


class WrittenObjects(WrittenFiles):
    """Which files in a store this program wrote. The store's own word tells their content."""

    def __init__(self, connection: sqlite3.Connection, salt: bytes, objects: _Objects) -> None:
        super().__init__(connection, salt, Path())
        self._objects = objects

    def is_trusted(self, picture: bytes, path: Path) -> bool:
        found = self._objects.look_up(path)
        row = self._connection.execute("SELECT until_ns FROM trusted WHERE name = ?", (picture,)).fetchone()
        return found is not None and row is not None and found[1] <= row[0]

    def _time_digest(self, path: Path) -> str:
        return self._content_digest(path) or ""

    def _content_digest(self, path: Path) -> str | None:
        found = self._objects.look_up(path)
        return None if found is None else self._digest(found[0].encode()).hexdigest()
