"""The run manifest in the output folder: which pictures are done, and which of the files there this program wrote.

One SQLite database. The process that writes it holds it together with its workers: a second run is refused.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, fields, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from anonymizer.addresses import Address, Place
from anonymizer.errors import OutputError
from anonymizer.run.written import ALL_PICTURES, ALWAYS, SCHEMA, WrittenFiles
from anonymizer.types import Job, Result, Source

MANIFEST_NAME = "anonymize-manifest.sqlite"
LOCK_TIMEOUT_S = 10.0
"""How long to wait for the workers of a run that was killed to notice it."""

_RESULT_FIELDS = [field.name for field in fields(Result)]
_SCHEMA_VERSION = 2
_SCHEMA = f"""
DROP TABLE IF EXISTS runs;
DROP TABLE IF EXISTS files;
DROP TABLE IF EXISTS input;
CREATE TABLE input (root TEXT, salt BLOB);
CREATE TABLE runs (run INTEGER PRIMARY KEY);
CREATE TABLE files (
    name BLOB PRIMARY KEY,      -- of the picture, relative to the input root
    run INTEGER NOT NULL,       -- the last one that came upon it
    position INTEGER NOT NULL,  -- in the listing of that run
    result TEXT,                -- of that run; none where what is done stands
    done TEXT,                  -- the result that stands for the files in the output, where there are any
    evidence TEXT               -- digest: from what input, settings and models these were made
);
CREATE INDEX files_by_position ON files (run, position);
{SCHEMA}
PRAGMA user_version = {_SCHEMA_VERSION};
"""
_FROM_VERSION_1 = f"""
{SCHEMA}
UPDATE files SET evidence = NULL;
PRAGMA user_version = {_SCHEMA_VERSION};
"""
"""That version noted no contents: whatever was modified after its last run is taken for changed by hand."""


class Inputs(NamedTuple):
    """From what the outputs of a picture are made."""

    fingerprint: str
    """Of the settings and the models."""
    detections_path: str
    """In hexadecimal digits, since it may hold bytes that are not text."""
    status: list[int] | str | None
    """Size, and times of modification and of change, of the file, or its version in a store; None if there is none."""
    others: str | None = None
    """What else decides, such as a record that is replayed."""


class Manifest:
    """What became of each picture, in this run and in earlier ones. Iterates over the results of this run."""

    def __init__(
        self,
        path: Path,
        input_root: Place,
        output_root: Path,
        fingerprint: str,
        *,
        is_shard: bool = False,
        overwrite: bool = False,
    ) -> None:
        """Opens or creates the manifest, and begins a run in it.

        Args:
            fingerprint: of everything but the picture that decides what the output looks like.
            is_shard: whether other shards may be at work in the same folder.
            overwrite: whether the folder may have been made from another input.

        Raises:
            OutputError: another run holds it, or it cannot be written.
        """
        self._prepare(path, input_root, output_root, fingerprint)
        self._output = output_root
        with self._translated_errors():
            self.locks: Sequence[int] = os.open(output_root, os.O_RDONLY), os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            """Descriptors of folder and file, locked for as long as any process has them."""
        try:
            # Shards share the folder with each other, and with nobody else.
            self._wait_for_lock(self.locks[0], fcntl.LOCK_SH if is_shard else fcntl.LOCK_EX)
            self._wait_for_lock(self.locks[1], fcntl.LOCK_EX)
            with self._translated_errors():
                self._connection = _open(path, self.locks[1])
                try:
                    self._check_input(overwrite)
                    self._written = WrittenFiles(self._connection, self._salt, output_root)
                    self._run = self._connection.execute("INSERT INTO runs DEFAULT VALUES").lastrowid
                    if overwrite:
                        self._written.trust(ALL_PICTURES, _now_ns(path))
                    self._connection.commit()
                except BaseException:
                    self._connection.close()  # at once: until then the file stays locked for the next run
                    raise
        except BaseException:
            self._unlock()
            raise

    def _prepare(self, path: Path, input_root: Place, output_root: Place, fingerprint: str) -> None:
        self._path = path.absolute()
        self._where: Place = self._path
        self._roots = input_root, output_root
        self._fingerprint = fingerprint
        self._is_closed = False
        self._salt = b""
        self._others: list[_OtherShare] | None = None
        """What manifests of other shares in the folder know, once that was needed."""

    def close(self) -> None:
        for other in self._others or ():
            other.connection.close()
        with suppress(sqlite3.Error):
            self._connection.commit()
        self._connection.close()
        self._is_closed = True
        self._unlock()  # later than the connection: closing any descriptor of a file drops SQLite's own locks

    def discard(self) -> None:
        """Leaves no manifest behind; nothing more can be recorded."""
        self._connection.close()
        self._path.unlink()

    def inputs_of(self, job: Job, others: str | None = None) -> Inputs:
        """From what the outputs of a picture are made, as things are now.

        Args:
            others: what else decides how they look, beside the picture and the fingerprint.
        """
        input_root, _ = self._roots
        if isinstance(input_root, Address):
            status: list[int] | str | None = job.version
        else:
            # Unlike the time of modification, nobody can set that of change.
            status = _stat(input_root / job.source, "st_size", "st_mtime_ns", "st_ctime_ns")
        return Inputs(self._fingerprint, os.fsencode(job.detections_path).hex(), status, others)

    def find_made(self, job: Job, inputs: Inputs) -> Result | None:
        """The result of the earlier run that made the outputs of a picture, if it did from the same inputs.

        What has become of the outputs since, that does not tell.
        """
        with self._translated_errors():
            row = self._connection.execute(
                "SELECT done, evidence FROM files WHERE name = ? AND done IS NOT NULL", (os.fsencode(job.name),)
            ).fetchone()
        return None if row is None or row[1] != self._evidence(inputs) else _to_result(row[0])

    def find_done(self, job: Job, inputs: Inputs) -> Result | None:
        """The result of an earlier run that stands: same inputs, outputs as it left them."""
        made = self.find_made(job, inputs)
        if made is None:
            return None
        name, essential = os.fsencode(job.name), _essential(job, made)
        with self._translated_errors():
            paths = {essential, job.detections_path} if self._written.knows(name, job.detections_path) else {essential}
            paths |= set() if job.mask_path is None else {job.mask_path}
            is_whole = all(path is not None and self._written.is_as_written(name, path) for path in paths)
        return replace(made, unchanged=True) if is_whole else None

    at_once = 1
    """How many pictures `begin` had best be told of together."""

    def begin(self, jobs: Sequence[Job]) -> None:
        """Notes that pictures are about to be worked on: what lies under their names then is of this run.

        Should the run be killed before `record`, a later one knows by that.
        """
        with self._translated_errors():
            for job in jobs:
                self._written.trust(os.fsencode(job.name), ALWAYS)
            self._connection.commit()

    def look_at(self, path: Path) -> Literal["nothing", "file", "other"]:
        """What lies under the name of an output."""
        place = self._output / path
        return "nothing" if not os.path.lexists(place) else "file" if place.is_file() else "other"

    def is_as_written(self, job: Job, path: Path) -> bool:
        """Whether an output is there, and just as a run over this input wrote it."""
        return self._ask_all(lambda written: written.is_as_written(os.fsencode(job.name), path))

    def is_known(self, job: Job, path: Path) -> bool:
        """Whether a run over this input wrote an output once, however it looks now."""
        return self._ask_all(lambda written: written.knows(os.fsencode(job.name), path))

    def is_trusted(self, job: Job, path: Path) -> bool:
        """Whether a file must be a run's though nobody noted how it looked.

        That is so for what a killed run was working on, and for what was not modified since a run of a version that
        noted less.
        """
        return self._ask_all(lambda written: written.is_trusted(os.fsencode(job.name), path))

    def is_given_up(self, path: Path) -> bool:
        """Whether a file lay there when a run with --overwrite began that did not come to its end."""
        return self._ask_all(lambda written: written.is_trusted(ALL_PICTURES, path))

    def record(self, position: int, job: Job, result: Result, inputs: Inputs) -> None:
        """Records what became of a picture.

        Args:
            position: in the listing.
            inputs: as they were before the picture was read.
        """
        text, name = _to_text(result), os.fsencode(job.name)
        essential = _essential(job, result)
        is_done = essential is not None and self.look_at(essential) != "nothing"
        done, evidence = (text, self._evidence(inputs)) if is_done else (None, None)
        with self._translated_errors():
            self._connection.execute(
                "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET run = excluded.run, "
                "position = excluded.position, result = excluded.result, done = excluded.done, "
                "evidence = excluded.evidence",
                (name, self._run, position, text, done, evidence),
            )
            if essential is not None:
                written = (essential, job.detections_path, *([] if job.mask_path is None else [job.mask_path]))
                fresh = set(written).difference(job.foreign)
                self._written.note(name, fresh, forgotten=job.foreign)
            self._written.end_trust(name)
            self._connection.commit()

    def finish(self) -> None:
        """The run came to its end: what it was free to replace, it has replaced."""
        with self._translated_errors():
            self._written.end_trust(ALL_PICTURES)
            self._connection.commit()

    def record_untouched(self, position: int, result: Result) -> None:
        """Records a result that leaves the files in the output, and what is known of them, as they are."""
        text = None if result.unchanged else _to_text(result)
        with self._translated_errors():
            self._connection.execute(
                "INSERT INTO files VALUES (?, ?, ?, ?, NULL, NULL) ON CONFLICT (name) DO UPDATE SET "
                "run = excluded.run, position = excluded.position, result = excluded.result",
                (os.fsencode(result.file), self._run, position, text),
            )

    def __iter__(self) -> Iterator[Result]:
        """The results of this run in the order of the listing; after the manifest was closed, until the next run."""
        query = "SELECT result, done FROM files WHERE run = ? ORDER BY position"
        with self._translated_errors():
            if not self._is_closed:
                yield from map(_of_this_run, self._connection.execute(query, (self._run,)))
                return
            # Immutable: reads without a lock, and so keeps no later run waiting.
            uri = f"{self._path.as_uri()}?mode=ro&immutable=1"
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                yield from map(_of_this_run, connection.execute(query, (self._run,)))

    def orphaned(self) -> list[str]:
        """Pictures with outputs of earlier runs that this run, once at its end, has not come upon."""
        with self._translated_errors():
            query = "SELECT name FROM files WHERE run < ? AND done IS NOT NULL ORDER BY name"
            return [os.fsdecode(name) for (name,) in self._connection.execute(query, (self._run,))]

    def _evidence(self, inputs: Inputs) -> str:
        return _salted(self._salt, json.dumps(inputs))

    def _ask_all(self, question: Callable[[WrittenFiles], bool]) -> bool:
        """Whether this manifest says yes, or else that of another share of this input in the folder."""
        with self._translated_errors():
            if question(self._written):
                return True
            if self._others is None:
                self._others = self._open_others()
            return any(question(other.written) for other in self._others)

    def _open_others(self) -> list[_OtherShare]:
        return _open_others(self._path, self._roots[0], self._output)

    def _check_input(self, overwrite: bool) -> None:
        """Pictures of the same name in another folder are others."""
        known, self._salt = self._connection.execute("SELECT root, salt FROM input").fetchone() or (
            None,
            os.urandom(32),
        )
        root = _salted(self._salt, _real_name(self._roots[0]))
        if known not in (None, root) and not overwrite:
            raise OutputError(
                f"output folder {self._roots[1]} was made from another input folder; "
                "choose another one, or add --overwrite"
            )
        self._connection.execute("DELETE FROM input")
        self._connection.execute("INSERT INTO input VALUES (?, ?)", (root, self._salt))

    def _unlock(self) -> None:
        for descriptor in self.locks:
            os.close(descriptor)

    def _wait_for_lock(self, descriptor: int, kind: int) -> None:
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                return fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    root = self._roots[1]
                    raise OutputError(f"output folder {root}: another run is writing there; wait for its end") from None
                time.sleep(0.02)
            except OSError:  # a file system without locks
                return None

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Turns what goes wrong into an error that a user understands."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise OutputError(f"manifest {self._where}: {reason}; nothing more can be written") from None


class _OtherShare(NamedTuple):
    """A copy of the manifest of another share, to look things up in: nobody has to wait for it."""

    written: WrittenFiles
    connection: sqlite3.Connection


def _open_others(path: Path, input_root: Place, output_root: Path) -> list[_OtherShare]:
    """Those beside `path` that no run holds, that can be read, and that are of the same input."""
    pattern = f"{Path(MANIFEST_NAME).stem}*{Path(MANIFEST_NAME).suffix}"
    others: list[_OtherShare] = []
    for other in sorted(path.parent.glob(pattern)):
        if other != path and (connection := _copy(other)) is not None:
            root, salt = connection.execute("SELECT root, salt FROM input").fetchone() or (None, b"")
            if root == _salted(salt, _real_name(input_root)):
                others.append(_OtherShare(WrittenFiles(connection, salt, output_root), connection))
            else:
                connection.close()
    return others


def _copy(path: Path) -> sqlite3.Connection | None:
    """A manifest in a temporary file; None if a run holds it, or it cannot be read."""
    try:
        lock = os.open(path, os.O_RDWR)
    except OSError:
        return None
    copy = sqlite3.connect("")
    try:
        with _suppress_missing_locks():
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with closing(_connect(path)) as connection:
            connection.backup(copy)
        return copy
    except (OSError, sqlite3.Error):
        copy.close()
        return None
    finally:
        os.close(lock)


@contextmanager
def _suppress_missing_locks() -> Iterator[None]:
    """Lets a file system pass that has no locks, but not a lock that somebody else holds."""
    try:
        yield
    except BlockingIOError:
        raise
    except OSError:
        pass


def _open(path: Path, descriptor: int) -> sqlite3.Connection:
    """A new manifest where there is none, or one that cannot be read: nothing is known to be done then."""
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # the disk, not the content
            raise
        os.ftruncate(descriptor, 0)
        for suffix in ("-wal", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    last_written_ns = _last_written_ns(path)
    connection = sqlite3.connect(path)
    try:
        # Exclusive: then the write-ahead log needs no shared memory, which network file systems lack.
        connection.executescript(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        )
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 1:
            connection.executescript(_FROM_VERSION_1)
            connection.execute(
                "INSERT INTO trusted SELECT name, ? FROM files WHERE done IS NOT NULL", (last_written_ns,)
            )
            connection.commit()
        elif version != _SCHEMA_VERSION:
            connection.executescript(_SCHEMA)
        (health,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if health != "ok":
            raise sqlite3.DatabaseError(health)
        connection.execute("SELECT name, run, position, result, done, evidence FROM files LIMIT 1").fetchone()
        connection.execute("SELECT files, until_ns FROM written, trusted LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _stat(path: Path, *fields: str) -> list[int] | None:
    """These fields of the status of a file; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return [getattr(status, field) for field in fields]


def _last_written_ns(path: Path) -> int:
    """When a manifest, or the log of its latest changes, was last modified; 0 if it is not there."""
    log = path.with_name(f"{path.name}-wal")
    return max((_stat(each, "st_mtime_ns") or [0])[0] for each in (path, log))


def _now_ns(path: Path) -> int:
    """The time by the clock of the file system that a file of ours lies in, which may be that of another machine."""
    os.utime(path)
    return path.stat().st_mtime_ns


def _essential(job: Job, result: Result) -> Path | None:
    """The output that must be there for a picture to be done; None if it is not."""
    return {"anonymized": job.target, "detected": job.detections_path}.get(result.status)


def _real_name(root: Place) -> str:
    return str(root) if isinstance(root, Address) else str(root.resolve())


def _salted(salt: bytes, text: str) -> str:
    """The manifest may be published with the pictures, and must not reveal when the originals were made."""
    return hashlib.sha256(salt + text.encode("utf-8", "surrogateescape")).hexdigest()


def _of_this_run(row: tuple[str | None, str]) -> Result:
    result, done = row
    return replace(_to_result(done), unchanged=True) if result is None else _to_result(result)


def _to_text(result: Result) -> str:
    values = {name: getattr(result, name) for name in _RESULT_FIELDS if name != "versions"}
    return json.dumps({**values, "source": None if result.source is None else astuple(result.source)})


def _to_result(text: str) -> Result:
    stored: dict[str, Any] = json.loads(text)
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()}
    source = values.pop("source", None)
    return Result(**values, source=None if source is None else _to_source(*source))


def _to_source(sha256: str, frames: int, sizes: list[tuple[int, int]]) -> Source:
    return Source(sha256, frames, tuple((width, height) for width, height in sizes))
