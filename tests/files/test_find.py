import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from anonymizer.errors import SettingsError
from anonymizer.files.find import (
    Listing,
    find_pictures,
    jobs_in,
    listing_order,
)
from anonymizer.types import Job

EXTENSIONS = ("jpg", "jpeg", "png")


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def find(root: Path, extensions: Sequence[str] = EXTENSIONS) -> Listing:
    return find_pictures(root, extensions, root.parent / "no such output")


def names(root: Path, extensions: Sequence[str] = EXTENSIONS) -> list[str]:
    return [job.name for job in find(root, extensions)]


def listed(root: Path) -> tuple[Listing, list[Job]]:
    """The listing after all of it was iterated over, and the jobs in it."""
    listing = find(root)
    return listing, list(listing)


def test_finds_in_a_stable_order_whatever_the_case(tmp_path: Path) -> None:
    for name in [
        "z.jpg",
        "b/2.PNG",
        "b/1.JpEg",
        "a/c/x.png",
        "Ä ö.jpg",
        ".hidden.jpg",
        "notes.txt",
        "README",
        "b/x.gif",
        "b/y.GIF",
    ]:
        touch(tmp_path / name)
    listing, jobs = listed(tmp_path)
    assert [job.name for job in jobs] == [
        ".hidden.jpg", "z.jpg", "Ä ö.jpg", "a/c/x.png", "b/1.JpEg", "b/2.PNG",
    ]  # fmt: skip
    assert listing.not_looked_at == {".txt": 1, "": 1, ".gif": 2}
    assert all(job.source == job.target for job in jobs)
    assert sorted((job.name for job in reversed(jobs)), key=listing_order) == [job.name for job in jobs]


def test_a_folder_is_listed_only_when_the_one_before_is_done_with(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg")
    touch(tmp_path / "sub" / "b.jpg")
    jobs = iter(find(tmp_path))
    assert next(jobs).name == "a.jpg"
    touch(tmp_path / "sub" / "c.jpg")
    assert [job.name for job in jobs] == ["sub/b.jpg", "sub/c.jpg"]


def test_the_jobs_of_one_folder(tmp_path: Path) -> None:
    for name in ("a.jpg", "sub/b.jpg", "sub/b.png", "sub/below/c.jpg", "sub/notes.txt"):
        touch(tmp_path / name)
    assert jobs_in(tmp_path, Path("sub"), EXTENSIONS) == list(find(tmp_path))[1:3]
    assert jobs_in(tmp_path, Path("nowhere"), EXTENSIONS) == []


def test_own_extensions(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg")
    touch(tmp_path / "a.webp")
    assert names(tmp_path, ("webp",)) == ["a.webp"]


def test_folders_named_like_pictures_are_entered(tmp_path: Path) -> None:
    touch(tmp_path / "album.jpg" / "a.jpg")
    assert names(tmp_path) == ["album.jpg/a.jpg"]


def test_links_are_followed_and_loops_survived(tmp_path: Path) -> None:
    touch(tmp_path / "in" / "sub" / "a.jpg")
    elsewhere = touch(tmp_path / "elsewhere" / "b.jpg")
    (tmp_path / "in" / "sub" / "up").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "self").symlink_to("self")
    (tmp_path / "in" / "other").symlink_to(elsewhere.parent)
    (tmp_path / "in" / "broken.jpg").symlink_to("nowhere")
    listing, jobs = listed(tmp_path / "in")
    assert [job.name for job in jobs] == ["broken.jpg", "sub/a.jpg", "other/b.jpg"]
    assert listing.repeated == {"sub/up": "."}


def test_folders_that_link_to_each_other_are_entered_once(tmp_path: Path) -> None:
    for index in range(12):
        touch(tmp_path / str(index) / "a.jpg")
        for other in range(12):
            (tmp_path / str(index) / f"to {other}").symlink_to(tmp_path / str(other))
    listing, jobs = listed(tmp_path)
    assert len(jobs) == 12
    assert len(listing.repeated) == 144


@pytest.mark.slow
def test_very_deep_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(600):
        Path("d").mkdir()
        os.chdir("d")
    os.chdir(tmp_path)
    assert names(Path()) == []


@pytest.mark.parametrize("link", ["to the output", "to a folder in it", "to a picture in it", "by a detour"])
def test_links_that_lead_into_the_output_are_not_followed(tmp_path: Path, link: str) -> None:
    touch(tmp_path / "in" / "a.jpg")
    inside = touch(tmp_path / "out" / "sub" / "b.jpg")
    targets = {"to the output": tmp_path / "out", "to a folder in it": inside.parent, "to a picture in it": inside}
    if link == "by a detour":
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "c.jpg").symlink_to(inside)
    (tmp_path / "in" / "b.jpg").symlink_to(targets.get(link, tmp_path / "elsewhere"))
    listing = find_pictures(tmp_path / "in", EXTENSIONS, tmp_path / "out")
    assert [job.name for job in listing] == ["a.jpg"]
    assert list(listing.unreadable.values()) == ["leads into the output folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_folders_that_cannot_be_listed_are_told(tmp_path: Path) -> None:
    touch(tmp_path / "closed" / "a.jpg")
    (tmp_path / "closed").chmod(0)
    try:
        listing, _ = listed(tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o700)
    assert listing.unreadable == {"closed": "folder cannot be listed: Permission denied"}


@pytest.mark.parametrize(("module", "function"), [(os, "scandir"), (Path, "stat")])
def test_folders_that_fail_to_be_listed_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, function: str
) -> None:
    touch(tmp_path / "closed" / "a.jpg")
    original = getattr(module, function)

    def refuse(path: Path, **options: Any) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return original(path, **options)

    monkeypatch.setattr(module, function, refuse)
    assert listed(tmp_path)[0].unreadable == {"closed": "folder cannot be listed: Permission denied"}


@pytest.mark.parametrize("make", [lambda path: None, touch])
def test_an_input_that_is_no_folder(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "in")
    with pytest.raises(SettingsError, match="input folder"):
        find(tmp_path / "in")


def test_names_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"")
    assert len(names(tmp_path)) == 1


def test_names_that_an_earlier_run_may_have_used(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.jpg.png", "b.jpg", "c.jpg", "c.png"):
        touch(tmp_path / name)
    stale = {job.name: [path.name for path in job.old_detections] for job in find(tmp_path)}
    assert stale == {
        "a.jpg": ["a.jpg.json"],
        "a.jpg.png": ["a.jpg.json"],
        "b.jpg": ["b.jpg.json"],
        "c.jpg": ["c.json"],
        "c.png": ["c.json"],
    }


def lookalikes(root: Path) -> dict[str, list[str]]:
    return {job.name: [path.as_posix() for path in job.lookalikes] for job in find(root) if job.lookalikes}


def test_names_that_some_file_system_may_not_tell_apart_are_noted_in_the_order_of_the_listing(tmp_path: Path) -> None:
    names = ("A.jpg", "a.JPG", "a.jpg", "b.jpg", "caf\u00e9.jpg", "cafe\u0301.jpg", "stra\u00dfe.jpg", "STRASSE.JPG")
    for name in (*names, "Sub/a.jpg", "Sub/c.jpg", "sub/A.jpg", "sub/d.jpg", "sub/deep/a.jpg"):
        touch(tmp_path / name)
    assert lookalikes(tmp_path) == {
        "a.JPG": ["A.jpg"],
        "a.jpg": ["A.jpg", "a.JPG"],
        "caf\u00e9.jpg": ["cafe\u0301.jpg"],
        "stra\u00dfe.jpg": ["STRASSE.JPG"],
        "sub/A.jpg": ["Sub/a.jpg"],
    }


def test_what_macos_keeps_beside_a_file_is_not_a_picture(tmp_path: Path) -> None:
    for name in ("a.jpg", "sub/a.jpg"):
        touch(tmp_path / name)
    (tmp_path / "._a.jpg").write_bytes(b"\x00\x05\x16\x07" + bytes(100))
    (tmp_path / "._a").write_bytes(b"\x00\x05\x16\x07" + bytes(100))
    (tmp_path / "._b.jpg").write_bytes(b"\xff\xd8\xff")  # a picture with a strange name
    touch(tmp_path / ".DS_Store")
    listing, jobs = listed(tmp_path)
    assert [job.name for job in jobs] == ["._b.jpg", "a.jpg", "sub/a.jpg"]
    assert [job.detections_path.name for job in jobs] == ["._b.json", "a.json", "a.json"]
    assert listing.not_looked_at == {"AppleDouble": 2, "": 1}


def test_files_named_ts_that_are_text_are_no_films(tmp_path: Path) -> None:
    (tmp_path / "code.ts").write_text("export const grüße = 'G';\n")
    (tmp_path / "words.ts").write_text('<?xml version="1.0"?>\n<TS/>\n')
    (tmp_path / "film.ts").write_bytes((b"G\x40\x11\x10" + bytes(184)) * 5)
    (tmp_path / "empty.ts").touch()
    listing = find_pictures(tmp_path, ["ts"], None)
    assert [job.name for job in listing] == ["empty.ts", "film.ts"]
    assert listing.not_looked_at == {".ts": 2}
