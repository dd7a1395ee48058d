"""Tests of anonymizer.video.facts."""

from itertools import product

import numpy as np
import pytest

from anonymizer.files.orientation import turn_upright
from anonymizer.video.facts import DisplayMatrix, orientation_of

ONE = 1 << 16
SIGNS = (-1, 1)
TURNS = [(a, 0, 0, d) for a, d in product(SIGNS, SIGNS)] + [(0, b, c, 0) for b, c in product(SIGNS, SIGNS)]


def matrix(a: int, b: int, c: int, d: int) -> DisplayMatrix:
    return (a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)


@pytest.mark.parametrize(("a", "b", "c", "d"), TURNS)
def test_a_display_matrix_turns_frames_as_its_definition_says(a: int, b: int, c: int, d: int) -> None:
    stored = np.arange(6).reshape(2, 3)
    places = {(a * p + c * q, b * p + d * q): stored[q, p] for q in range(2) for p in range(3)}
    columns, rows = sorted({x for x, _ in places}), sorted({y for _, y in places})
    expected = [[places[x, y] for x in columns] for y in rows]
    assert turn_upright(stored, orientation_of(matrix(a, b, c, d))).tolist() == expected


def test_there_are_eight_turns_and_each_has_its_orientation() -> None:
    assert sorted(orientation_of(matrix(*turn)) for turn in TURNS) == list(range(1, 9))


def test_no_matrix_and_one_that_is_no_quarter_turn_leave_frames_as_they_are() -> None:
    assert orientation_of(None) == 1
    assert orientation_of((46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30)) == 1
