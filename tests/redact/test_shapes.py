import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redact.strategies import areas, boxes_in_pictures, by_numpy, needs_native_code, outlines, planes_of

from anonymizer.geometry import SHAPES, Box, PixelBox, Shape
from anonymizer.redact.planes import Planes
from anonymizer.redact.shapes import MASK_SHAPES, draw_ellipse, draw_share, share_of_ellipse


def test_the_table_holds_what_a_user_can_ask_for() -> None:
    assert set(MASK_SHAPES) == set(SHAPES)


@needs_native_code
@given(
    seed=st.integers(0, 99),
    bounds=areas(),
    outline=outlines(),
    feather_px=st.sampled_from([0, 1, 7, 30, 3 * 10**9]),
)
@settings(max_examples=300, deadline=None)
def test_native_code_draws_the_same_ellipses(seed: int, bounds: PixelBox, outline: PixelBox, feather_px: int) -> None:
    one, other = planes_of(seed), planes_of(seed)
    draw_ellipse(one, outline, bounds, feather_px, 7)
    with by_numpy():
        draw_ellipse(other, outline, bounds, feather_px, 7)
    assert np.array_equal(one.mask, other.mask)
    assert np.array_equal(one.owners, other.owners)


@pytest.mark.parametrize("shape", SHAPES)
@given(case=boxes_in_pictures(), margin=st.floats(0, 2))
def test_every_shape_covers_the_box(shape: Shape, case: tuple[tuple[int, int], Box], margin: float) -> None:
    size, box = case
    outline = MASK_SHAPES[shape].outline(box, margin, size)
    planes = Planes(np.zeros((*size, 3), np.uint8), np.zeros(size, np.float32), np.zeros(size, np.int32))
    MASK_SHAPES[shape].draw(planes, outline, outline.inside(size), 0, 1)
    assert (planes.mask[PixelBox.around(box, size).inside(size).slices] == 1).all()
    assert outline.height >= box.height * (1 + 2 * margin)
    assert outline.width >= box.width * (1 + 2 * margin)


def test_an_ellipse_has_the_area_of_one() -> None:
    outline = MASK_SHAPES["ellipse"].outline(Box(100, 100, 200, 300), 0.2, (400, 400))
    semi_x, semi_y = 100 / np.sqrt(2) + 20, 200 / np.sqrt(2) + 40
    share = share_of_ellipse(outline, outline.inside((400, 400)), 0)
    assert (share == 1).sum() == pytest.approx(np.pi * semi_x * semi_y, rel=0.02)
    assert set(np.unique(share)) == {0, 1}


def test_any_share_of_the_pixels_can_be_drawn() -> None:
    planes = Planes(np.zeros((3, 4, 1), np.uint8), np.zeros((3, 4), np.float32), np.zeros((3, 4), np.int32))
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 0.5, 0]], np.float32)
    draw_share(planes, PixelBox(0, 0, 3, 3), cross, 1)
    draw_share(planes, PixelBox(2, 0, 3, 4), np.full((1, 4), 0.5, np.float32), 2)
    assert planes.mask.tolist() == [[0, 1, 0, 0], [1, 1, 1, 0], [0.5, 0.5, 0.5, 0.5]]
    assert planes.owners.tolist() == [[0, 1, 0, 0], [1, 1, 1, 0], [2, 1, 2, 2]]
