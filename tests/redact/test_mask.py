import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from redact.strategies import boxes_in_pictures

from anonymizer.geometry import SHAPES, Box, PixelBox, Shape
from anonymizer.redact.mask import Region, draw_mask, to_region
from anonymizer.redact.planes import Mask, Planes

MARGINS = st.floats(0, 2)


def core_of(box: Box, margin: float, size: tuple[int, int]) -> PixelBox:
    return to_region(box, margin, 0, size).core


def planes_of(regions: list[Region], size: tuple[int, int]) -> Planes:
    return draw_mask(np.zeros((*size, 3), np.uint8), regions)


def mask_of(regions: list[Region], size: tuple[int, int]) -> Mask:
    return planes_of(regions, size).mask


@given(boxes_in_pictures(), MARGINS)
def test_core_holds_every_pixel_the_widened_box_touches(case: tuple[tuple[int, int], Box], margin: float) -> None:
    (height, width), box = case
    core = core_of(box, margin, (height, width))
    assert 0 <= core.top < core.bottom <= height
    assert 0 <= core.left < core.right <= width
    assert core.left <= max(0, box.x_min - margin * box.width)
    assert core.top <= max(0, box.y_min - margin * box.height)
    assert core.right >= min(width, box.x_max + margin * box.width)
    assert core.bottom >= min(height, box.y_max + margin * box.height)


def test_core_is_rounded_outward_and_not_further() -> None:
    assert core_of(Box(2.5, 3.0, 4.1, 5.0), 0.0, (10, 10)) == PixelBox(3, 2, 5, 5)
    assert core_of(Box(4, 4, 6, 8), 0.5, (20, 20)) == PixelBox(2, 3, 10, 7)


def test_a_box_without_a_size_still_hides_a_pixel() -> None:
    assert core_of(Box(10, 10, 10, 10), 0.2, (10, 10)) == PixelBox(9, 9, 10, 10)
    assert core_of(Box(0, 3, 0, 3), 0.2, (10, 10)) == PixelBox(3, 0, 4, 1)


def test_an_ellipse_goes_on_beyond_the_picture() -> None:
    """It shows the same pixels as it would in a larger picture."""
    whole = mask_of([to_region(Box(20, 30, 50, 50), 0.2, 4, (100, 100), "ellipse")], (100, 100))
    cut = mask_of([to_region(Box(0, 0, 30, 20), 0.2, 4, (70, 80), "ellipse")], (70, 80))
    assert (cut == whole[30:, 20:]).all()


@given(
    st.lists(boxes_in_pictures(), min_size=1, max_size=5),
    MARGINS,
    st.integers(0, 20),
    st.sampled_from(SHAPES),
)
def test_mask_is_one_on_every_core_and_zero_beyond_every_edge(
    cases: list[tuple[tuple[int, int], Box]], margin: float, feather_px: int, shape: Shape
) -> None:
    size = cases[0][0]
    boxes = [box for (height, width), box in cases if box.x_min < size[1] and box.y_min < size[0]]
    regions = [to_region(box, margin, feather_px, size, shape) for box in boxes]
    planes = planes_of(regions, size)
    mask, owners = planes.mask, planes.owners
    assert mask.shape == size
    assert mask.dtype == np.float32
    outside = np.ones(size, bool)
    for region, box in zip(regions, boxes, strict=True):
        assert (mask[core_of(box, 0, size).slices] == 1).all()
        if shape == "box":
            assert (mask[region.core.slices] == 1).all()
        outside[region.bounds.slices] = False
    assert (mask[outside] == 0).all()
    assert mask.min() >= 0
    assert mask.max() == 1
    assert ((owners > 0) == (mask > 0)).all()


@given(boxes_in_pictures(), boxes_in_pictures(), st.integers(0, 10), st.sampled_from(SHAPES))
def test_a_neighbour_never_uncovers(
    case: tuple[tuple[int, int], Box], other: tuple[tuple[int, int], Box], feather_px: int, shape: Shape
) -> None:
    size, box = case
    second = other[1]
    if second.x_min >= size[1] or second.y_min >= size[0]:
        return
    one, two = (to_region(b, 0.1, feather_px, size, shape) for b in (box, second))
    assert (mask_of([one, two], size) >= mask_of([one], size)).all()
    assert (mask_of([one, two], size) == mask_of([two, one], size)).all()


def test_a_shared_pixel_belongs_to_whom_it_hides_more_and_otherwise_to_the_first() -> None:
    one, two = (to_region(Box(x, 0, x + 4, 1), 0.0, 2, (1, 20)) for x in (2, 5))
    owners = planes_of([one, two], (1, 20)).owners
    assert owners[0].tolist() == [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2] + [0] * 9


def test_edge_falls_linearly_outside_the_core() -> None:
    mask = mask_of([to_region(Box(5, 5, 6, 6), 0.0, 3, (11, 11))], (11, 11))
    assert mask[5].tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0, 0]


def test_edge_of_an_ellipse_falls_outside_it() -> None:
    region = to_region(Box(30, 30, 70, 70), 0.2, 10, (101, 101), "ellipse")
    beyond = mask_of([region], (101, 101))[50, region.whole.right :]
    assert (np.diff(beyond[:10]) < 0).all()
    assert 0.9 < beyond[0] < 1
    assert (beyond[10:] == 0).all()


def test_no_detection_means_an_empty_mask() -> None:
    assert not mask_of([], (4, 5)).any()
