"""Squares around the surest objects, each in all four ways that a picture can be turned."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.detect.description import TurnedLook
from anonymizer.detect.turns import TurnedLooks
from anonymizer.detect.views import Crop
from anonymizer.geometry import Box
from anonymizer.types import Detection, Pixels8

LOOK = TurnedLook(size=20, side=64, min_size=20)


def drawn(*corners: tuple[int, int], height: int = 120, width: int = 160) -> Pixels8:
    """A picture with bright squares of 20 pixels, whose upper quarter is brighter, at these x, y."""
    picture = np.zeros((height, width, 3), np.uint8)
    for x, y in corners:
        picture[y : y + 20, x : x + 20] = 150
        picture[y : y + 5, x : x + 20] = 255
    return picture


def find(crop: Crop) -> Sequence[Detection]:
    """What is bright in a crop; surely a face if it is brighter above."""
    bright = crop.pixels[:, :, 0]
    rows, columns = np.nonzero(bright > 75)
    if not len(rows):
        return []
    box = np.array([[rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]], float)
    is_upright = rows[bright[rows, columns] > 210].mean() < rows.mean() - 2
    ((y_min, x_min, y_max, x_max),) = crop.to_picture(box)
    return [Detection(Box(x_min, y_min, x_max, y_max), 0.8 if is_upright else 0.1, "face")]


def turned_box(x: int, y: int, turns: int, height: int = 120, width: int = 160) -> Box:
    """Where a square of 20 pixels lies when its picture is turned by quarters, anticlockwise."""
    mark = np.zeros((height, width), bool)
    mark[y : y + 20, x : x + 20] = True
    rows, columns = np.nonzero(np.rot90(mark, turns))
    return Box(float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))


def never(crop: Crop) -> Sequence[Detection]:
    return pytest.fail("looked")


PLACES = st.tuples(st.integers(30, 110), st.integers(30, 70))


@given(PLACES, st.integers(0, 3))
def test_a_turned_picture_is_noticed(place: tuple[int, int], turns: int) -> None:
    picture = np.rot90(drawn(place), turns)
    objects = [Detection(turned_box(*place, turns), 0.1, "face")]
    assert TurnedLooks(picture, objects, LOOK, find).turn_of_picture() == (4 - turns) % 4


@given(PLACES, st.integers(1, 3))
def test_a_turned_object_is_found_where_it_is(place: tuple[int, int], turns: int) -> None:
    box = turned_box(*place, turns)
    (found,) = TurnedLooks(np.rot90(drawn(place), turns), [Detection(box, 0.1, "face")], LOOK, find).turned_objects()
    assert found.score == pytest.approx(0.8**3)
    assert found.box.xyxy == pytest.approx(box.xyxy, abs=1.5)
    assert found.redaction_box.iou(box) > 0.8


def test_most_of_the_surest_objects_decide() -> None:
    picture = drawn((10, 10), (70, 10), (130, 10), (10, 90))
    picture[90:110, 10:30] = picture[90:110, 10:30][::-1]
    upright = [Detection(Box(x, 10, x + 20, 30), 0.15, "face") for x in (10, 70, 130)]
    lying = Detection(Box(10, 90, 30, 110), 0.1, "face")
    assert TurnedLooks(picture, [lying, *upright], LOOK, find).turn_of_picture() == 0
    assert TurnedLooks(picture, [lying], LOOK, find).turn_of_picture() == 2
    one = TurnedLook(size=20, side=64, deciding_objects=1)
    assert TurnedLooks(picture, [lying, *upright], one, find).turn_of_picture() == 0
    (found,) = [one for one in TurnedLooks(picture, [lying, *upright], LOOK, find).turned_objects() if one.score > 0.4]
    assert found.box.iou(lying.box) > 0.8


def test_turns_that_cannot_have_enough_evidence_are_given_up() -> None:
    seen = []

    def count(crop: Crop) -> Sequence[Detection]:
        seen.append(crop.spec.quarter_turns)
        return find(crop)

    objects = [Detection(Box(x, 50, x + 20, 70), 0.9, "face") for x in (20, 80)]
    assert TurnedLooks(drawn((20, 50), (80, 50)), objects, LOOK, count).turn_of_picture() == 0
    assert seen == [0, 0, 1, 2, 3]


@pytest.mark.parametrize("changes", [{"min_ratio": 100.0}, {"min_evidence": 0.7}, {"deciding_objects": 0}])
def test_what_is_not_clear_is_upright(changes: dict[str, Any]) -> None:
    look = TurnedLook(size=20, side=64, sure_score=0.05, **changes)
    assert (
        TurnedLooks(drawn((50, 50))[::-1], [Detection(Box(50, 50, 70, 70), 0.1, "face")], look, find).turn_of_picture()
        == 0
    )


def test_only_so_many_doubtful_objects_are_looked_at() -> None:
    sure, faint = Detection(Box(20, 50, 40, 70), 0.2, "face"), Detection(Box(80, 50, 100, 70), 0.04, "face")
    assert TurnedLooks(drawn((20, 50)), [sure, faint], LOOK, never).turned_objects() == []
    upside_down = drawn((20, 50), (80, 50))[::-1]
    first, second = (Detection(Box(x, 50, x + 20, 70), score, "face") for x, score in ((20, 0.06), (80, 0.1)))
    (found,) = TurnedLooks(
        upside_down, [first, second], TurnedLook(size=20, side=64, min_size=20, max_objects=1), find
    ).turned_objects()
    assert found.box.iou(second.box) > 0.8


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_where_nothing_is_sure_what_is_around_says_it(turns: int) -> None:
    picture = np.rot90(drawn((50, 50)), turns)
    elsewhere = Detection(Box(5, 5, 12, 12), 0.2, "face")
    look = TurnedLook(size=20, side=64, crowd_size=7, crowd_side=320)
    seen: list[tuple[int, int]] = []

    def note(crop: Crop) -> Sequence[Detection]:
        seen.append((crop.pixels.shape[0], crop.spec.quarter_turns))
        return find(crop)

    assert TurnedLooks(picture, [elsewhere], look, note).turn_of_picture() == 4 - turns
    assert [quarters for side, quarters in seen if side == 320] == [1, 2, 3, 0]
    assert TurnedLooks(drawn((50, 50)), [elsewhere], look, find).turn_of_picture() == 0
    sure = Detection(Box(5, 5, 12, 12), 0.6, "face")
    for objects in ([], [elsewhere, sure]):
        assert TurnedLooks(picture, objects, look, find).turn_of_picture() == 0
    unclear = TurnedLook(size=20, side=64, crowd_size=7, crowd_side=320, min_evidence=0.65)
    assert TurnedLooks(picture, [elsewhere], unclear, find).turn_of_picture() == 0


def test_most_of_the_doubtful_objects_say_where_to_look() -> None:
    picture = drawn((125, 50))[::-1]
    crowd = [Detection(Box(110, y, 117, y + 7), 0.1, "face") for y in (40, 50, 60)]
    surest = Detection(Box(5, 5, 12, 12), 0.2, "face")
    look = TurnedLook(size=20, side=64, crowd_size=7, crowd_side=80)
    assert TurnedLooks(picture, [surest, *crowd], look, find).turn_of_picture() == 2
    assert TurnedLooks(picture, [surest, crowd[0]], look, find).turn_of_picture() == 0


def test_a_turn_without_enough_evidence_around_is_not_compared() -> None:
    seen = []

    def count(crop: Crop) -> Sequence[Detection]:
        if crop.pixels.shape[0] == LOOK.crowd_side:
            seen.append(crop.spec.quarter_turns)
        return [Detection(Box(50, 50, 70, 70), 0.3, "face")]

    assert (
        TurnedLooks(drawn((50, 50)), [Detection(Box(50, 50, 70, 70), 0.1, "face")], LOOK, count).turn_of_picture() == 0
    )
    assert seen == [1, 2, 3]


def test_small_objects_are_not_looked_at_by_themselves() -> None:
    small = Detection(Box(50, 50, 70, 70), 0.1, "face")
    look = TurnedLook(size=20, side=64, min_size=21)
    assert TurnedLooks(drawn((50, 50))[::-1], [small], look, never).turned_objects() == []


def test_each_look_is_taken_once() -> None:
    seen = []

    def count(crop: Crop) -> Sequence[Detection]:
        if crop.pixels.shape[0] == LOOK.side:
            seen.append(crop.spec.quarter_turns)
        return []

    looks = TurnedLooks(drawn((50, 50)), [Detection(Box(50, 50, 70, 70), 0.1, "face")], LOOK, count)
    assert (looks.turn_of_picture(), looks.turned_objects()) == (0, [])
    assert seen == [0, 1, 2, 3]


def test_nothing_is_nothing() -> None:
    empty = np.zeros((40, 40, 3), np.uint8)
    assert TurnedLooks(empty, [], LOOK, never).turn_of_picture() == 0
    assert TurnedLooks(empty, [], LOOK, never).turned_objects() == []
    flat = Detection(Box(3, 3, 3, 9), 0.1, "face")
    assert TurnedLooks(empty, [flat], LOOK, never).turn_of_picture() == 0
    assert TurnedLooks(empty, [Detection(Box(3, 3, 9, 9), 0.1, "face")], LOOK, find).turned_objects() == []


def test_other_kinds_and_other_places_say_nothing() -> None:
    def beside(crop: Crop) -> Sequence[Detection]:
        return [Detection(Box(50, 50, 70, 70), 0.9, "plate"), Detection(Box(90, 50, 110, 70), 0.9, "face")]

    objects = [Detection(Box(50, 50, 70, 70), 0.1, "face")]
    assert TurnedLooks(drawn((50, 50)), objects, LOOK, beside).turned_objects() == []


def test_what_is_hidden_holds_both_boxes() -> None:
    one = Detection(Box(50, 50, 70, 70), 0.1, "face", extent=Box(45, 50, 70, 70))
    (found,) = TurnedLooks(
        drawn((50, 50)), [one], LOOK, lambda _: [Detection(Box(52, 50, 74, 72), 0.9, "face")]
    ).turned_objects()
    assert found.box == Box(52, 50, 74, 72)
    assert found.redaction_box == Box(45, 50, 74, 72)
