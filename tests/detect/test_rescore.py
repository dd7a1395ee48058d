import tracemalloc
from typing import Any

import numpy as np
import pytest
from fakes import noise
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.detect.description import SecondLook, ViewSpec
from anonymizer.detect.rescore import rescore
from anonymizer.detect.views import Crop, close_crop
from anonymizer.geometry import Box
from anonymizer.types import Detection

BOX = Box(20, 10, 40, 40)
PICTURE = np.zeros((100, 200, 3), np.uint8)


def judged(score: float, *answers: list[Detection], **how: Any) -> float:
    """The score of an object after a model has answered, at each size, what `answers` say."""
    sizes = tuple(float(30 + number) for number in range(len(answers)))
    left = iter(answers)
    (one,) = rescore(
        PICTURE, [Detection(BOX, score, "face")], ViewSpec(), SecondLook(sizes=sizes, **how), lambda _: next(left)
    )
    assert (one.box, one.kind) == (BOX, "face")
    return one.score


def test_a_second_look_that_finds_the_object_raises_its_score() -> None:
    assert judged(0.3, [Detection(BOX, 0.9, "face")]) > 0.4
    assert judged(0.3, []) < 0.2
    assert judged(0.3, [Detection(BOX, 0.3, "face")]) == pytest.approx(0.3)


def test_log_odds_are_averaged() -> None:
    nine_to_one, even = [Detection(BOX, 0.9, "face")], 0.4999999
    assert judged(even, nine_to_one, weight=0.5) == pytest.approx(0.75)  # odds of 3, the root of 9 times 1
    assert judged(even, nine_to_one, [], weight=0.5) == pytest.approx(0.4749, abs=1e-3)  # 0.45 on average
    assert judged(0.3, nine_to_one, weight=0) == pytest.approx(0.3)
    assert judged(even, nine_to_one, weight=0, bias=np.log(3)) == pytest.approx(0.75)


def test_one_look_does_not_outweigh_all_others() -> None:
    assert judged(0.3, [], weight=0.5) == judged(0.3, [Detection(BOX, 0.01, "face")], weight=0.5) > 0.08


def test_only_what_overlaps_the_object_and_is_of_its_kind_counts() -> None:
    beside, other_kind = Detection(Box(50, 10, 70, 40), 0.9, "face"), Detection(BOX, 0.9, "plate")
    assert judged(0.3, [beside, other_kind]) == judged(0.3, [])
    assert judged(0.3, [beside, Detection(BOX, 0.2, "face"), Detection(BOX, 0.8, "face")]) > 0.3


def test_sure_and_hopeless_objects_and_those_without_an_area_stay_as_they_are() -> None:
    objects = [Detection(BOX, 0.5, "face"), Detection(BOX, 0.05, "face"), Detection(Box(200, 3, 200, 9), 0.3, "face")]
    assert rescore(PICTURE, objects, ViewSpec(), SecondLook(), lambda _: pytest.fail("looked")) == objects


def test_the_number_of_looks_is_bounded() -> None:
    objects = [Detection(BOX, score, "face") for score in (0.2, 0.4, 0.3)]
    seen: list[Crop] = []

    def find(crop: Crop) -> list[Detection]:
        seen.append(crop)
        return []

    again = rescore(PICTURE, objects, ViewSpec(), SecondLook(max_objects=2), find)
    assert len(seen) == 4
    assert [one.score < before.score for one, before in zip(again, objects, strict=True)] == [False, True, True]


@given(st.integers(0, 3), st.integers(0, 60), st.integers(0, 100), st.sampled_from([10.0, 32.0, 47.0]))
def test_a_close_crop_shows_the_object_in_its_middle_at_that_size(turns: int, y: int, x: int, size: float) -> None:
    picture = np.zeros((80, 120, 3), np.uint8)
    picture[y : y + 20, x : x + 10] = 255
    view = close_crop(picture, Box(x, y, x + 10, y + 20), ViewSpec(quarter_turns=turns), size, 96)
    assert view.pixels.shape == (96, 96, 3)
    rows, columns = np.nonzero(view.pixels[:, :, 0] > 127)
    box = np.array([[rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]], float)
    assert (box[0, 2:] - box[0, :2]).max() == pytest.approx(size, rel=0.15)
    assert (box[0, 2:] + box[0, :2]).tolist() == pytest.approx([96, 96], abs=10)
    assert view.to_picture(box)[0].tolist() == pytest.approx([y, x, y + 20, x + 10], abs=1.5 * max(1, 20 / size))


def test_a_close_crop_covers_what_it_does_not_cut() -> None:
    inner = close_crop(noise(300, 300), Box(140, 140, 160, 160), ViewSpec(), 32, 96)
    assert inner.covers(np.array([[32, 32, 64, 64], [0, 32, 30, 60], [32, 70, 60, 96]])).tolist() == [1, 0, 0]
    corner = close_crop(noise(300, 300), Box(0, 0, 20, 20), ViewSpec(), 32, 96)
    assert corner.covers(np.array([[32.0, 32.0, 64.0, 64.0], [0.0, 0.0, 9.0, 9.0]])).all()
    assert not corner.pixels[:30].any()


def test_a_close_crop_of_an_object_as_large_as_the_picture() -> None:
    view = close_crop(noise(300, 200), Box(0, 0, 200, 300), ViewSpec(quarter_turns=1), 48, 96)
    assert view.pixels.shape == (96, 96, 3)
    assert view.to_picture(np.array([[32.0, 24.0, 64.0, 72.0]]))[0].tolist() == pytest.approx([0, 0, 300, 200], abs=3)


def test_a_close_crop_takes_memory_for_the_picture_and_not_for_the_square_around_the_object() -> None:
    tracemalloc.start()
    try:
        view = close_crop(np.zeros((10, 5000, 3), np.uint8), Box(0, 0, 5000, 10), ViewSpec(), 32, 96)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000  # the square would take 675 MB
    finally:
        tracemalloc.stop()
    assert view.pixels.shape == (96, 96, 3)
