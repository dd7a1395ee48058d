import numpy as np
import pytest
from fakes import noise
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.detect.description import ViewSpec
from anonymizer.detect.views import OVERLAP, TILE, Crop, crops_of, scaled_views, tile_length, tile_starts
from anonymizer.types import Pixels8


def scales(height: int, width: int, *specs: ViewSpec) -> list[float]:
    return [view.scale for view in scaled_views(specs, height, width)]


def crops(picture: Pixels8, *specs: ViewSpec) -> list[Crop]:
    height, width = picture.shape[:2]
    return [crop for view in scaled_views(specs, height, width) for crop in crops_of(picture, view)]


def test_pictures_are_shrunk_but_not_enlarged_unless_asked_for() -> None:
    assert scales(100, 200, ViewSpec(longest_side=50), ViewSpec(longest_side=100)) == [0.25, 0.5]
    assert scales(100, 200, ViewSpec(longest_side=150), ViewSpec(longest_side=1000)) == [0.75, 1]
    assert scales(100, 200, ViewSpec(max_pixels=5000)) == [0.5]
    assert scales(100, 200, ViewSpec(max_pixels=10**6)) == [1]


def test_pictures_are_enlarged_as_far_as_allowed() -> None:
    assert scales(100, 200, ViewSpec(enlarge=2)) == [2]
    assert scales(100, 200, ViewSpec(enlarge=2, max_pixels=45_000)) == [1.5]
    assert scales(100, 200, ViewSpec(enlarge=2, max_enlarged_pixels=45_000)) == [1.5]
    assert scales(100, 200, ViewSpec(enlarge=2, max_enlarged_pixels=10_000)) == [1]  # never shrunk by it
    assert scales(100, 200, ViewSpec(enlarge=3, longest_side=400)) == [2]


def test_views_that_enlarge_too_little_are_left_out() -> None:
    small, large = ViewSpec(longest_side=100), ViewSpec(enlarge=2, max_enlarged_pixels=45_000, min_scale=1.6)
    assert scales(100, 200, small, large) == [0.5]
    assert scales(50, 200, small, large) == [0.5, 2]
    assert scales(100, 200, large) == [1]  # one there must be


def test_views_of_the_same_scale_are_merged() -> None:
    twins = [ViewSpec(longest_side=300, min_size=50), ViewSpec(longest_side=400, max_size=30)]
    view, _ = scaled_views([*twins, ViewSpec(enlarge=2)], 100, 200)
    assert (view.spec.min_size, view.spec.max_size) == (0, np.inf)
    view, _ = scaled_views(
        [ViewSpec(longest_side=300, min_size=50), ViewSpec(vote_min_size=20), ViewSpec(enlarge=2)], 100, 200
    )
    assert (view.spec.min_size, view.vote_min_size) == (0, 20)
    assert (
        len(
            scaled_views(
                [ViewSpec(), ViewSpec(mirrored=True), ViewSpec(quarter_turns=1), ViewSpec(quarter_turns=5)], 9, 9
            )
        )
        == 3
    )


def test_vote_limits_are_in_pixels_of_the_picture() -> None:
    view, _ = scaled_views(
        [ViewSpec(enlarge=2, min_size=10, vote_min_size=20, max_size=300), ViewSpec(enlarge=3)], 100, 200
    )
    assert (view.vote_min_size, view.vote_max_size) == (10, 150)


def test_the_largest_view_covers_the_smallest_objects() -> None:
    small, large = scaled_views(
        [ViewSpec(min_size=9, vote_min_size=20), ViewSpec(enlarge=2, min_size=9, vote_min_size=20)], 100, 200
    )
    assert (small.spec.min_size, small.vote_min_size) == (9, 20)
    assert (large.spec.min_size, large.vote_min_size) == (0, 0)


def test_the_largest_view_of_each_turn_covers_the_smallest_objects() -> None:
    upright = [ViewSpec(min_size=9), ViewSpec(enlarge=3, min_size=9)]
    turned = [ViewSpec(min_size=9, quarter_turns=1), ViewSpec(enlarge=2, min_size=9, quarter_turns=1)]
    scaled = scaled_views([*upright, *turned], 100, 200)
    assert [view.spec.min_size for view in scaled] == [9, 0, 9, 0]


def test_thin_pictures_keep_a_pixel() -> None:
    assert [view.pixels.shape for view in crops(noise(1, 3000), ViewSpec(longest_side=640))] == [(1, 640, 3)]


def test_pictures_up_to_the_size_of_a_tile_are_not_cut() -> None:
    for shape in ((TILE, TILE, 3), (100, 20 * TILE, 3)):
        assert [view.pixels.shape for view in crops(noise(*shape[:2]), ViewSpec())] == [shape]


@given(st.integers(1, 40 * TILE))
def test_tiles_cover_a_side_and_overlap(length: int) -> None:
    part = tile_length(length)
    starts = tile_starts(length, part)
    assert part <= max(TILE, min(length, TILE))
    assert starts[0] == 0
    assert starts[-1] + part == length
    steps = np.diff(starts)
    assert (steps > 0).all()
    assert (steps <= part - OVERLAP + 1).all()


def test_large_pictures_are_seen_in_tiles_and_shrunk() -> None:
    picture = noise(3000, 5000)
    *tiles, whole = crops(picture, ViewSpec(max_size=400))
    assert whole.pixels.shape == (750, 1250, 3)
    assert (whole.scale_y, whole.scale_x) == (0.25, 0.25)
    assert (whole.spec.min_size, whole.spec.max_size) == (OVERLAP / 8, 400)
    seen = np.zeros((3000, 5000), int)
    for tile in tiles:
        height, width = tile.pixels.shape[:2]
        part = (slice(tile.top, tile.top + height), slice(tile.left, tile.left + width))
        assert (tile.pixels == picture[part]).all()
        assert tile.cut_bottom == (tile.top + height < 3000)
        assert tile.cut_right == (tile.left + width < 5000)
        assert OVERLAP / 2 < tile.spec.max_size < OVERLAP
        seen[part] += 1
    assert seen.min() == 1
    assert sum(tile.pixels.size for tile in tiles) < 1.3 * picture.size


@pytest.mark.slow
def test_very_large_pictures_are_shrunk_until_they_fit() -> None:
    picture = np.broadcast_to(np.zeros(3, np.uint8), (12_000, 12_000, 3))
    sizes = [view.pixels.shape[:2] for view in crops(picture, ViewSpec())]
    assert max(height * width for height, width in sizes) <= TILE * TILE
    assert sizes[-1] == (750, 750)


@given(
    st.sampled_from([ViewSpec(), ViewSpec(mirrored=True), ViewSpec(enlarge=2), ViewSpec(longest_side=60)]),
    st.integers(0, 3),
    st.integers(0, 60),
    st.integers(0, 100),
)
def test_boxes_come_back_to_where_they_are_in_the_picture(look: ViewSpec, turns: int, y: int, x: int) -> None:
    picture = np.zeros((80, 120, 3), np.uint8)
    picture[y : y + 20, x : x + 20] = 255
    look = ViewSpec(**{**vars(look), "quarter_turns": turns})
    (view,) = crops(picture, look)
    rows, columns = np.nonzero(view.pixels[:, :, 0] > 127)
    box = np.array([[rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]], float)
    assert view.to_picture(box)[0].tolist() == pytest.approx([y, x, y + 20, x + 20], abs=2.1)


@pytest.mark.parametrize(
    ("box", "answers"),
    [
        ((10, 10, 50, 50), True),
        ((0, 10, 50, 50), False),
        ((10, 1, 50, 50), False),
        ((900, 10, 999, 50), False),
        ((10, 900, 50, 999), True),  # where the picture ends
        ((0, 10, 500, 50), False),  # cut off and too large: the shrunk picture shows it whole
        ((10, 10, 16, 15), False),
        ((10, 10, 19, 411), False),
    ],
)
def test_objects_that_are_left_to_other_views(box: tuple[int, int, int, int], answers: bool) -> None:
    view = Crop(
        noise(1000, 1000), 3000, 3000, ViewSpec(min_size=8, max_size=400), 5, 5, cut_bottom=True, cut_right=False
    )
    assert view.covers(np.array([box], float)).tolist() == [answers]
