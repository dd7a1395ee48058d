"""Accepted findings are told by what the pictures show."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import noise, save

from anonymizer.check.baseline import (
    Content,
    Entry,
    accept,
    content_of,
    content_of_film,
    from_json,
    renew,
    to_entry,
    to_json,
)
from anonymizer.check.finding import Finding
from anonymizer.files.picture import Picture
from anonymizer.files.read import read_picture
from anonymizer.geometry import Box

FACE = Finding("a.png", "face", "not redacted", "finding", Box(10.2, 10, 20, 20.7), 0.3)
POSITION = Finding("a.png", "gps", "GPS data")


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    return read_picture(save(tmp_path / "a.png", noise(40, 40)))


def entry_of(finding: Finding, picture: Picture) -> Entry:
    return to_entry(finding, content_of(picture))


def levels(findings: Sequence[Finding], picture: Picture, entries: Sequence[Entry]) -> list[str]:
    return [finding.level for finding in accept(findings, content_of(picture), entries)]


def changed(tmp_path: Path, picture: Picture, rows: slice) -> Picture:
    pixels = picture.pixels.copy()
    pixels[rows] = ~pixels[rows]
    return read_picture(save(tmp_path / "changed.png", pixels))


def test_the_same_file(picture: Picture) -> None:
    entries = [entry_of(FACE, picture), entry_of(POSITION, picture)]
    other = Finding("b.png", "gps", "GPS data")
    assert levels([FACE, POSITION, other], picture, entries) == ["accepted"] * 3  # the name is no matter
    assert levels([FACE, POSITION], picture, []) == ["finding"] * 2


def test_another_finding_in_the_same_file(picture: Picture) -> None:
    entries = [entry_of(FACE, picture)]
    elsewhere = Finding("a.png", "face", "not redacted", "finding", Box(25, 25, 35, 35), 0.3)
    of_another_kind = Finding("a.png", "plate", "not redacted", "finding", FACE.box, 0.3)
    assert levels([elsewhere, of_another_kind, POSITION], picture, entries) == ["finding"] * 3


def test_a_picture_that_changed_elsewhere(tmp_path: Path, picture: Picture) -> None:
    entries = [entry_of(FACE, picture), entry_of(POSITION, picture)]
    later = changed(tmp_path, picture, slice(30, 40))
    moved = Finding("a.png", "face", "not redacted", "finding", Box(10, 11, 21, 20), 0.4)
    renamed = Finding("b.png", "face", "not redacted", "finding", FACE.box, 0.3)
    assert levels([moved, renamed, POSITION], later, entries) == ["accepted", "finding", "finding"]


@pytest.mark.parametrize(
    ("then", "now", "level"),
    [
        ("a.png", "sub/a.png", "accepted"),
        ("sub/a.png", "a.png", "accepted"),
        ("sub/a.png", "/home/me/sub/a.png", "accepted"),
        ("a.png", "aa.png", "finding"),
        ("one/a.png", "two/a.png", "finding"),
    ],
)
def test_a_file_that_is_named_from_another_folder_on(
    tmp_path: Path, picture: Picture, then: str, now: str, level: str
) -> None:
    later = changed(tmp_path, picture, slice(30, 40))
    entry = entry_of(replace(FACE, file=then), picture)
    assert levels([replace(FACE, file=now)], later, [entry]) == [level]
    assert levels([replace(FACE, file=now)], picture, [entry]) == ["accepted"]


def test_a_picture_that_changed_there(tmp_path: Path, picture: Picture) -> None:
    assert levels([FACE], changed(tmp_path, picture, slice(15, 16)), [entry_of(FACE, picture)]) == ["finding"]


def test_failures_cannot_be_accepted(picture: Picture) -> None:
    failure = Finding("a.png", "uncovered", "face of the original is not hidden", "finding", FACE.box, 0.9)
    assert levels([failure], picture, [entry_of(failure, picture)]) == ["finding"]


def test_films_are_known_by_the_file_and_the_span_of_frames(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"film")
    content = content_of_film(tmp_path / "a.mp4")
    film = replace(FACE, file="a.mp4", frame=12, time_s=0.48, frames=(10, 20))
    entry = from_json(to_json([to_entry(film, content)]))[0]
    assert (entry.frames, entry.region) == ((10, 20), None)
    shorter, longer = replace(film, frame=11, frames=(10, 12)), replace(film, frames=(10, 21))
    found = accept([film, shorter, longer, replace(FACE, file="a.mp4")], content, [entry])
    assert [one.level for one in found] == ["accepted", "accepted", "finding", "finding"]
    assert accept([film], Content("another file"), [entry]) == [film]


def test_regions_of_another_shape_are_others(tmp_path: Path) -> None:
    flat = read_picture(save(tmp_path / "a.png", np.zeros((40, 40, 3), np.uint8)))
    entry = entry_of(FACE, flat)
    wide = Finding("a.png", "face", "", "finding", Box(10, 10, 25, 18), 0.3)
    assert entry_of(wide, flat).region != entry.region


def test_as_json(picture: Picture) -> None:
    entries = [entry_of(FACE, picture), entry_of(POSITION, picture)]
    assert from_json(to_json(entries)) == entries


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"version": 2, "accepted": []}',
        b'{"version": 1, "accepted": [{}]}',
        b'{"version": 1, "accepted": [{"file": "a", "kind": "face", "picture": "0", "box": [1, 2], "region": null}]}',
        b"\xff",
    ],
)
def test_damaged(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        from_json(content)


def test_renewed_for_the_files_that_were_checked() -> None:
    old = [Entry("a.png", "gps", "0"), Entry("b.png", "gps", "1")]
    new = [Entry("b.png", "face", "2", (1, 2, 3, 4), "3")]
    assert renew(old, new, {"b.png", "c.png"}) == [old[0], new[0]]
    assert json.loads(to_json(renew(old, new, {"b.png"})))["version"] == 1
