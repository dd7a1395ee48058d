from itertools import pairwise, product, starmap

import cv2
import numpy as np
import pytest
from fakes import face, noise, noise16, plate, scene_of
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.redact import gaussian, mosaic
from anonymizer.redact.cells import LEVELS, cell_edges, reduce_to_cells
from anonymizer.redact.colors import LUMA
from anonymizer.settings import RedactSettings

BARE = {"cells": 4, "shape": "box", "face_margin": 0.0, "plate_margin": 0.0, "feather": 0.0}


def cells_of(pixels, found, **settings):
    scene, (target,) = scene_of(pixels, [found], RedactSettings(**{**BARE, **settings}))
    return reduce_to_cells(scene, [target]).cells[0]


def painted(paint, scene, target):
    return paint(scene, [target])[0].to_pixels(scene.pixels.dtype)


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"), [(64, 64, 4, 4), (16, 64, 1, 4), (64, 30, 4, 2), (1, 1, 1, 1), (2, 3, 2, 3)]
)
def test_cells_of_a_face_are_about_square(height, width, rows, columns):
    assert cells_of(noise(80, 80), face(8, 8, 8 + width, 8 + height)).shape == (rows, columns)


@pytest.mark.parametrize("cells", [1, 4, 16])
def test_a_plate_is_one_cell(cells):
    assert cells_of(noise(80, 80), plate(8, 8, 70, 20), cells=cells).shape == (1, 1)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 16), st.sampled_from(["box", "ellipse"]))
def test_cells_are_never_more_than_asked_for_and_cover_the_core(height, width, cells, shape):
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
def test_a_channel_of_a_cell_has_few_values_whatever_the_depth(pixels):
    cells = cells_of(pixels, face(0, 0, 80, 80), cells=16)
    maximum = np.iinfo(pixels.dtype).max
    assert set(np.unique(cells).tolist()) <= set(range(0, maximum + 1, maximum // (LEVELS - 1)))
    assert len(range(0, maximum + 1, maximum // (LEVELS - 1))) == LEVELS


def test_cells_are_means_of_what_is_hidden_for_the_object():
    pixels = noise(64, 64)
    cells = cells_of(pixels, face(0, 0, 64, 64))
    assert cells[1, 2] == pytest.approx(pixels[16:32, 32:48].mean(axis=(0, 1)) @ LUMA, abs=26)


@pytest.mark.parametrize("paint", [gaussian.paint, mosaic.paint])
def test_what_remains_of_a_large_face_is_no_more_than_of_a_small_one(paint):
    """A picture and its tenfold enlargement have the same cells, so that their outputs tell the same."""
    small = noise(40, 40, seed=3)
    of_small, (in_small,) = scene_of(small, [face(0, 0, 40, 40)], RedactSettings(**BARE))
    large = small.repeat(10, axis=0).repeat(10, axis=1)
    of_large, (in_large,) = scene_of(large, [face(0, 0, 400, 400)], RedactSettings(**BARE))
    assert (reduce_to_cells(of_small, [in_small]).cells[0] == reduce_to_cells(of_large, [in_large]).cells[0]).all()
    shrunk = cv2.resize(painted(paint, of_large, in_large), (40, 40), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - painted(paint, of_small, in_small)).max() <= 12


@pytest.mark.parametrize("paint", [gaussian.paint, mosaic.paint])
def test_fine_detail_leaves_nothing(paint):
    """A checkerboard disappears altogether."""
    board = np.indices((64, 64)).sum(axis=0) % 2 * 204
    pixels = np.repeat(board[:, :, np.newaxis], 3, axis=2).astype(np.uint8)
    scene, (target,) = scene_of(pixels, [face(0, 0, 64, 64)], RedactSettings(**BARE))
    assert (painted(paint, scene, target) == 102).all()


@pytest.mark.parametrize(("cells", "tiles"), [(1, 4), (4, 4), (8, 8)])
def test_a_mosaic_is_made_of_tiles_of_one_color(cells, tiles):
    settings = RedactSettings(**{**BARE, "cells": cells})
    scene, (target,) = scene_of(noise(80, 80), [face(8, 8, 72, 72)], settings)
    tiled, smooth = painted(mosaic.paint, scene, target), painted(gaussian.paint, scene, target)
    side = 64 // tiles
    assert (tiled == tiled[::side, ::side].repeat(side, axis=0).repeat(side, axis=1)).all()
    assert (tiled[::side, ::side] == smooth[side // 2 :: side, side // 2 :: side]).all()


def test_one_cell_is_painted_in_the_color_around_and_amid_it():
    pixels = np.full((60, 60, 3), (0, 60, 0), np.uint8)
    pixels[20:40, 20:40] = (255, 200, 255)
    scene, (target,) = scene_of(pixels, [face(20, 20, 40, 40)], RedactSettings(**{**BARE, "cells": 1}))
    colors = painted(gaussian.paint, scene, target).astype(int)
    assert (colors[:, :, 1] - colors[:, :, 0] > 15).all()
    assert (colors[:, :, 0] == colors[:, :, 2]).all()
    assert (np.diff(colors[:11, 10, 1]) >= 0).all()
    assert colors[0, 10, 1] + 30 < colors[10, 10, 1]
