"""Tests of anonymizer.video.silhouettes: they are drawn where models saw an object, and go along with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from fakes import face, plate
from video.frames import facts_of, frame_of
from video.test_edited import tracks_of

from anonymizer.geometry import Box
from anonymizer.outlines import PolygonOutline
from anonymizer.types import Detection, Pixels8
from anonymizer.video.facts import FilmFacts
from anonymizer.video.silhouettes import draw_silhouettes
from anonymizer.video.source import FilmFrame
from anonymizer.video.tracks import FilmTracks, Limits, RowList, TrackBuilder

TIMES_S = [index / 5 for index in range(10)]


@dataclass
class Film:
    """Ten gray frames, of which each is brighter than the one before."""

    facts: FilmFacts = field(default_factory=lambda: facts_of(96, 64))
    passes: int = 0

    def frames(self) -> Iterator[FilmFrame]:
        self.passes += 1
        for index in range(10):
            yield FilmFrame(index, index, frame_of(np.full((64, 96, 3), 20 * index, np.uint8)))


def hat_on(box: Box) -> PolygonOutline:
    """A triangle that rises above a box by half its height."""
    peak = (box.center[0], box.y_min - box.height / 2)
    return PolygonOutline(((box.x_min, box.y_max), peak, (box.x_max, box.y_max)))


@dataclass
class Drawer:
    """Draws a hat on each face; what it is shown is taken down."""

    sees: bool = True
    shown: list[tuple[int, Box]] = field(default_factory=list)

    def lacks(self, one: Detection) -> bool:
        return one.kind == "face" and one.silhouette is None

    def drawn(self, one: Detection, shown: Pixels8) -> Detection:
        self.shown.append((round(float(shown.mean()) / 20), one.box))
        return replace(one, silhouette=hat_on(one.box) if self.sees else None)


def seen_every_third() -> FilmTracks:
    """A face that moves by 2 pixels a frame, seen in each third of ten frames, and a plate."""
    builder = TrackBuilder(Limits())
    track, other = builder.begin("face"), builder.begin("plate")
    for frame in range(10):
        if frame % 3 == 0:
            builder.see(track, frame, at(frame), is_sure=True)
        else:
            builder.hide(track, {frame: at(frame).box})
        builder.see(other, frame, plate(60, 40, 80, 50), is_sure=True)
    return builder.finish(TIMES_S)


def at(frame: int) -> Detection:
    return face(5 + 2 * frame, 30, 25 + 2 * frame, 54, 0.9)


def test_silhouettes_go_along_with_the_box() -> None:
    drawer, film = Drawer(), Film()
    tracks = draw_silhouettes(film, seen_every_third(), drawer)
    assert drawer.shown == [(frame, at(frame).box) for frame in (0, 3, 6, 9)]
    for frame in range(10):
        of_face, of_plate = tracks.in_frame(frame)
        assert of_plate.silhouette is None
        assert of_face.silhouette is not None
        assert np.allclose(of_face.silhouette.corners, hat_on(at(frame).box).corners)
    assert len(tracks.silhouettes) == 4
    assert film.passes == 1


def test_nothing_is_read_where_nothing_is_to_be_drawn() -> None:
    film, plates = Film(), tracks_of({frame: plate(5, 5, 20, 10) for frame in range(10)})
    assert draw_silhouettes(film, plates, Drawer()) is plates
    assert not film.passes


def test_what_is_not_seen_stays_without() -> None:
    tracks = seen_every_third()
    assert draw_silhouettes(Film(), tracks, Drawer(sees=False)) is tracks


def test_what_has_a_silhouette_keeps_it() -> None:
    once = draw_silhouettes(Film(), seen_every_third(), Drawer())
    assert draw_silhouettes(Film(), once, Drawer()) is once


def test_squeezed_faces_are_drawn_as_they_look() -> None:
    squeezed = Film(replace(facts_of(96, 64), sample_aspect_ratio=Fraction(2)))
    drawer = Drawer()
    tracks = draw_silhouettes(squeezed, seen_every_third(), drawer)
    assert drawer.shown[0][1] == Box(10, 30, 50, 54)
    drawn = tracks.in_frame(0)[0].silhouette
    assert drawn is not None
    assert np.allclose(drawn.corners, hat_on(at(0).box).corners)


def test_rows_know_the_silhouettes_that_were_recorded() -> None:
    """A replay has one for each frame, just as it was written."""
    once = draw_silhouettes(Film(), seen_every_third(), Drawer())
    rows = RowList()
    for frame in range(10):
        rows.see(7, frame, once.in_frame(frame)[0], is_sure=True)
    again = FilmTracks(10, [], rows.rows(), silhouettes=rows.silhouettes).with_track(7, "face", RowList())
    for frame in range(10):
        assert again.in_frame(frame)[0].silhouette == once.in_frame(frame)[0].silhouette
    more = RowList()
    more.see(8, 3, replace(at(5), silhouette=hat_on(at(5).box)), is_sure=True)
    both = again.with_track(8, "face", more).in_frame(3)
    assert [one.silhouette for one in both] == [once.in_frame(3)[0].silhouette, hat_on(at(5).box)]
