import cv2
import numpy as np
import pytest
from fakes import noise, noise16
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.redact.gaussian import CELLS, paint, reduce_to_cells
from anonymizer.redact.mask import to_region
from anonymizer.types import Box


def region_of(height, width, margin=0.0, feather_px=0, shape=(80, 80)):
    return to_region(Box(8, 8, 8 + width, 8 + height), margin, feather_px, shape)


@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 12),
    st.integers(0, 6),
    st.sampled_from([1, 3]),
    st.integers(0, 99),
)
def test_output_is_a_function_of_the_cells_alone(rows, columns, cell_size, feather_px, channels, seed):
    """Two pictures with the same cells give the same output, whatever else they hold inside and around."""
    rows, columns = (CELLS, columns) if rows >= columns else (rows, CELLS)  # cells are square where they divide evenly
    region = region_of(rows * cell_size, columns * cell_size, feather_px=feather_px)
    pixels = noise(80, 80, channels, seed)
    cells = reduce_to_cells(pixels, region)
    assert cells.shape == (rows, columns, channels)
    other = noise(80, 80, channels, seed + 1)
    other[region.core.slices] = cells.repeat(cell_size, axis=0).repeat(cell_size, axis=1)
    assert (reduce_to_cells(other, region) == cells).all()
    assert (paint(other, region) == paint(pixels, region)).all()


def test_what_remains_of_a_large_face_is_no_more_than_of_a_small_one():
    """A picture and its tenfold enlargement have the same cells, so that their outputs tell the same."""
    small = noise(40, 40, seed=3)
    large = small.repeat(10, axis=0).repeat(10, axis=1)
    of_small = to_region(Box(0, 0, 40, 40), 0.0, 0, (40, 40))
    of_large = to_region(Box(0, 0, 400, 400), 0.0, 0, (400, 400))
    assert (reduce_to_cells(small, of_small) == reduce_to_cells(large, of_large)).all()
    shrunk = cv2.resize(paint(large, of_large), (40, 40), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - paint(small, of_small)).max() <= 2


def test_fine_detail_leaves_nothing():
    """A checkerboard of the object's own mean disappears altogether."""
    board = np.indices((64, 64)).sum(axis=0) % 2 * 200
    pixels = np.repeat(board[:, :, np.newaxis], 3, axis=2).astype(np.uint8)
    painted = paint(pixels, to_region(Box(0, 0, 64, 64), 0.0, 0, (64, 64)))
    assert (painted == 100).all()


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"), [(64, 64, 4, 4), (16, 64, 1, 4), (64, 30, 4, 2), (1, 1, 1, 1), (2, 3, 2, 3)]
)
def test_cells_are_about_square(height, width, rows, columns):
    assert reduce_to_cells(noise(80, 80), region_of(height, width)).shape == (rows, columns, 3)


def test_cells_of_16_bits_have_no_more_values_than_those_of_8():
    cells = reduce_to_cells(noise16(80, 80), region_of(40, 40))
    assert cells.dtype == np.uint16
    assert (cells % 257 == 0).all()


def test_a_uniform_object_keeps_its_colour():
    pixels = np.full((80, 80, 3), (10, 200, 90), np.uint8)
    assert (paint(pixels, region_of(30, 20, feather_px=4)) == (10, 200, 90)).all()
