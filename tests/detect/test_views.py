import numpy as np
import pytest
from fakes import noise
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.detect.views import OVERLAP, TILE, View, _starts, views_of


def sizes(height, width, *longest_sides):
    return [view.pixels.shape for view in views_of(noise(height, width), longest_sides)]


def test_pictures_are_shrunk_but_never_enlarged():
    assert sizes(100, 200, 50, 100) == [(25, 50, 3), (50, 100, 3)]
    assert sizes(100, 200, 150, 1000) == [(75, 150, 3), (100, 200, 3)]


def test_equal_sizes_count_once():
    assert sizes(100, 200, 200, 640, 1280) == [(100, 200, 3)]


def test_without_a_limit_the_picture_is_taken_as_it_is():
    assert sizes(100, 200) == [(100, 200, 3)]


def test_thin_pictures_keep_a_pixel():
    assert sizes(1, 3000, 640) == [(1, 640, 3)]


def test_pictures_up_to_the_size_of_a_tile_are_not_cut():
    assert sizes(TILE, TILE) == [(TILE, TILE, 3)]
    assert sizes(100, 20 * TILE) == [(100, 20 * TILE, 3)]


@given(st.integers(1, 40 * TILE))
def test_tiles_cover_a_side_and_overlap(length):
    starts = _starts(length)
    assert starts[0] == 0
    assert starts[-1] == max(0, length - TILE)
    steps = np.diff(starts)
    assert (steps > 0).all()
    assert (steps <= TILE - OVERLAP).all()


def test_large_pictures_are_seen_in_tiles_and_as_a_whole():
    picture = noise(3000, 5000)
    whole, *tiles = views_of(picture, ())
    assert max(whole.pixels.shape) == TILE
    assert (whole.scale_y, whole.scale_x) == pytest.approx((5000 / TILE, 5000 / TILE), rel=1e-3)
    seen = np.zeros((3000, 5000), int)
    for tile in tiles:
        height, width = tile.pixels.shape[:2]
        part = (slice(tile.top, tile.top + height), slice(tile.left, tile.left + width))
        assert (tile.pixels == picture[part]).all()
        assert tile.cut_bottom == (tile.top + height < 3000)
        assert tile.cut_right == (tile.left + width < 5000)
        seen[part] += 1
    assert seen.min() == 1


@pytest.mark.parametrize(
    ("box", "is_cut_off"),
    [
        ((10, 10, 50, 50), False),
        ((0, 10, 50, 50), True),
        ((10, 1, 50, 50), True),
        ((900, 10, 999, 50), True),
        ((10, 900, 50, 999), False),  # where the picture ends
        ((0, 10, 500, 50), False),  # too large for the overlap: no other tile need show it whole
    ],
)
def test_objects_that_another_tile_shows_whole(box, is_cut_off):
    view = View(noise(1000, 1000), top=5, left=5, cut_bottom=True, cut_right=False)
    assert view.is_cut_off(np.array([box], float)).tolist() == [is_cut_off]
