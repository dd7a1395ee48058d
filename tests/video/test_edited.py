"""Tests of anonymizer.video.edited: edits change tracks and zones of films as they say, or do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
import pytest
from fakes import face, plate
from video.frames import facts_of, frame_of

from anonymizer.errors import PictureError
from anonymizer.geometry import Box
from anonymizer.outlines import PolygonOutline
from anonymizer.record.edits import Edit
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection
from anonymizer.video.edited import EditedFilm, edit_film
from anonymizer.video.facts import FilmFacts
from anonymizer.video.source import FilmFrame
from anonymizer.video.tracks import FilmTracks, Limits, RowList, Still, Track, in_order

SIZE = (96, 64)
FRAMES = 10
TIMES_S = [index / 10 for index in range(FRAMES)]
FACE = Box(10, 10, 30, 30)


@dataclass
class Film:
    """The same noise in every frame: what is drawn stays where it is."""

    reads: int = 0

    @property
    def facts(self) -> FilmFacts:
        return facts_of(*SIZE)

    def frames(self) -> Iterator[FilmFrame]:
        self.reads += 1
        small = np.random.default_rng(0).integers(0, 256, (SIZE[1] // 4, SIZE[0] // 4, 3), np.uint8)
        pixels = small.repeat(4, axis=0).repeat(4, axis=1)
        for index in range(FRAMES):
            yield FilmFrame(index, index, frame_of(pixels))


def tracks_of(*courses: Mapping[int, Detection], stills: Sequence[Still] = ()) -> FilmTracks:
    rows = RowList()
    for number, course in enumerate(courses, 1):
        for frame, detection in course.items():
            rows.see(number, frame, detection, is_sure=detection.score > 0)
    tracks = [Track(number, next(iter(course.values())).kind) for number, course in enumerate(courses, 1)]
    return FilmTracks(FRAMES, tracks, in_order(rows.rows()), outlines=rows.outlines, stills=stills)


KNOWN = tracks_of(
    {frame: face(*FACE.xyxy, 0.7 + frame / 100) for frame in range(2, 6)},
    {frame: plate(50, 40, 70, 50) for frame in range(FRAMES)},
)
ZONE = Still(Detection(Box(60, 0, 90, 20), 1.0, "area"), 0, FRAMES)


def edited(tracks: FilmTracks, *edits: Edit, film: Film | None = None, knows: bool = True) -> EditedFilm:
    limits = Limits(gap_s=1, grace_s=0.1)
    numbered = [replace(edit, number=number) for number, edit in enumerate(edits, 1)]
    return edit_film(film or Film(), TIMES_S, tracks, numbered, "edits.yaml", RedactSettings(), limits, knows)


def edit(action: Any, place: Any = None, kind: str | None = "face", **more: Any) -> Edit:
    return Edit(0, "a.mp4", action, place, kind, **more)


def frames_of(tracks: FilmTracks, kind: str = "face") -> list[int]:
    return [index for index in range(FRAMES) if kind in [one.kind for one in tracks.in_frame(index)]]


def test_without_edits_nothing_is_read() -> None:
    film = Film()
    assert edited(KNOWN, film=film) == EditedFilm(KNOWN)
    assert film.reads == 0


def test_a_drawn_box_is_a_new_track() -> None:
    done = edited(KNOWN, edit("add", Box(40, 4, 56, 20), frame=4))
    assert [track.number for track in done.tracks.tracks] == [1, 2, 3]
    assert done.tracks.tracks[2].levels is not None
    drawn = [one for index in range(FRAMES) for one in done.tracks.in_frame(index) if one.track == 3]
    assert [one.score for one in drawn] == [1.0 if index == 4 else 0.0 for index in range(FRAMES)]
    assert all(one.box.iou(Box(40, 4, 56, 20)) > 0.9 for one in drawn)
    assert done.done[0]["track"] == 3


def test_a_drawn_box_joins_the_track_on_which_it_lies() -> None:
    done = edited(KNOWN, edit("add", Box(11, 10, 31, 30), frame=5, span=(0.3, 0.8)))
    assert frames_of(done.tracks) == [2, 3, 4, 5, 6, 7, 8]
    assert len(done.tracks.tracks) == 2
    other = edited(KNOWN, edit("add", Box(11, 10, 31, 30), "area", frame=5))
    assert frames_of(other.tracks, "area") == list(range(FRAMES))


def test_drawn_outlines_follow_too() -> None:
    triangle = PolygonOutline(((40.0, 4.0), (56.0, 4.0), (40.0, 20.0)))
    done = edited(KNOWN, edit("add", triangle, "area", frame=0))
    for index in range(FRAMES):
        (one,) = (one for one in done.tracks.in_frame(index) if one.kind == "area")
        assert isinstance(one.outline, PolygonOutline)
        assert np.allclose(one.outline.corners, triangle.corners, atol=1)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((0.25, 0.5), [2, 3, 4, 5]),
        ((-inf, 0.1), [0, 1]),
        ((0.8, inf), [8, 9]),
        ((0.99, 5), [9]),
        (None, list(range(FRAMES))),
    ],
)
def test_a_zone_is_hidden_in_frames_that_are_shown_in_its_span(span: Any, expected: list[int]) -> None:
    film = Film()
    done = edited(KNOWN, edit("add", Box(1, 1, 9, 9), "area", span=span), film=film)
    assert frames_of(done.tracks, "area") == expected
    assert film.reads == 0


def test_a_track_is_removed_by_number_or_box() -> None:
    by_box = edited(KNOWN, edit("remove", Box(11, 10, 30, 30), frame=3), knows=False)
    by_number = edited(KNOWN, edit("remove", track=1))
    for done in (by_box, by_number):
        assert [track.number for track in done.tracks.tracks] == [2]
        assert frames_of(done.tracks) == []
        assert frames_of(done.tracks, "plate") == list(range(FRAMES))
        assert done.done[0]["track"] == 1
        path = [[2, 10.0, 10.0, 30.0, 30.0], [5, 10.0, 10.0, 30.0, 30.0]]
        assert done.done[0]["found"] == {"box": [10.0, 10.0, 30.0, 30.0], "score": 0.75, "path": path}


def test_a_track_is_removed_for_a_span() -> None:
    done = edited(KNOWN, edit("remove", track=1, span=(0.25, 0.4)))
    assert frames_of(done.tracks) == [2, 5]


def test_a_track_is_relabelled() -> None:
    done = edited(KNOWN, edit("relabel", track=1, label="plate"))
    assert done.tracks.counts == {"plate": 2}
    assert done.tracks.tracks[0].levels is not None


def test_zones_of_the_record_can_be_removed_too() -> None:
    tracks = KNOWN.with_stills([ZONE])
    remove = edit("remove", ZONE.detection.box, "area", frame=3)
    assert frames_of(edited(tracks, remove).tracks, "area") == []
    for_a_while = edited(tracks, replace(remove, span=(0.3, 0.5)))
    assert frames_of(for_a_while.tracks, "area") == [0, 1, 2, 6, 7, 8, 9]
    assert edited(tracks, edit("relabel", ZONE.detection.box, "area", frame=3, label="face")).tracks.counts["face"] == 2


def test_edits_apply_one_after_the_other() -> None:
    drawn = edit("add", Box(40, 4, 56, 20), frame=4)
    done = edited(KNOWN, drawn, edit("remove", track=3), drawn)
    assert [track.number for track in done.tracks.tracks] == [1, 2, 3]
    assert [entry["entry"] for entry in done.done] == [1, 2, 3]


def test_a_place_that_is_kept() -> None:
    done = edited(KNOWN, edit("keep", Box(0, 0, 40, 40), None, span=(0.4, 0.9)))
    assert frames_of(done.tracks) == [2, 3]
    assert [done.kept_in(index) for index in (3, 4)] == [[], [Box(0, 0, 40, 40)]]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (edit("resize", FACE, to=FACE, frame=3), "a track of a film cannot be resized"),
        (edit("relabel", track=1, label="plate", span=(0, 1)), "a track is of one kind"),
        (edit("keep", FACE, None, frame=3), "kept for a span, and not for a frame"),
        (edit("remove", FACE), "say in which 'frame' it is"),
        (edit("remove", FACE, frame=1), "a face to remove is not there"),
        (edit("remove", track=2), "the film has no track 2 of the kind 'face'"),
        (edit("remove", track=1, span=(0.7, 0.9)), "track 1 is not hidden in its span"),
        (edit("add", FACE, frame=10), "frame 10 is beyond the 10 frames"),
        (edit("add", Box(200, 1, 210, 9)), "its place lies outside the 96 x 64 pixels"),
        (edit("add", FACE, span=(-3, -1)), "the film shows no frame in its span"),
        (edit("add", FACE, span=(5, 9)), "the film shows no frame in its span"),
        (edit("add", FACE, frame=9, span=(1, inf)), "the film shows no frame in its span"),
        (edit("add", FACE, frame=3, span=(0.5, 0.9)), "frame 3 does not lie in its span"),
    ],
)
def test_edits_that_do_not_fit(wrong: Edit, reason: str) -> None:
    with pytest.raises(PictureError, match=r"does not fit its edits, edits\.yaml entry 1: ") as caught:
        edited(KNOWN, wrong)
    assert reason in str(caught.value)


def test_numbers_are_those_of_records() -> None:
    with pytest.raises(PictureError, match="the numbers of tracks are those of records"):
        edited(KNOWN, edit("remove", track=1), knows=False)
