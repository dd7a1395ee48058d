import os
from pathlib import Path

import pytest
from stores import in_memory

from anonymizer.errors import PictureError, SettingsError, VanishedError
from anonymizer.files.storage import FsspecStorage
from anonymizer.files.store_reading import fetched, records_fetched

NAME = Path("sub/film.mp4")


def test_local_files_stay_where_they_are(tmp_path: Path) -> None:
    with fetched(tmp_path, NAME) as root:
        assert root == tmp_path


def test_a_file_is_brought_and_goes() -> None:
    store = in_memory({"sub/film.mp4": b"film"})
    for _ in range(2):
        with fetched(store, NAME) as root:
            assert (root / NAME).read_bytes() == b"film"
            assert root.stat().st_uid == os.getuid()
        assert not root.exists()


def test_what_a_killed_process_left_is_brought_anew() -> None:
    store = in_memory({"sub/film.mp4": b"film"})
    with fetched(store, NAME) as root:
        (root / NAME).write_bytes(b"half")
        with fetched(store, NAME) as again:
            assert (again / NAME).read_bytes() == b"film"


def test_a_file_that_is_gone() -> None:
    with pytest.raises(VanishedError), fetched(in_memory({}), NAME):
        pass


def test_a_file_that_changes_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    store = in_memory({"sub/film.mp4": b"film"})
    stamps = iter("12")
    usual = FsspecStorage.stat
    monkeypatch.setattr(
        FsspecStorage,
        "stat",
        lambda self, name: usual(self, name)._replace(tag=next(stamps)),  # type: ignore[union-attr]
    )
    with pytest.raises(PictureError, match="has changed while it was read"), fetched(store, NAME):
        pass


def test_records_of_a_run_come_with_their_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = in_memory({"a.jpg": b"", "a.json": b"[]", "sub/b.JSON": b"{}"})
    with records_fetched(store) as folder:
        assert folder.name == store.name
        names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
        assert names == {"a.json", "sub/b.JSON"}
    assert not folder.exists()
    with records_fetched(tmp_path) as local:
        assert local == tmp_path

    def refuse(self: FsspecStorage, name: Path, most: int | None = None) -> bytes:
        raise PermissionError(13, "access denied")

    monkeypatch.setattr(FsspecStorage, "read", refuse)
    with pytest.raises(SettingsError, match="access denied"), records_fetched(store):
        pass
