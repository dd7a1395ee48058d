import pytest

from anonymizer.types import Box


def test_box_measures():
    box = Box(1, 2, 4, 10)
    assert (box.width, box.height, box.longer_side) == (3, 8, 8)


@pytest.mark.parametrize("sides", [(float("nan"), 0, 1, 1), (0, 0, float("inf"), 1), (2, 0, 1, 1), (0, 2, 1, 1)])
def test_impossible_boxes_are_refused(sides):
    with pytest.raises(ValueError, match="Box"):
        Box(*sides)
