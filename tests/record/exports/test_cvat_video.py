"""Tests of anonymizer.record.exports.cvat_video: files as CVAT writes and reads them."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from record.exports.test_films import MOVING, film_of, tracked

from anonymizer.record.exports.cvat_video import CVAT_VIDEO, PLACE
from anonymizer.record.exports.films import ReadFilm


def read(text: str, frames: int = 10) -> ReadFilm:
    document = f"<annotations><meta><task><size>{frames}</size></task></meta>{text}</annotations>"
    return CVAT_VIDEO.read({PLACE: document.encode()}, film_of(*([] for _ in range(frames))))


def box(frame: int, x: float, outside: int = 0, inner: str = "") -> str:
    sides = f'xtl="{x}" ytl="10.00" xbr="{x + 20}" ybr="40.00"'
    return f'<box frame="{frame}" keyframe="1" outside="{outside}" occluded="0" {sides} z_order="0">{inner}</box>'


def test_only_key_frames_are_written() -> None:
    root = fromstring(CVAT_VIDEO.write(MOVING)[PLACE])
    assert [root.findtext(f"meta/task/{key}") for key in ("mode", "size", "source")] == [
        "interpolation",
        "21",
        "clips/a.mp4",
    ]
    assert root.findtext("meta/task/original_size/width") == "400"
    moving, still = root.findall("track")
    assert [shape.get("frame") for shape in moving] == ["0", "19", "20"]
    assert [shape.get("outside") for shape in moving] == ["0", "0", "1"]
    assert [shape.get("label") for shape in (moving, still)] == ["face", "plate"]
    assert [each.get("name") for each in moving[0]] == ["score", "track"]


def test_a_gap_is_outside() -> None:
    gap = film_of([tracked(1, 10)], [], [], [tracked(1, 20)], [tracked(1, 20)])
    (track,) = fromstring(CVAT_VIDEO.write(gap)[PLACE]).iterfind("track")
    assert [(shape.get("frame"), shape.get("outside")) for shape in track] == [
        ("0", "0"),
        ("1", "1"),
        ("3", "0"),
        ("4", "0"),
    ]


def test_between_key_frames_boxes_move_evenly() -> None:
    found = read(f'<track id="4" label="face">{box(2, 10)}{box(6, 50)}{box(8, 50, 1)}</track>')
    assert found.problem is None
    assert sorted(found.frames) == [2, 3, 4, 5, 6, 7]
    assert [found.frames[frame][0].corners[0] for frame in range(2, 8)] == [10, 20, 30, 40, 50, 50]
    assert {each.group for boxes in found.frames.values() for each in boxes} == {0}


def test_a_track_without_an_end_goes_on_to_that_of_the_film() -> None:
    assert sorted(read(f'<track id="4" label="face">{box(7, 10)}</track>').frames) == [7, 8, 9]


def test_scores_and_tracks_are_attributes() -> None:
    known = '<attribute name="score">0.25</attribute><attribute name="track">12</attribute>'
    found = read(f'<track id="4" label="face">{box(8, 10, inner=known)}</track>')
    assert [(each.score, each.track) for boxes in found.frames.values() for each in boxes] == [(0.25, 12), (None, 12)]


def test_polygons_are_held_between_key_frames() -> None:
    shape = '<polygon frame="1" outside="0" points="1,1;9,1;5,9"/><polygon frame="3" outside="1" points="1,1;9,1;5,9"/>'
    found = read(f'<track id="0" label="area">{shape}</track>')
    assert sorted(found.frames) == [1, 2]
    assert found.frames[2][0].outline == found.frames[1][0].outline is not None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('<track id="3" label="face"><skeleton frame="0"/></track>', "track 3: a <skeleton> cannot be hidden"),
        (f'<track id="3" label="face">{box(10, 1)}</track>', "track 3, frame 10: the film has 10 frames"),
    ],
)
def test_what_cannot_be_hidden(text: str, problem: str) -> None:
    assert read(text).problem == problem


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'<annotations><image name="a"/></annotations>', "is of pictures"),
        (b"<annotations/>", "has no <task>"),
        (
            b"<annotations><meta><task/></meta><track><box/></track></annotations>",
            "a <box> without the number of its frame",
        ),
    ],
)
def test_files_of_another_kind(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        CVAT_VIDEO.read({PLACE: content}, film_of([]))
