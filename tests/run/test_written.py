"""What was written is known again, by its content."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from anonymizer.run.written import ALL_PICTURES, ALWAYS, SCHEMA, WrittenFiles

PICTURE, OUTPUT = b"a.png", Path("caf\udce9.png")


@pytest.fixture
def written(tmp_path: Path) -> Iterator[WrittenFiles]:
    (tmp_path / OUTPUT).write_bytes(b"output")
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        yield WrittenFiles(connection, b"salt", tmp_path)


def test_what_was_noted_is_known_as_long_as_its_content_is_the_same(written: WrittenFiles, tmp_path: Path) -> None:
    assert not written.knows(PICTURE, OUTPUT)
    assert not written.is_as_written(PICTURE, OUTPUT)
    written.note(PICTURE, [OUTPUT, Path("nowhere")])
    assert written.is_as_written(PICTURE, OUTPUT)
    assert not written.knows(PICTURE, Path("nowhere"))
    assert not written.knows(b"b.png", OUTPUT)
    os.utime(tmp_path / OUTPUT, ns=(1, 1))
    assert written.is_as_written(PICTURE, OUTPUT)
    (tmp_path / OUTPUT).write_bytes(b"OUTPUT")
    assert not written.is_as_written(PICTURE, OUTPUT)
    assert written.knows(PICTURE, OUTPUT)
    (tmp_path / OUTPUT).unlink()
    assert not written.is_as_written(PICTURE, OUTPUT)


def test_files_are_trusted_until_they_are_modified_again(written: WrittenFiles, tmp_path: Path) -> None:
    os.utime(tmp_path / OUTPUT, ns=(7, 7))
    for picture in (PICTURE, ALL_PICTURES):
        assert not written.is_trusted(picture, OUTPUT)
        for until_ns, is_trusted in ((6, False), (7, True), (ALWAYS, True)):
            written.trust(picture, until_ns)
            assert written.is_trusted(picture, OUTPUT) is is_trusted
        assert not written.is_trusted(picture, Path("nowhere"))
        written.end_trust(picture)
        assert not written.is_trusted(picture, OUTPUT)


def test_digests_are_salted_and_names_are_not_text(written: WrittenFiles, tmp_path: Path) -> None:
    """A table that is published tells neither when a file was written nor whether it is a certain one."""
    other = WrittenFiles(written._connection, b"pepper", tmp_path)
    written.note(PICTURE, [OUTPUT])
    assert not other.is_as_written(PICTURE, OUTPUT)
    assert list(written.of(PICTURE)) == [os.fsencode(OUTPUT).hex()]
