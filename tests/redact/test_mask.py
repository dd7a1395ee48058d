import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.redact.mask import Area, to_area, to_region, union_mask
from anonymizer.types import Box

SIZES = st.integers(1, 60)
POSITIONS = st.floats(0, 60)
MARGINS = st.floats(0, 2)


@st.composite
def boxes_in_pictures(draw):
    """A shape (height, width) and a box that touches it."""
    height, width = draw(SIZES), draw(SIZES)
    x_min, y_min = draw(st.floats(0, width - 1)), draw(st.floats(0, height - 1))
    box = Box(x_min, y_min, draw(st.floats(x_min, width)), draw(st.floats(y_min, height)))
    return (height, width), box


@given(boxes_in_pictures(), MARGINS)
def test_area_holds_every_pixel_the_widened_box_touches(case, margin):
    (height, width), box = case
    area = to_area(box, margin, (height, width))
    assert 0 <= area.top < area.bottom <= height
    assert 0 <= area.left < area.right <= width
    assert area.left <= max(0, box.x_min - margin * box.width)
    assert area.top <= max(0, box.y_min - margin * box.height)
    assert area.right >= min(width, box.x_max + margin * box.width)
    assert area.bottom >= min(height, box.y_max + margin * box.height)


def test_area_is_rounded_outward_and_not_further():
    assert to_area(Box(2.5, 3.0, 4.1, 5.0), 0.0, (10, 10)) == Area(3, 2, 5, 5)
    assert to_area(Box(4, 4, 6, 8), 0.5, (20, 20)) == Area(2, 3, 10, 7)


def test_a_box_without_a_size_still_hides_a_pixel():
    assert to_area(Box(10, 10, 10, 10), 0.2, (10, 10)) == Area(9, 9, 10, 10)
    assert to_area(Box(0, 3, 0, 3), 0.2, (10, 10)) == Area(3, 0, 4, 1)


@given(st.lists(boxes_in_pictures(), min_size=1, max_size=5), MARGINS, st.integers(0, 20))
def test_mask_is_one_on_every_core_and_zero_beyond_every_edge(cases, margin, feather_px):
    shape = cases[0][0]
    boxes = [box for (height, width), box in cases if box.x_min < shape[1] and box.y_min < shape[0]]
    regions = [to_region(box, margin, feather_px, shape) for box in boxes]
    mask = union_mask(regions, shape)
    assert mask.shape == shape
    assert mask.dtype == np.float32
    outside = np.ones(shape, bool)
    for region in regions:
        assert (mask[region.core.slices] == 1).all()
        outside[region.reach.slices] = False
    assert (mask[outside] == 0).all()
    assert mask.min() >= 0
    assert mask.max() == 1


@given(boxes_in_pictures(), boxes_in_pictures(), st.integers(0, 10))
def test_a_neighbour_never_uncovers(case, other, feather_px):
    shape, box = case
    second = other[1]
    if second.x_min >= shape[1] or second.y_min >= shape[0]:
        return
    one, two = (to_region(b, 0.1, feather_px, shape) for b in (box, second))
    assert (union_mask([one, two], shape) >= union_mask([one], shape)).all()
    assert (union_mask([one, two], shape) == union_mask([two, one], shape)).all()


def test_edge_falls_linearly_outside_the_core():
    mask = union_mask([to_region(Box(5, 5, 6, 6), 0.0, 3, (11, 11))], (11, 11))
    assert mask[5].tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0, 0]


def test_no_detection_means_an_empty_mask():
    assert not union_mask([], (4, 5)).any()
