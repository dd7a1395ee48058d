from itertools import pairwise, product, starmap

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from fakes import face, noise, noise16, plate, scene_of
from hypothesis import given
from hypothesis import strategies as st
from redact.strategies import WITH_CELLS, bare, redacted

from anonymizer.geometry import SHAPES, Shape
from anonymizer.redact.cells import LEVELS, cell_edges, reduce_to_cells
from anonymizer.redact.colors import LUMA
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection, Pixels


def cells_of(pixels: Pixels, found: Detection, cells: int = 4) -> npt.NDArray[np.float64]:
    scene, (target,) = scene_of(pixels, [found], bare("gaussian", cells=cells))
    return np.asarray(reduce_to_cells(scene, [target]).cells[0])


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"), [(64, 64, 4, 4), (16, 64, 1, 4), (64, 30, 4, 2), (1, 1, 1, 1), (2, 3, 2, 3)]
)
def test_cells_of_a_face_are_about_square(height: int, width: int, rows: int, columns: int) -> None:
    assert cells_of(noise(80, 80), face(8, 8, 8 + width, 8 + height)).shape == (rows, columns)


@pytest.mark.parametrize("cells", [1, 4, 16])
def test_a_plate_is_one_cell(cells: int) -> None:
    assert cells_of(noise(80, 80), plate(8, 8, 70, 20), cells=cells).shape == (1, 1)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 16), st.sampled_from(SHAPES))
def test_cells_are_never_more_than_asked_for_and_cover_the_core(
    height: int, width: int, cells: int, shape: Shape
) -> None:
    found = face(5, 5, 5 + width, 5 + height)
    scene, (target,) = scene_of(noise(80, 80), [found], RedactSettings(cells=cells, shape=shape))
    assert max(reduce_to_cells(scene, [target]).cells[0].shape) <= cells
    y, x = (edges[0].tolist() for edges in cell_edges([target]))
    covered = np.zeros((80, 80), int)
    for rows, columns in product(starmap(slice, pairwise(y)), starmap(slice, pairwise(x))):
        covered[rows, columns] += 1
    assert (covered[target.region.core.slices] == 1).all()
    assert covered.sum() == target.region.core.height * target.region.core.width


@pytest.mark.parametrize("pixels", [noise(80, 80), noise16(80, 80)])
def test_a_channel_of_a_cell_has_few_values_whatever_the_depth(pixels: Pixels) -> None:
    cells = cells_of(pixels, face(0, 0, 80, 80), cells=16)
    maximum = np.iinfo(pixels.dtype).max
    assert set(np.unique(cells).tolist()) <= set(range(0, maximum + 1, maximum // (LEVELS - 1)))
    assert len(range(0, maximum + 1, maximum // (LEVELS - 1))) == LEVELS


def test_cells_are_means_of_what_is_hidden_for_the_object() -> None:
    pixels = noise(64, 64)
    cells = cells_of(pixels, face(0, 0, 64, 64))
    assert cells[1, 2] == pytest.approx(pixels[16:32, 32:48].mean(axis=(0, 1)) @ LUMA, abs=26)


@pytest.mark.parametrize("method", WITH_CELLS)
def test_what_remains_of_a_large_face_is_no_more_than_of_a_small_one(method: str) -> None:
    """A picture and its tenfold enlargement have the same cells, so their outputs reveal the same."""
    settings, small = bare(method, cells=4), noise(40, 40, seed=3)
    large = small.repeat(10, axis=0).repeat(10, axis=1)
    in_small, in_large = face(0, 0, 40, 40), face(0, 0, 400, 400)
    assert (cells_of(small, in_small) == cells_of(large, in_large)).all()
    shrunk = cv2.resize(redacted(large, [in_large], settings), (40, 40), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - redacted(small, [in_small], settings)).max() <= 12


@pytest.mark.parametrize("method", WITH_CELLS)
def test_fine_detail_leaves_nothing(method: str) -> None:
    """A checkerboard disappears altogether."""
    board = np.indices((64, 64)).sum(axis=0) % 2 * 204
    pixels = np.repeat(board[:, :, np.newaxis], 3, axis=2).astype(np.uint8)
    assert (redacted(pixels, [face(0, 0, 64, 64)], bare(method, cells=4)) == 102).all()
