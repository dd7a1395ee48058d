"""Tests of anonymizer.video.schedule."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from video.frames import facts_of

from anonymizer.video.schedule import LOOKS_APART_S, Due, Schedule

FACTS = facts_of(160, 120)
SCENES = [
    np.random.default_rng(seed).integers(0, 256, (6, 8), dtype=np.uint8).repeat(20, 0).repeat(20, 1) for seed in (1, 2)
]


def dues(schedule: Schedule, scenes: Sequence[int], first: int = 0, fps: float = 25) -> list[Due]:
    return [schedule.add(index, index / fps, SCENES[scene]) for index, scene in enumerate(scenes[first:], start=first)]


def looked_at(every: int, scenes: Sequence[int], fps: float = 25, rate: Fraction | None = Fraction(25)) -> list[int]:
    found = dues(Schedule(replace(FACTS, rate=rate), every), scenes, fps=fps)
    return [index for index, due in enumerate(found) if due.is_looked_at]


def test_every_so_many_frames() -> None:
    assert looked_at(8, [0] * 20) == [0, 8, 16]
    assert looked_at(1, [0] * 4) == [0, 1, 2, 3]


def test_at_least_so_often() -> None:
    assert looked_at(8, [0] * 7, fps=5, rate=Fraction(5)) == [0, 2, 4, 6]
    assert looked_at(8, [0] * 7, fps=5, rate=None) == [0, 2, 4, 6]
    assert looked_at(8, [0] * 9, fps=12.5, rate=Fraction(25, 2)) == [0, 5]


def test_each_scene_from_its_first_frame_on() -> None:
    found = dues(Schedule(FACTS, 8), [0] * 5 + [1] * 6)
    assert [index for index, due in enumerate(found) if due.begins_scene] == [5]
    assert [index for index, due in enumerate(found) if due.is_looked_at] == [0, 5, 8]


@given(
    scenes=st.lists(st.integers(0, 1), min_size=1, max_size=40),
    first=st.integers(0, 39),
    every=st.integers(1, 9),
    fps=st.sampled_from([3.0, 12.5, 25.0, 60.0]),
)
def test_a_part_is_looked_at_where_the_whole_is(scenes: list[int], first: int, every: int, fps: float) -> None:
    """From the first frame on whose number says so; but for scenes that begin with the part."""
    facts = replace(FACTS, rate=Fraction(fps))
    whole, part = (dues(Schedule(facts, every), scenes, start, fps) for start in (0, first))
    sure = next((index for index in range(first + 1, len(scenes)) if index % every == 0), len(scenes))
    assert part[sure - first :] == whole[sure:]


@pytest.mark.parametrize("fps", [1, 5, 24, 50])
def test_no_more_time_passes_than_is_said(fps: int) -> None:
    looks = looked_at(8, [0] * 60, fps=fps, rate=Fraction(fps))
    assert np.diff(looks).max() / fps <= LOOKS_APART_S + 1 / fps


def test_where_something_appears_once_between_two_looks() -> None:
    other = SCENES[0].copy()
    other[40:70, 60:100] = 255 - other[40:70, 60:100] // 8
    schedule = Schedule(FACTS, 8)
    shown = [SCENES[0]] * 3 + [other, SCENES[0], other] + [SCENES[0]] * 4
    dues_of = [schedule.add(index, index / 25, gray) for index, gray in enumerate(shown)]
    assert [index for index, due in enumerate(dues_of) if due.is_looked_at] == [0, 3, 8]
