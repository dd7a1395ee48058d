"""What people say about a place in doubt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.check.people import Person, log_odds_of, people_in
from anonymizer.geometry import Box
from anonymizer.types import Detection

STANDING = Box(100, 50, 180, 290)
FACE = Box(125, 60, 155, 95)
HAND = Box(100, 180, 130, 210)
NOTHING_HIDDEN = np.zeros((300, 300), bool)


def somebody(score: float = 0.8, is_hidden: bool = False, box: Box = STANDING) -> Person:
    return Person(box, score, is_hidden)


def test_a_face_of_somebody_whose_face_was_not_hidden_is_likelier() -> None:
    assert log_odds_of(FACE, []) == 0
    assert log_odds_of(FACE, [somebody()]) > log_odds_of(FACE, [somebody(0.4)]) > 0


def test_somebody_whose_face_was_hidden_has_no_second_one() -> None:
    assert log_odds_of(FACE, [somebody(is_hidden=True)]) == 0
    assert log_odds_of(HAND, [somebody(is_hidden=True)]) < 0


def test_hands_are_no_faces() -> None:
    assert log_odds_of(HAND, [somebody()]) < log_odds_of(HAND, [somebody(0.4)]) < 0


@pytest.mark.parametrize("place", [Box(138, 70, 142, 76), Box(40, 20, 240, 140)])
def test_what_is_far_too_small_or_too_large_for_the_person_is_no_face(place: Box) -> None:
    assert log_odds_of(place, [somebody()]) < 0


def test_the_likeliest_person_counts_and_others_say_nothing() -> None:
    elsewhere = Box(200, 50, 280, 290)
    alone = log_odds_of(FACE, [somebody(0.6)])
    assert log_odds_of(FACE, [somebody(0.6), somebody(0.3), somebody(0.9, box=elsewhere)]) == alone
    assert log_odds_of(FACE, [somebody(box=elsewhere)]) == 0


def test_a_head_may_rise_a_little_above_its_person() -> None:
    assert log_odds_of(Box(120, 30, 160, 62), [somebody()]) > 0


def test_of_somebody_without_legs_the_face_is_a_larger_part() -> None:
    portrait = Box(100, 50, 220, 210)
    assert log_odds_of(Box(130, 70, 190, 150), [somebody(box=portrait)]) > 0


def test_whose_upper_part_is_redacted() -> None:
    hidden, feet = NOTHING_HIDDEN.copy(), NOTHING_HIDDEN.copy()
    hidden[60:95, 125:155] = True
    feet[250:290, 100:180] = True
    found = [Detection(STANDING, 0.7, "person")]
    assert [one.is_hidden for one in people_in(found, hidden)] == [True]
    assert [one.is_hidden for one in people_in(found, feet)] == [False]


def test_people_that_several_views_show_count_once() -> None:
    found = [Detection(STANDING, 0.7, "person"), Detection(Box(102, 50, 180, 288), 0.6, "person")]
    (one,) = people_in(found, NOTHING_HIDDEN)
    assert (one.score, one.box.y_min) == (0.7, 50)


def test_people_beyond_the_picture() -> None:
    found = [Detection(Box(-50, -40, 60, 200), 0.7, "person")]
    assert [one.is_hidden for one in people_in(found, ~NOTHING_HIDDEN)] == [True]


@given(st.floats(0, 1), st.floats(0, 1))
def test_surer_people_say_more(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert 0 <= log_odds_of(FACE, [somebody(low)]) <= log_odds_of(FACE, [somebody(high)])
    assert 0 >= log_odds_of(HAND, [somebody(low)]) >= log_odds_of(HAND, [somebody(high)])
