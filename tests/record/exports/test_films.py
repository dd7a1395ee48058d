"""Tests of anonymizer.record.exports.films, and what holds for every format of films."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from fakes import face, plate
from hypothesis import given
from hypothesis import strategies as st
from record.exports.exported import detections

from anonymizer.errors import PictureError
from anonymizer.record.exports.correction import compare_film
from anonymizer.record.exports.films import ExportedFilm, as_read, courses_of
from anonymizer.record.exports.formats import FILM_FORMATS
from anonymizer.types import Detection

SIZE = (400, 300)


def tracked(number: int | None, x: float, score: float = 0.5) -> Detection:
    return replace(face(x, 10, x + 40, 60, score), track=number)


def film_of(*frames: Sequence[Detection]) -> ExportedFilm:
    return ExportedFilm("clips/a.mp4", SIZE, frames)


MOVING = film_of(*([tracked(1, 10 + 3 * frame), plate(200, 100, 260, 120)] for frame in range(20)), [])


@st.composite
def films(draw: st.DrawFn) -> ExportedFilm:
    frames = draw(st.lists(st.lists(detections(), max_size=3), max_size=6))
    kinds: dict[int, str] = {}
    for frame in frames:
        for place, one in enumerate(frame):
            if one.track is not None:
                kind = kinds.setdefault(one.track, one.kind)
                frame[place] = replace(one, kind=kind)
    return film_of(*frames)


def test_objects_one_after_the_other() -> None:
    still = plate(200, 100, 260, 120)
    film = film_of([tracked(2, 5), still], [still, tracked(2, 6), tracked(2, 30)], [], [still])
    courses = courses_of(film)
    assert [(course.track, course.places) for course in courses] == [
        (2, {0: 0, 1: 1}),
        (None, {0: 1, 1: 0}),
        (2, {1: 2}),
        (None, {3: 0}),
    ]
    assert courses[0].spans() == [range(2)]
    assert courses_of(film_of([tracked(1, 5)], [], [tracked(1, 9)]))[0].spans() == [range(1), range(2, 3)]


@pytest.mark.parametrize("name", FILM_FORMATS)
@given(film=films())
def test_what_comes_back_as_it_was_exported_stays_as_it_was(name: str, film: ExportedFilm) -> None:
    film_format = FILM_FORMATS[name]
    correction = compare_film(film_format, film, film_format.read(film_format.write(film), film), {})
    assert not correction.has_changed
    assert [list(frame) for frame in correction.frames] == [list(frame) for frame in film.frames]


@pytest.mark.parametrize("name", FILM_FORMATS)
@given(film=films())
def test_every_box_is_near_where_it_was(name: str, film: ExportedFilm) -> None:
    width, height = SIZE
    for boxes, found in zip(as_read(FILM_FORMATS[name], film), film.frames, strict=True):
        for box, one in zip(boxes, found, strict=True):
            assert box.kind == one.kind
            limit = max(1.01, 0.06 * min(one.box.width, one.box.height))
            if one.outline is None:
                sides = zip(box.corners, one.box.xyxy, (width, height, width, height), strict=True)
                assert all(abs(a - min(max(b, 0), side)) <= limit for a, b, side in sides)


@pytest.mark.parametrize("name", FILM_FORMATS)
def test_a_box_that_was_moved_and_an_object_that_is_new(name: str) -> None:
    film_format = FILM_FORMATS[name]
    corrected = film_of(
        *([tracked(1, 10 + 3 * frame), plate(200, 100, 260, 120), tracked(None, 300)] for frame in range(20)), []
    )
    correction = compare_film(film_format, MOVING, film_format.read(film_format.write(corrected), MOVING), {})
    assert (correction.added, correction.removed) == ({"face": 20}, {})
    new = [one for frame in correction.frames for one in frame if one.box.x_min >= 300]
    (number,) = {one.track for one in new}
    assert number is not None
    assert number > 1
    assert [list(frame)[:2] for frame in correction.frames] == [list(frame) for frame in MOVING.frames]


@pytest.mark.parametrize("name", FILM_FORMATS)
def test_a_track_that_was_deleted(name: str) -> None:
    film_format = FILM_FORMATS[name]
    other = replace(plate(200, 100, 260, 120), track=2)
    both = film_of(*([tracked(1, 10), other] for _ in range(20)), [])
    less = film_of(*([other] for _ in range(20)), [])
    correction = compare_film(film_format, both, film_format.read(film_format.write(less), both), {})
    assert (correction.added, correction.removed) == ({}, {"face": 20})


@pytest.mark.parametrize("name", FILM_FORMATS)
def test_other_names_of_kinds(name: str) -> None:
    film_format = FILM_FORMATS[name]
    files = {place: content.replace(b"face", b"cyclist") for place, content in film_format.write(MOVING).items()}
    read = film_format.read(files, MOVING)
    with pytest.raises(PictureError, match="'cyclist' is not one of"):
        compare_film(film_format, MOVING, read, {})
    assert not compare_film(film_format, MOVING, read, {"cyclist": "face"}).has_changed


@pytest.mark.parametrize("name", FILM_FORMATS)
@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[[[", b"<a", b"null", b"{}", b"<a/>", b"1,2"])
def test_damaged_files(name: str, content: bytes) -> None:
    film_format = FILM_FORMATS[name]
    files = {**film_format.write(MOVING), film_format.place: content}
    with pytest.raises(ValueError, match=r"."):
        film_format.read(files, MOVING)


@pytest.mark.parametrize("name", FILM_FORMATS)
def test_frames_that_the_film_does_not_have(name: str) -> None:
    film_format = FILM_FORMATS[name]
    short = replace(MOVING, frames=MOVING.frames[:5])
    read = film_format.read(film_format.write(MOVING), short)
    assert read.problem is not None
    with pytest.raises(PictureError, match="frames"):
        compare_film(film_format, short, read, {})
