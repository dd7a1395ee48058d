import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redact.strategies import (
    SIZE,
    areas,
    boxes_in_pictures,
    by_numpy,
    needs_native_code,
    planes_of,
    shapes_of_people,
    wholes,
)

from anonymizer.geometry import SHAPES, Box, PixelBox, Shape
from anonymizer.outlines import EllipseOutline, Outline, PolygonOutline, StrokeOutline
from anonymizer.redact import shapes
from anonymizer.redact.planes import Planes
from anonymizer.redact.shapes import (
    MASK_SHAPES,
    draw_ellipse,
    draw_share,
    share_of_ellipse,
    share_of_outline,
    whole_of_outline,
)
from anonymizer.redact.touched import touched_pixels


def test_the_table_holds_what_a_user_can_ask_for() -> None:
    assert set(MASK_SHAPES) == set(SHAPES)


@needs_native_code
@given(
    seed=st.integers(0, 99),
    bounds=areas(),
    outline=wholes(),
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
    outline = MASK_SHAPES[shape].whole(box, margin, size)
    planes = Planes(np.zeros((*size, 3), np.uint8), np.zeros(size, np.float32), np.zeros(size, np.int32))
    MASK_SHAPES[shape].draw(planes, outline, outline.inside(size), 0, 1)
    assert (planes.mask[PixelBox.around(box, size).inside(size).slices] == 1).all()
    assert outline.height >= box.height * (1 + 2 * margin)
    assert outline.width >= box.width * (1 + 2 * margin)


def test_an_ellipse_has_the_area_of_one() -> None:
    outline = MASK_SHAPES["ellipse"].whole(Box(100, 100, 200, 300), 0.2, (400, 400))
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


@given(outline=shapes_of_people(), margin_px=st.sampled_from([0.0, 0.3, 5.0]), feather_px=st.sampled_from([0, 1, 6]))
def test_an_outline_hides_what_it_touches_and_its_margin(outline: Outline, margin_px: float, feather_px: int) -> None:
    everything = PixelBox(0, 0, *SIZE)
    share = share_of_outline(outline, margin_px, everything, feather_px)
    touched = touched_pixels(outline, everything)
    assert (share[touched] == 1).all()
    assert share.min() >= 0
    assert (share[touched_pixels(widened(outline, margin_px), everything)] == 1).all()
    if not feather_px:
        assert np.isin(share, [0, 1]).all()
    whole = whole_of_outline(outline, margin_px, SIZE)
    bounds = whole.grown(feather_px, feather_px).inside(SIZE)
    assert np.array_equal(share_of_outline(outline, margin_px, bounds, feather_px), share[bounds.slices])
    share[bounds.slices] = 0
    assert not share.any()


@given(
    outline=shapes_of_people(),
    margin_px=st.sampled_from([0.0, 0.3, 5.0]),
    feather_px=st.sampled_from([0, 1, 6]),
    exact_px=st.integers(1, 6),
)
def test_far_margins_hide_no_less(outline: Outline, margin_px: float, feather_px: int, exact_px: int) -> None:
    everything = PixelBox(0, 0, *SIZE)
    exact = share_of_outline(outline, margin_px, everything, feather_px)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "FARTHEST_EXACT_PX", exact_px)
        share = share_of_outline(outline, margin_px, everything, feather_px)
    assert share.dtype == exact.dtype
    assert (share >= exact).all()
    by = 1 + (margin_px + feather_px + 2) / exact_px
    assert (share <= share_of_outline(outline, margin_px + 3 * by, everything, feather_px)).all()


def test_the_memory_for_an_outline_does_not_grow_with_what_lies_beyond_the_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    areas: list[PixelBox] = []

    def touched(outline: Outline, area: PixelBox) -> npt.NDArray[np.bool_]:
        areas.append(area)
        return touched_pixels(outline, area)

    monkeypatch.setattr(shapes, "touched_pixels", touched)
    polygon = PolygonOutline(((-50_000, -50_000), (50_000, -40_000), (-20, 50_000)))
    assert share_of_outline(polygon, 10_000, PixelBox(0, 0, 30, 40), 5000).shape == (30, 40)
    assert all(max(area.height, area.width) < 3000 for area in areas)


def widened(outline: Outline, by: float) -> Outline:
    """The outline with so much more on each side, as far as that has the same form."""
    if isinstance(outline, StrokeOutline):
        return StrokeOutline(outline.points, outline.width_px + 2 * by)
    if isinstance(outline, EllipseOutline) and outline.semi_axes[0] == outline.semi_axes[1]:
        return EllipseOutline(outline.center, (outline.semi_axes[0] + by, outline.semi_axes[1] + by))
    return outline


def test_the_edge_of_an_outline_falls_linearly_outside_it() -> None:
    square = PolygonOutline(((5, 5), (6, 5), (6, 6), (5, 6)))
    share = share_of_outline(square, 0, PixelBox(0, 0, 11, 11), 3)
    assert share[5].tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0, 0]


def test_an_outline_goes_on_beyond_the_picture() -> None:
    """It shows the same pixels as it would in a larger picture."""
    here, there = (StrokeOutline(((x, y), (x + 30, y + 10)), 9) for x, y in ((-15, -5), (25, 35)))
    bounds = PixelBox(0, 0, 30, 40)
    assert np.array_equal(
        share_of_outline(here, 2.5, bounds, 4), share_of_outline(there, 2.5, PixelBox(40, 40, 70, 80), 4)
    )


def test_the_edge_of_an_outline_is_the_same_in_every_call() -> None:
    ellipse = EllipseOutline((20, 20), (6, 9), 30)
    one, *others = (share_of_outline(ellipse, 1.5, PixelBox(0, 0, 40, 40), 7) for _ in range(30))
    assert all(np.array_equal(one, other) for other in others)
