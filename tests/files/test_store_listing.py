import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import in_memory

from anonymizer.addresses import Address
from anonymizer.files.find import find_pictures, jobs_in
from anonymizer.files.storage import Entry, FsspecStorage
from anonymizer.files.store_listing import StoreListing
from anonymizer.types import Job

EXTENSIONS = ("jpg", "jpeg", "png")
NAMES = st.from_regex(r"([dD]/|d\./)?[abA](\.(jpg|png|JPG|json|a|txt)){0,3}", fullmatch=True)


def plain(jobs: list[Job]) -> list[Job]:
    return [replace(job, version=None) for job in jobs]


@settings(max_examples=40)
@given(st.sets(NAMES, max_size=12))
def test_lists_as_a_local_folder_is_listed(tmp_path_factory: pytest.TempPathFactory, names: set[str]) -> None:
    folder = tmp_path_factory.mktemp("in")
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    root = in_memory(dict.fromkeys(names, b""))
    local, stored = find_pictures(folder, EXTENSIONS, None), find_pictures(root, EXTENSIONS, None)
    others: list[Path] = []
    stored.on_other = others.append
    assert plain(list(stored)) == list(local)
    assert stored.not_looked_at == local.not_looked_at
    assert len(others) == local.not_looked_at.total()
    for below in (Path(), Path("d"), Path("nothing")):
        assert plain(jobs_in(root, below, EXTENSIONS)) == jobs_in(folder, below, EXTENSIONS)


def test_where_names_are_told_apart_nothing_looks_alike() -> None:
    root = in_memory({"A.jpg": b"", "a.jpg": b"", "B/c.jpg": b"", "b/c.jpg": b""})
    assert [job.lookalikes for job in find_pictures(root, EXTENSIONS, Address("memory", "out"))] == [()] * 4
    assert [bool(job.lookalikes) for job in find_pictures(root, EXTENSIONS, Path("out"))] == [False, True, False, True]


def test_other_content_is_another_version() -> None:
    before, after = (in_memory({"a.jpg": content}) for content in (b"one", b"other"))
    (one,), (other,) = (find_pictures(root, EXTENSIONS, None) for root in (before, after))
    assert one.version != other.version


def test_folders_that_cannot_be_listed_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    root = in_memory({"a.jpg": b"", "secret/b.jpg": b"", "z/c.jpg": b""})
    usual = FsspecStorage.list

    def refuse(self: FsspecStorage, folder: Path = Path()) -> Iterator[list[Entry]]:
        if folder.name == "secret":
            raise PermissionError(13, "access denied")
        return usual(self, folder)

    monkeypatch.setattr(FsspecStorage, "list", refuse)
    listing = find_pictures(root, EXTENSIONS, None)
    assert [job.name for job in listing] == ["a.jpg", "z/c.jpg"]
    assert listing.unreadable == {"secret": "folder cannot be listed: access denied"}
    assert jobs_in(root, Path("secret"), EXTENSIONS) == []


def list_these(monkeypatch: pytest.MonkeyPatch, pages: Iterator[list[Entry]]) -> StoreListing:
    monkeypatch.setattr(FsspecStorage, "list", lambda self, folder=Path(): pages)
    return StoreListing(Address("memory", "bucket"), EXTENSIONS)


def test_keys_that_cannot_be_names_of_files_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Entry(""), Entry("..", True), Entry("."), Entry("a.jpg"), Entry("link.jpg", is_link=True)]
    listing = list_these(monkeypatch, iter([entries]))
    assert [job.name for job in listing] == ["a.jpg"]
    assert len(listing.unreadable) == 4
    assert "rename it" in listing.unreadable["./.."]
    assert listing.unreadable["link.jpg"] == "links in stores are not followed"


@pytest.mark.slow
def test_memory_stays_flat_over_100_000_keys_under_one_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    def pages(number: int) -> Iterator[list[Entry]]:
        return ([Entry(f"{page:04} {i:03}.jpg", False, 9, "0" * 32) for i in range(1000)] for page in range(number))

    assert sum(1 for _ in list_these(monkeypatch, pages(1))) == 1000  # loads what is loaded late
    listing = list_these(monkeypatch, pages(100))
    tracemalloc.start()
    try:
        assert sum(1 for _ in listing) == 100_000
        # A sixth of what the jobs would take. Python's table of shared strings, with those of all tests before, may
        # be copied meanwhile.
        assert tracemalloc.get_traced_memory()[1] < 24_000_000
    finally:
        tracemalloc.stop()
