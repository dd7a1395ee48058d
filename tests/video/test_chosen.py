"""Tests of anonymizer.video.chosen: tracks stay visible as a whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from fakes import face, plate
from video.frames import facts_of, frame_of
from video.test_edited import tracks_of

from anonymizer.geometry import Box
from anonymizer.recognise.choice import ShownTrack
from anonymizer.recognise.resemblance import Resemblance
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection, Pixels8
from anonymizer.video.chosen import choose_tracks
from anonymizer.video.edited import EditedFilm
from anonymizer.video.facts import FilmFacts
from anonymizer.video.source import FilmFrame
from anonymizer.video.tracks import FilmTracks

TIMES_S = [index / 5 for index in range(10)]


class Film:
    """Ten gray frames, of which each is brighter than the one before."""

    facts: FilmFacts = facts_of(96, 64)

    def frames(self) -> Iterator[FilmFrame]:
        for index in range(10):
            yield FilmFrame(index, index, frame_of(np.full((64, 96, 3), 20 * index, np.uint8)))


@dataclass
class Choice:
    """Shows whoever it is told to, by the left side of the box; each reading is taken down."""

    shown: dict[float, ShownTrack] = field(default_factory=dict)
    readings: list[tuple[int, float]] = field(default_factory=list)

    kind: str = "face"
    by: str = "gallery"

    @property
    def reader(self) -> Choice:
        return self

    def read(self, rgb: Pixels8, box: Box) -> Resemblance:
        self.readings.append((round(float(rgb.mean()) / 20), box.x_min))
        return Resemblance(np.array([box.x_min], np.float32))

    def judge_track(self, looks: Sequence[Resemblance]) -> ShownTrack | None:
        (x,) = {float(look.vector[0]) for look in looks if look.vector is not None}
        return self.shown.get(x)


def at(x: float, size: float = 10) -> Detection:
    return face(x, 10, x + size, 10 + size, 0.9)


def chosen(tracks: FilmTracks, choice: Choice) -> EditedFilm:
    return choose_tracks(Film(), TIMES_S, tracks, choice, RedactSettings())


def test_the_largest_face_in_each_span_of_time_is_looked_at() -> None:
    tracks = tracks_of(
        {frame: at(5, 20 if frame in (1, 4) else 10) for frame in range(6)},
        {frame: plate(50, 40, 70, 50) for frame in range(10)},
    )
    choice = Choice()
    assert chosen(tracks, choice) == EditedFilm(tracks)
    assert choice.readings == [(1, 5), (4, 5), (5, 5)]


def test_squeezed_faces_are_read_as_they_look() -> None:
    squeezed = Film()
    squeezed.facts = replace(squeezed.facts, sample_aspect_ratio=Fraction(2))
    choice = Choice()
    tracks = tracks_of({frame: at(5) for frame in range(6)})
    choose_tracks(squeezed, TIMES_S, tracks, choice, RedactSettings())
    assert {x for _, x in choice.readings} == {10.0}


def test_a_track_that_is_shown_is_hidden_in_no_frame() -> None:
    tracks = tracks_of({frame: at(5) for frame in range(6)}, {frame: at(50) for frame in range(3, 10)})
    film = chosen(tracks, Choice({50: ShownTrack("Ada", 0.7, "resembles Ada")}))
    assert [track.number for track in film.tracks.tracks] == [1]
    assert {one.track for index in range(10) for one in film.tracks.in_frame(index)} == {1}
    (entry,) = film.done
    assert (entry["remove"], entry["reason"], entry["by"]) == ({"track": 2}, "resembles Ada", "gallery")
    assert film.tracks.tracks[0].levels is not None


def test_of_two_tracks_of_a_person_in_one_frame_one_stays_visible() -> None:
    both = {5.0: ShownTrack("Ada", 0.6, ""), 50.0: ShownTrack("Ada", 0.7, "")}
    together = tracks_of({frame: at(5) for frame in range(6)}, {frame: at(50) for frame in range(5, 10)})
    assert [track.number for track in chosen(together, Choice(both)).tracks.tracks] == [1]
    apart = tracks_of({frame: at(5) for frame in range(5)}, {frame: at(50) for frame in range(5, 10)})
    assert chosen(apart, Choice(both)).tracks.tracks == []
    nobody = {x: ShownTrack(None, 0.1, "") for x in both}
    assert chosen(together, Choice(nobody)).tracks.tracks == []


def test_films_without_faces_are_not_looked_at() -> None:
    tracks = tracks_of({frame: plate(50, 40, 70, 50) for frame in range(10)})
    assert chosen(tracks, Choice()) == EditedFilm(tracks)


def test_a_choice_decides_on_its_kind_alone() -> None:
    tracks = tracks_of({frame: at(5) for frame in range(6)}, {frame: plate(50, 40, 70, 50) for frame in range(10)})
    choice = Choice({5: ShownTrack(None, 0.9, "says nothing"), 50: ShownTrack(None, 0.9, "says nothing")}, kind="plate")
    film = chosen(tracks, replace(choice, by="somebody"))
    assert [track.kind for track in film.tracks.tracks] == ["face"]
    (entry,) = film.done
    assert (entry["kind"], entry["by"]) == ("plate", "somebody")
