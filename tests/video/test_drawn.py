"""Tests of anonymizer.video.drawn: what is drawn in one frame is followed both ways."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from video.frames import facts_of, frame_of

from anonymizer.geometry import Box
from anonymizer.video import drawn
from anonymizer.video.drawn import Drawn, follow_drawn
from anonymizer.video.facts import FilmFacts
from anonymizer.video.source import FilmFrame

SIZE = (200, 120)


def textured(seed: int, height: int, width: int, grain: int = 6) -> npt.NDArray[np.uint8]:
    """Random blocks: something that can be followed."""
    small = np.random.default_rng(seed).integers(0, 256, (-(-height // grain), -(-width // grain), 3), np.uint8)
    return small.repeat(grain, axis=0).repeat(grain, axis=1)[:height, :width]


@dataclass
class Film:
    """A thing goes its way in front of a wall; in some frames there is none."""

    frames_number: int = 40
    there: range = range(40)
    cut: int | None = None
    reads: int = 0

    @property
    def facts(self) -> FilmFacts:
        return facts_of(*SIZE)

    def frames(self) -> Iterator[FilmFrame]:
        self.reads += 1
        for index in range(self.frames_number):
            is_new = self.cut is not None and index >= self.cut
            pixels = textured(9 if is_new else 1, SIZE[1], SIZE[0], 30)
            if index in self.there:
                x = 10 + 3 * index
                pixels[40:76, x : x + 36] = textured(2, 36, 36)
            yield FilmFrame(index, index, frame_of(pixels))


def at(index: int) -> Box:
    return Box(10.0 + 3 * index, 40.0, 46.0 + 3 * index, 76.0)


def follow_one(film: Film, frame: int, first: int = 0, end: int = 40) -> dict[int, Box]:
    (course,) = follow_drawn(film, [Drawn(frame, at(frame), first, end)])
    return course


def is_near(course: dict[int, Box]) -> bool:
    return all(box.iou(at(index)) > 0.7 for index, box in course.items())


def test_forwards_and_backwards() -> None:
    film = Film()
    course = follow_one(film, 15)
    assert sorted(course) == list(range(40))
    assert course[15] == at(15)
    assert is_near(course)
    assert film.reads == 1


def test_what_is_gone_is_not_followed() -> None:
    course = follow_one(Film(there=range(10, 30)), 20)
    assert sorted(course) == list(range(10, 30))
    assert is_near(course)


def test_no_further_than_its_span() -> None:
    assert sorted(follow_one(Film(), 15, first=12, end=18)) == list(range(12, 18))


@pytest.mark.parametrize(("frame", "expected"), [(15, range(20)), (25, range(20, 40))])
def test_not_across_a_cut(frame: int, expected: range) -> None:
    assert sorted(follow_one(Film(cut=20), frame)) == list(expected)


def test_the_film_is_read_again_for_what_goes_far_back(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = follow_one(Film(), 35)
    monkeypatch.setattr(drawn, "WINDOW_BYTES", 8 * SIZE[0] * SIZE[1])
    film = Film()
    assert follow_one(film, 35) == whole
    assert sorted(whole) == list(range(40))
    assert film.reads == 5


def test_several_at_once() -> None:
    both = [Drawn(3, at(3), 0, 40), Drawn(30, at(30), 0, 40)]
    for course in follow_drawn(Film(), both):
        assert sorted(course) == list(range(40))
        assert is_near(course)


def test_nothing_drawn() -> None:
    assert follow_drawn(Film(), []) == []
