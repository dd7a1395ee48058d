from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.audit.precision import Objects, Precision, average_precision, hits_of, iou


def objects(*rows: tuple[str, float, float, float]) -> Objects:
    """From rows of name, left border, width, score; all 10 pixels high."""
    boxes = [[left, 0, left + width, 10] for _, left, width, _ in rows]
    names, scores = [row[0] for row in rows], np.array([row[3] for row in rows], np.float64)
    return Objects(names, np.array(boxes, np.float64).reshape(-1, 4), scores)


def test_what_is_found_exactly_has_full_precision() -> None:
    truth = [objects(("car", 0, 10, 1), ("person", 30, 5, 1)), objects()]
    assert Precision.of(truth, truth, ["car", "person"]) == Precision(1, 1)
    assert Precision.of(truth, truth, ["dog"]) is None


def test_a_shifted_box_counts_up_to_its_overlap() -> None:
    truth, found = [objects(("car", 0, 10, 1))], [objects(("car", 2, 10, 0.9))]  # 8 of 12
    result = Precision.of(truth, found, ["car"])
    assert result is not None
    assert result.at_half == 1
    assert result.mean == pytest.approx(0.4)  # at 0.5, 0.55, 0.6 and 0.65


@pytest.mark.parametrize(
    ("order", "expected"), [((0, 50, 100), 1.0), ((0, 100, 50), (1 + 2 / 3) / 2), ((100, 0, 50), 2 / 3)]
)
def test_a_false_alarm_counts_by_its_place(order: Sequence[int], expected: float) -> None:
    found = objects(*(("car", left, 10, 0.9 - index / 10) for index, left in enumerate(order)))
    truth = objects(("car", 0, 10, 1), ("car", 50, 10, 1))
    assert average_precision([truth], [found], 0.5) == pytest.approx(expected)


def test_an_object_is_found_once() -> None:
    twice = objects(("car", 0, 10, 0.8), ("car", 0, 10, 0.9))
    assert hits_of(objects(("car", 0, 10, 1)), twice).tolist() == [False, True]


@given(
    boxes=st.lists(
        st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(1, 50), st.floats(1, 50)), min_size=1, max_size=5
    )
)
def test_overlap_is_symmetric_and_that_of_itself_is_one(boxes: list[tuple[float, float, float, float]]) -> None:
    corners = np.array([[x, y, x + width, y + height] for x, y, width, height in boxes])
    overlap = iou(corners, corners)
    np.testing.assert_allclose(overlap, overlap.T)
    np.testing.assert_allclose(np.diag(overlap), 1)


def test_objects_are_chosen_by_name_and_score() -> None:
    both = objects(("car", 0, 10, 0.4), ("person", 30, 5, 0.6))
    assert both.named("car").scores.tolist() == [0.4]
    assert both.from_score(0.5).names == ["person"]
