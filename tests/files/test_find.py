import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.errors import SettingsError
from anonymizer.files.find import find_pictures, record_names

EXTENSIONS = ("jpg", "jpeg", "png")


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def names(root, extensions=EXTENSIONS, **options):
    return [job.name for job in find_pictures(root, extensions, **options).jobs]


def test_finds_in_a_stable_order_whatever_the_case(tmp_path):
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
    listing = find_pictures(tmp_path, EXTENSIONS)
    assert [job.name for job in listing.jobs] == [
        ".hidden.jpg", "z.jpg", "Ä ö.jpg", "a/c/x.png", "b/1.JpEg", "b/2.PNG",
    ]  # fmt: skip
    assert listing.not_looked_at == {".txt": 1, "": 1, ".gif": 2}
    assert all(job.source == job.target for job in listing.jobs)


def test_own_extensions(tmp_path):
    touch(tmp_path / "a.jpg")
    touch(tmp_path / "a.webp")
    assert names(tmp_path, ("webp",)) == ["a.webp"]


def test_folders_named_like_pictures_are_entered(tmp_path):
    touch(tmp_path / "album.jpg" / "a.jpg")
    assert names(tmp_path) == ["album.jpg/a.jpg"]


def test_links_are_followed_and_loops_survived(tmp_path):
    touch(tmp_path / "in" / "sub" / "a.jpg")
    elsewhere = touch(tmp_path / "elsewhere" / "b.jpg")
    (tmp_path / "in" / "sub" / "up").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "self").symlink_to("self")
    (tmp_path / "in" / "other").symlink_to(elsewhere.parent)
    (tmp_path / "in" / "broken.jpg").symlink_to("nowhere")
    listing = find_pictures(tmp_path / "in", EXTENSIONS)
    assert [job.name for job in listing.jobs] == ["broken.jpg", "other/b.jpg", "sub/a.jpg"]


def test_a_link_to_the_output_is_not_entered(tmp_path):
    touch(tmp_path / "in" / "a.jpg")
    touch(tmp_path / "out" / "b.jpg")
    (tmp_path / "in" / "results").symlink_to(tmp_path / "out")
    assert names(tmp_path / "in", output=tmp_path / "out") == ["a.jpg"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_folders_that_cannot_be_listed_are_told(tmp_path):
    touch(tmp_path / "closed" / "a.jpg")
    (tmp_path / "closed").chmod(0)
    try:
        listing = find_pictures(tmp_path, EXTENSIONS)
    finally:
        (tmp_path / "closed").chmod(0o700)
    assert listing.unreadable == {"closed": "folder cannot be listed: Permission denied"}


def test_folders_that_fail_to_be_listed_are_told(tmp_path, monkeypatch):
    touch(tmp_path / "closed" / "a.jpg")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert find_pictures(tmp_path, EXTENSIONS).unreadable == {"closed": "folder cannot be listed: Permission denied"}


@pytest.mark.parametrize("make", [lambda path: None, touch])
def test_an_input_that_is_no_folder(tmp_path, make):
    make(tmp_path / "in")
    with pytest.raises(SettingsError, match="input folder"):
        find_pictures(tmp_path / "in", EXTENSIONS)


def test_names_that_are_no_text(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"")
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize(
    ("pictures", "records"),
    [
        (["a.jpg", "b.png"], ["a.json", "b.json"]),
        (["a.jpg", "a.png", "b.jpg"], ["a.jpg.json", "a.png.json", "b.json"]),
        (["A.jpg", "a.png"], ["A.jpg.json", "a.png.json"]),
        (["a.jpg", "a.png", "a.jpg.png"], ["a.jpg.json", "a.png.json", "a.jpg.png.json"]),
        (["a.b.jpg"], ["a.b.json"]),
        ([".jpg"], [".jpg.json"]),
    ],
)
def test_record_names(pictures, records):
    assert record_names(pictures) == records


@given(st.sets(st.from_regex(r"[abA](\.(jpg|png|a)){1,3}", fullmatch=True), max_size=12))
def test_no_two_records_ever_share_a_name(pictures):
    records = record_names(sorted(pictures))
    assert len(set(records)) == len(records)
