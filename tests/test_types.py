import pytest

from anonymizer.types import Box


def test_box_measures():
    box = Box(1, 2, 4, 10)
    assert (box.width, box.height, box.longer_side) == (3, 8, 8)


@pytest.mark.parametrize("sides", [(float("nan"), 0, 1, 1), (0, 0, float("inf"), 1), (2, 0, 1, 1), (0, 2, 1, 1)])
def test_impossible_boxes_are_refused(sides):
    with pytest.raises(ValueError, match="Box"):
        Box(*sides)


@pytest.mark.parametrize(
    ("other", "overlap"),
    [
        (Box(0, 0, 4, 4), 1),
        (Box(2, 0, 6, 4), 1 / 3),
        (Box(1, 1, 3, 3), 1 / 4),
        (Box(4, 0, 8, 4), 0),
        (Box(9, 9, 10, 10), 0),
        (Box(2, 2, 2, 2), 0),
    ],
)
def test_overlap(other, overlap):
    assert Box(0, 0, 4, 4).overlap(other) == other.overlap(Box(0, 0, 4, 4)) == pytest.approx(overlap)


def test_boxes_without_an_area_overlap_nothing():
    assert Box(2, 2, 2, 2).overlap(Box(2, 2, 2, 2)) == 0
