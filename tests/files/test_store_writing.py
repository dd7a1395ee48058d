import errno
import os
from pathlib import Path

import pytest
from stores import contents_of, fill, in_memory

from anonymizer.errors import OutputError, PictureError
from anonymizer.files.storage import Entry, FsspecStorage
from anonymizer.files.store_writing import local_place, remove_unfinished
from anonymizer.files.write import remove_files, remove_partials, write_files, written_together

RECORD, PICTURE = Path("sub/a.json"), Path("sub/a.jpg")


def test_writes_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    root = in_memory({})
    order: list[Path] = []
    usual = FsspecStorage._put

    def note(self: FsspecStorage, name: Path, content: bytes | Path) -> Entry:
        order.append(name)
        return usual(self, name, content)

    monkeypatch.setattr(FsspecStorage, "_put", note)
    write_files(root, {RECORD: b"{}", PICTURE: b"picture"})
    assert order == [RECORD, PICTURE]
    assert contents_of(root) == {"sub/a.json": b"{}", "sub/a.jpg": b"picture"}


def test_contents_in_pieces() -> None:
    root = in_memory({})
    write_files(root, {Path("report.json"): (b"%d" % number for number in range(10))})
    assert contents_of(root) == {"report.json": b"0123456789"}
    assert not local_place(root / "report.json").exists()


@pytest.mark.parametrize(("error", "kind"), [(PermissionError, PictureError), (FileNotFoundError, OutputError)])
def test_all_or_none(monkeypatch: pytest.MonkeyPatch, error: type[OSError], kind: type[Exception]) -> None:
    root = in_memory({"sub/a.jpg": b"of an earlier run"})
    usual = FsspecStorage._put

    def fail(self: FsspecStorage, name: Path, content: bytes | Path) -> Entry:
        written = usual(self, name, content)
        if name == PICTURE:  # done, but the answer is an error
            raise error(errno.EACCES, "some reason")
        return written

    monkeypatch.setattr(FsspecStorage, "_put", fail)
    with pytest.raises(kind, match="some reason"):
        write_files(root, {RECORD: b"{}", PICTURE: b"picture"})
    assert contents_of(root) == {}


def test_what_cannot_be_taken_back_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    root = in_memory({})

    def refuse(self: FsspecStorage, name: Path, *content: object) -> None:
        raise PermissionError(errno.EACCES, "access denied")

    monkeypatch.setattr(FsspecStorage, "_put", refuse)
    monkeypatch.setattr(FsspecStorage, "remove", refuse)
    with pytest.raises(OutputError, match=r"sub/a\.json of an earlier run cannot be removed: access denied"):
        write_files(root, {RECORD: b"{}"})


def test_large_files_are_made_here_first() -> None:
    root = in_memory({})
    with written_together(root, [RECORD, PICTURE]) as places:
        for place in places:
            place.write_bytes(place.name.encode())
        assert contents_of(root) == {}
    assert list(contents_of(root)) == ["sub/a.jpg", "sub/a.json"]
    assert not any(place.exists() for place in places)


def test_an_error_while_they_are_made() -> None:
    root = in_memory({})
    writing = written_together(root, [PICTURE])
    (place,) = writing.__enter__()
    place.write_bytes(b"half")
    assert not writing.__exit__(ValueError, ValueError("x"), None)
    assert not place.exists()
    assert contents_of(root) == {}


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, OutputError), (errno.EACCES, PictureError)])
def test_a_disk_that_is_full(number: int, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=os.strerror(number)), written_together(in_memory({}), [PICTURE]):
        raise OSError(number, os.strerror(number))


def test_a_name_that_no_store_can_hold() -> None:
    """Nothing else is harmed."""
    with pytest.raises(PictureError, match="not text in UTF-8"):
        write_files(in_memory({}), {Path(os.fsdecode(b"\xff.json")): b"{}"})


def test_removes() -> None:
    root = fill(in_memory({}), {"sub/a.jpg": b"", "b.jpg": b""})
    remove_files(root, [PICTURE, Path("nothing")])
    assert list(contents_of(root)) == ["b.jpg"]


def test_removes_what_a_killed_process_left() -> None:
    root = in_memory({})
    local_place(root / PICTURE).write_bytes(b"half")
    remove_partials(root, [PICTURE])
    assert not local_place(root / PICTURE).exists()
    remove_unfinished(root, [Path(os.fsdecode(b"\xff"))])
