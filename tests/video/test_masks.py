"""Tests of anonymizer.video.masks: masks of films have their frames and times, and say what is hidden."""

from array import array
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fakes import face
from hypothesis import given
from hypothesis import strategies as st
from video.frames import MATRICES, facts_of

from anonymizer.errors import PictureError
from anonymizer.files.picture import Frame
from anonymizer.redact.frame import mask_frame
from anonymizer.settings import RedactSettings
from anonymizer.types import FrameDetections
from anonymizer.video import masks
from anonymizer.video.masks import write_mask
from anonymizer.video.source import open_film
from anonymizer.video.tracks import FilmTracks, RowList, Track

SIZE = (96, 64)
FACE = replace(face(10, 10, 40, 40), track=1)


def tracks_of(frames: int) -> FilmTracks:
    """A face in every second frame."""
    rows = RowList()
    for frame in range(0, frames, 2):
        rows.see(1, frame, FACE, is_sure=True)
    return FilmTracks(frames, [Track(1, "face")], rows.rows())


@pytest.mark.parametrize("orientation", [1, 6])
def test_each_frame_says_what_is_hidden(tmp_path: Path, orientation: int) -> None:
    facts, done = facts_of(*SIZE, MATRICES[orientation]), list[int]()
    settings = RedactSettings()
    write_mask(tmp_path / "m.mov", tracks_of(3), facts, array("q", [0, 1, 5]), settings, done.append)
    width, height = facts.upright_size
    blank = Frame(np.zeros((height, width, 1), np.uint8))
    shown = mask_frame(blank, FrameDetections([FACE]), settings)
    assert shown.max() == 255
    frames = list(open_film(tmp_path / "m.mov").frames())
    assert [frame.picture.format.name for frame in frames] == ["gray"] * 3
    assert np.array_equal(frames[0].picture.to_ndarray(), shown)
    assert not frames[1].picture.to_ndarray().any()
    assert np.array_equal(frames[2].picture.to_ndarray(), shown)
    assert done == [1, 2, 3]


@given(
    st.sampled_from(
        [Fraction(1, 12800), Fraction(1, 90000), Fraction(1001, 30000), Fraction(1, 1000), Fraction(1, 25)]
    ),
    st.lists(st.integers(1, 10**5), max_size=5),
    st.integers(0, 10**8),
)
def test_times_are_exact(
    tmp_path_factory: pytest.TempPathFactory, time_base: Fraction, steps: list[int], start: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "times.mov"
    times = array("q", [start + sum(steps[:number]) for number in range(len(steps) + 1)])
    write_mask(path, tracks_of(len(times)), replace(facts_of(16, 16), time_base=time_base), times, RedactSettings())
    film = open_film(path)
    assert [frame.time * film.facts.time_base for frame in film.frames()] == [time * time_base for time in times]


def test_a_film_that_begins_before_0_has_a_mask_that_begins_there(tmp_path: Path) -> None:
    write_mask(tmp_path / "m.mov", tracks_of(3), facts_of(*SIZE), array("q", [-2, 0, 3]), RedactSettings())
    film = open_film(tmp_path / "m.mov")
    assert [frame.time * film.facts.time_base for frame in film.frames()] == [0, Fraction(2, 25), Fraction(1, 5)]


def test_times_that_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "_times_of", lambda place: [])
    with pytest.raises(PictureError, match="has times that its mask cannot keep"):
        write_mask(tmp_path / "m.mov", tracks_of(1), facts_of(*SIZE), array("q", [0]), RedactSettings())
