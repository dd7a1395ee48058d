import resource
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from fakes import face
from hypothesis import given, settings
from hypothesis import strategies as st
from video.frames import MATRICES, facts_of, frame_of, random_frame

from anonymizer.errors import PictureError
from anonymizer.geometry import Box
from anonymizer.settings import PRESETS, RedactSettings
from anonymizer.types import Detection, Pixels8
from anonymizer.video.facts import FilmFacts
from anonymizer.video.look import EVERY, USUAL, carried, find_tracks, to_gray
from anonymizer.video.source import FilmFrame
from anonymizer.video.tracks import FilmTracks, Limits

SIZE = (160, 120)
"""Width and height."""
SIDE = 24
FAR = -1000
"""A place outside of the frame."""


@lru_cache(maxsize=8)
def background(seed: int = 0) -> npt.NDArray[np.uint8]:
    """Soft patches on a slope, darker than any face; every other scene slopes the other way. uint8 (120, 160)."""
    values = np.random.default_rng(seed).random((SIZE[1] + 40, SIZE[0] + 40)).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(values, (0, 0), 6))[20:-20, 20:-20]
    slope = np.linspace(0, 90, SIZE[0]) if seed % 2 else np.linspace(90, 0, SIZE[0])
    return np.asarray((soft - soft.min()) / np.ptp(soft) * 60 + slope, np.uint8)


@lru_cache(maxsize=8)
def a_face(seed: int = 0) -> npt.NDArray[np.uint8]:
    """Soft bright patches with a white corner, by which the finder knows it: uint8 (SIDE, SIDE)."""
    values = np.random.default_rng(100 + seed).random((SIDE, SIDE)).astype(np.float32)
    shown = np.asarray(cv2.GaussianBlur(values, (0, 0), 2))
    return np.asarray(150 + 80 * (shown - shown.min()) / np.ptp(shown), np.uint8)


@dataclass
class DrawnFilm:
    """A face at x in each frame, before a background that may change."""

    places: Sequence[int]
    scenes: Sequence[int] = ()
    """Number of the background in each frame; 0 by default."""
    fps: float = 25
    orientation: int = 1

    @property
    def facts(self) -> FilmFacts:
        return facts_of(*SIZE, MATRICES[self.orientation])

    def frames(self) -> Iterator[FilmFrame]:
        for index, x in enumerate(self.places):
            pixels = background(self.scenes[index] if self.scenes else 0).copy()
            if 0 <= x <= SIZE[0] - SIDE:
                pixels[40 : 40 + SIDE, x : x + SIDE] = a_face()
            time = round(index * 25 / self.fps)
            yield FilmFrame(index, time, frame_of(np.repeat(pixels[:, :, np.newaxis], 3, axis=2), "yuv444p"))

    def box(self, index: int) -> Box:
        return Box(self.places[index], 40, self.places[index] + SIDE, 40 + SIDE)


@dataclass
class DrawnFinder:
    """Knows where the faces are, by the brightness of what is shown."""

    scores: Mapping[int, float] = field(default_factory=dict)
    """Of the looks of this number, from 0 on; otherwise 0.9. 0 is nothing."""
    looks: int = 0

    @property
    def thresholds(self) -> Mapping[str, float]:
        return {"face": 0.5}

    def find(self, pixels: Pixels8) -> Sequence[Detection]:
        score = self.scores.get(self.looks, 0.9)
        self.looks += 1
        columns = np.flatnonzero((pixels[44 : 36 + SIDE, :, 1] > 158).mean(axis=0) > 0.4)
        if not score or len(columns) < SIDE // 2:
            return []
        left = round((columns[0] + columns[-1] + 1) / 2 - SIDE / 2)
        return [face(left, 40, left + SIDE, 40 + SIDE, score)]


def covered(tracks: FilmTracks, film: DrawnFilm) -> list[int]:
    """The frames in which nearly all of the face is hidden."""
    frames = []
    for index in range(tracks.frames):
        box, hidden = film.box(index), [one.redaction_box for one in tracks.in_frame(index)]
        if any(_share_in(box, other) > 0.85 for other in hidden):
            frames.append(index)
    return frames


def _share_in(box: Box, other: Box) -> float:
    width = min(box.x_max, other.x_max) - max(box.x_min, other.x_min)
    height = min(box.y_max, other.y_max) - max(box.y_min, other.y_min)
    return max(0.0, width) * max(0.0, height) / box.area


def look_at(film: DrawnFilm, finder: DrawnFinder | None = None, every: int = 1, limits: Limits = USUAL) -> FilmTracks:
    return find_tracks(film, finder or DrawnFinder(), RedactSettings(), limits, every)


MOVING = [20 + 2 * index for index in range(40)]


def test_every_preset_looks() -> None:
    assert set(EVERY) == set(PRESETS)


@pytest.mark.parametrize("every", [1, 3, 5, 8])
def test_a_moving_face_is_hidden_in_all_frames(every: int) -> None:
    film, finder = DrawnFilm(MOVING), DrawnFinder()
    tracks = look_at(film, finder, every)
    assert covered(tracks, film) == list(range(40))
    assert tracks.counts == {"face": 1}
    assert tracks.looks == finder.looks <= 40 // every + 2


def test_films_with_few_frames_a_second_are_looked_at_more_often() -> None:
    assert look_at(DrawnFilm(MOVING, fps=5), every=8).looks == 21  # every other one, and the last


def test_frames_between_are_looked_at_where_flow_loses_a_face() -> None:
    film, finder = DrawnFilm([10] * 8 + [100] * 8), DrawnFinder()
    tracks = look_at(film, finder, every=8)
    assert covered(tracks, film) == list(range(16))
    assert finder.looks > 4


def test_a_face_that_appears_is_followed_back() -> None:
    """The finder sees it only in the tenth frame of it."""
    film = DrawnFilm([FAR] * 5 + [30] * 25)
    finder = DrawnFinder(dict.fromkeys(range(15), 0.0))
    tracks = look_at(film, finder, limits=Limits(gap_s=1, grace_s=0))
    assert covered(tracks, film) == list(range(5, 30))


def test_a_face_that_is_first_seen_weakly_is_followed_back() -> None:
    """Only once it is seen for sure it is worth it; then from there to before its first sighting."""
    film = DrawnFilm(MOVING)
    tracks = look_at(film, DrawnFinder({0: 0, 1: 0, 2: 0.3, 3: 0.3}), every=5)
    assert covered(tracks, film) == list(range(40))
    assert len(tracks.tracks) == 1
    assert all(len(tracks.in_frame(index)) == 1 for index in range(40))


def test_a_face_that_is_lost_is_followed_on() -> None:
    film = DrawnFilm([30] * 20 + [FAR] * 20)
    finder = DrawnFinder(dict.fromkeys(range(10, 40), 0.0))
    tracks = look_at(film, finder, limits=Limits(gap_s=1, grace_s=0))
    assert covered(tracks, film)[:20] == list(range(20))
    assert not any(tracks.in_frame(index) for index in range(21, 40))


def test_nothing_is_followed_for_longer_than_the_limit() -> None:
    film = DrawnFilm([30] * 60)
    finder = DrawnFinder(dict.fromkeys(range(10, 60), 0.0))
    tracks = look_at(film, finder, limits=Limits(gap_s=0.4, grace_s=0))
    assert covered(tracks, film)[-1] in range(19, 22)


def test_gaps_are_filled_and_the_track_goes_on() -> None:
    film = DrawnFilm(MOVING)
    finder = DrawnFinder(dict.fromkeys(range(10, 25), 0.0))
    tracks = look_at(film, finder)
    assert covered(tracks, film) == list(range(40))
    assert len(tracks.tracks) == 1


def test_weak_detections_count_in_a_confirmed_track_alone() -> None:
    film = DrawnFilm([30] * 10)
    weak = look_at(film, DrawnFinder(dict.fromkeys(range(10), 0.3)))
    assert weak.tracks == []
    both = look_at(film, DrawnFinder(dict.fromkeys(range(6), 0.3)))
    assert covered(both, film) == list(range(10))
    assert [round(both.in_frame(index)[0].score, 1) for index in (0, 9)] == [0.3, 0.9]


def test_tracks_end_at_cuts() -> None:
    film = DrawnFilm([30] * 30, scenes=[1] * 14 + [2] * 16)
    tracks = look_at(film, every=5)
    assert tracks.cuts == (14,)
    assert covered(tracks, film) == list(range(30))
    assert [{one.track for one in tracks.in_frame(index)} for index in (13, 14)] == [{1}, {2}]


def test_a_face_before_a_cut_stays_there() -> None:
    film = DrawnFilm([30] * 14 + [FAR] * 16, scenes=[1] * 14 + [2] * 16)
    tracks = look_at(film, every=5)
    assert covered(tracks, film)[:14] == list(range(14))
    assert not any(tracks.in_frame(index) for index in range(14, 30))


def test_the_brightness_of_a_track_is_settled_once() -> None:
    (track,) = look_at(DrawnFilm(MOVING)).tracks
    assert track.levels is not None
    assert track.levels.shape == (1, 1)


def test_a_film_of_one_frame() -> None:
    film = DrawnFilm([30])
    assert covered(look_at(film), film) == [0]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from((0.0, 0.3, 0.9)), min_size=24, max_size=24),
    st.sampled_from((1, 2, 4, 7)),
    st.sets(st.integers(1, 23), max_size=2),
)
def test_every_sure_detection_is_hidden_without_gaps(scores: list[float], every: int, cuts: set[int]) -> None:
    film = DrawnFilm([20 + 3 * index for index in range(24)], [sum(cut <= i for cut in cuts) for i in range(24)])
    seen: list[tuple[int, Detection]] = []

    class Noting(DrawnFinder):
        def find(self, pixels: Pixels8) -> Sequence[Detection]:
            found = super().find(pixels)
            seen.extend((round((one.box.x_min - 20) / 3), one) for one in found)
            return found

    tracks = look_at(film, Noting(dict(enumerate(scores))), every)
    for frame, one in seen:
        if one.score >= 0.5:
            assert any(hidden.box == one.box for hidden in tracks.in_frame(frame))
    for track in tracks.tracks:
        frames = [index for index in range(24) if track.number in [one.track for one in tracks.in_frame(index)]]
        assert frames == list(range(frames[0], frames[-1] + 1))
        assert not any(frames[0] < cut <= frames[-1] for cut in tracks.cuts)
    assert tracks.cuts == tuple(sorted(cuts))


def test_errors_of_finders_end_the_film() -> None:
    class Broken(DrawnFinder):
        def find(self, pixels: Pixels8) -> Sequence[Detection]:
            raise PictureError("model net answered with values that are no numbers")

    with pytest.raises(PictureError, match="no numbers"):
        look_at(DrawnFilm([30] * 3), Broken())


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le", "rgb24", "gray"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_gray_frames_are_upright_and_small(pixel_format: str, orientation: int) -> None:
    gray = to_gray(random_frame(96, 48, pixel_format), orientation, longest_side=32)
    assert gray.shape == ((16, 32) if orientation == 1 else (32, 16))
    assert gray.dtype == np.uint8


def test_the_redaction_box_moves_with_the_box() -> None:
    seen = Detection(Box(10, 10, 20, 20), 0.9, "face", Box(8, 10, 20, 24))
    assert carried(seen, Box(30, 30, 50, 50)) == Box(26, 30, 50, 58)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length() -> None:
    """20,000 frames, which together take 1.1 GB."""

    class Long(DrawnFilm):
        def frames(self) -> Iterator[FilmFrame]:
            pictures = [frame.picture for frame in super().frames()]
            for index in range(20_000):
                picture = pictures[index % len(pictures)]
                yield FilmFrame(index, index, picture.reformat(format="yuv420p", threads=1))

    film = Long([20 + 2 * min(index, 40 - index) for index in range(40)])
    unit = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    tracks = look_at(film, every=5)
    assert tracks.frames == 20_000
    assert len(tracks.tracks) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before < 100_000_000


@pytest.mark.parametrize("first", [9, 10, 11, 12])
def test_a_face_in_sight_between_two_looks_is_noticed(first: int) -> None:
    film, finder = DrawnFilm([FAR] * first + [60] * 3 + [FAR] * (30 - first)), DrawnFinder()
    tracks = look_at(film, finder, every=8)
    assert covered(tracks, film) == [first, first + 1, first + 2]
    assert finder.looks <= 12
