"""Tests of anonymizer.video.parts: looks ahead find what is looked for later."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from video.film_samples import SquareDetector, load_square, write_film
from video.frames import facts_of, frame_of

from anonymizer.detect.frames import ModelFinder
from anonymizer.settings import DetectSettings, RedactSettings
from anonymizer.types import Detection, Pixels
from anonymizer.video.finder import FrameFinder, frame_finder
from anonymizer.video.look import USUAL, find_tracks
from anonymizer.video.parts import PART_FRAMES, FilmPart, _borders, look_ahead, parts_of
from anonymizer.video.source import Film, FilmFrame, open_film, to_rgb

FRAMES = 300
SIZE = (96, 64)


class CountingDetector(SquareDetector):
    """Counts how often it is asked."""

    looks = 0

    def detect(self, picture: Pixels) -> list[Detection]:
        self.looks += 1
        return super().detect(picture)


def finder_of(detector: CountingDetector, known: dict[bytes, bytes] | None = None) -> FrameFinder:
    return frame_finder(ModelFinder([detector], DetectSettings()), known=known)


def known_of(film: Film, every: int) -> dict[bytes, bytes]:
    finder = frame_finder(load_square(DetectSettings()))
    return {key: found for part in parts_of(film) for key, found in look_ahead(part, finder, every).items()}


FILMS = {
    "closed.mp4": ("libx264", {"g": "30", "bf": "2"}),
    "open.mp4": ("libx264", {"g": "30", "bf": "2", "x264-params": "open-gop=1"}),
    "one_key.mkv": ("libx264", {"g": "600", "bf": "2"}),
    "a.ts": ("libx264", {"g": "30"}),
    "a.webm": ("libvpx-vp9", {"g": "40", "deadline": "realtime", "cpu-used": "8"}),
    "a.mov": ("mpeg4", {"g": "20"}),
}


@pytest.mark.parametrize("name", FILMS)
def test_the_whole_asks_no_model_about_what_was_looked_at_ahead(tmp_path: Path, name: str) -> None:
    codec, options = FILMS[name]
    film = open_film(write_film(tmp_path / name, codec, FRAMES, size=SIZE, options=options))
    alone, detector = CountingDetector(), CountingDetector()
    expected = find_tracks(film, finder_of(alone), RedactSettings(), USUAL, 8)
    tracks = find_tracks(film, finder_of(detector, known_of(film, 8)), RedactSettings(), USUAL, 8)
    assert np.array_equal(tracks.rows, expected.rows)
    assert (tracks.tracks, tracks.looks) == (expected.tracks, expected.looks)
    # All but a few of those that are not looked at because flow is in doubt.
    assert alone.looks - detector.looks >= 0.9 * FRAMES / 8


@pytest.mark.parametrize("name", FILMS)
def test_each_part_has_all_of_its_frames(tmp_path: Path, name: str) -> None:
    codec, options = FILMS[name]
    film = open_film(write_film(tmp_path / name, codec, FRAMES, size=SIZE, options=options))
    for part in parts_of(film):
        assert [frame.time for frame in film.frames_at(part.first, part.times)] == list(part.times)


@dataclass
class TwoScenes:
    """A film of gray patches, without a file."""

    facts = facts_of(*SIZE)

    def frames_at(self, first: int, times: Sequence[int]) -> Iterator[FilmFrame]:
        for index in range(first, first + len(times)):
            patches = np.random.default_rng(index < 12).integers(0, 256, (8, 12, 1), dtype=np.uint8)
            pixels = np.repeat(patches.repeat(8, 0).repeat(8, 1), 3, axis=2)
            pixels[:2, :2] = index  # tells the frames apart
            yield FilmFrame(index, times[index - first], frame_of(pixels, "yuv444p"))


def test_at_cuts_both_sides_are_looked_at(tmp_path: Path) -> None:
    film: Any = TwoScenes()
    detector = CountingDetector()
    found = look_ahead(FilmPart(film, 6, range(6, 21), is_last=True), finder_of(detector), 8)
    frames = {frame.index: frame for frame in film.frames_at(0, range(21))}
    wanted = [finder_of(detector).note(to_rgb(frames[index].picture))[0] for index in (8, 11, 12, 16, 20)]
    assert list(found) == wanted


def test_parts_hold_every_frame_once_and_begin_at_key_frames(tmp_path: Path) -> None:
    film = open_film(write_film(tmp_path / "a.mp4", frames=FRAMES, size=SIZE, options={"g": "25", "bf": "2"}))
    parts = parts_of(film)
    assert [time for part in parts for time in part.times] == [frame.time for frame in film.frames()]
    assert [part.first for part in parts] == [0, 100, 200]
    assert [part.is_last for part in parts] == [False, False, True]
    for part in parts:
        frames = list(film.frames_at(part.first, part.times))
        assert [frame.index for frame in frames] == list(range(part.first, part.first + len(part.times)))
        assert [frame.time for frame in frames] == list(part.times)


def test_short_films_and_those_without_times_are_one_part_or_none(tmp_path: Path) -> None:
    assert len(parts_of(open_film(write_film(tmp_path / "a.mp4", frames=20)))) == 1
    assert not parts_of(open_film(write_film(tmp_path / "a.avi", "mpeg4", frames=FRAMES, time_base=Fraction(1, 25))))


@given(frames=st.integers(0, 2000), keys=st.sets(st.integers(1, 1999)))
def test_borders(frames: int, keys: set[int]) -> None:
    ordered: Sequence[int] = sorted(key for key in keys if key < frames)
    borders = [0, *_borders(frames, ordered), frames]
    lengths = np.diff(borders)
    if frames:
        assert lengths.max() <= 1.5 * PART_FRAMES
        assert len(lengths) == 1 or lengths.min() >= PART_FRAMES // 2
