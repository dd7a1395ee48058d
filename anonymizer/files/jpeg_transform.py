"""From pixels to the quantised coefficients of the blocks of a JPEG file. (ITU-T T.81, A.3.3; JFIF 1.02: colours.)

All sums are sums of integers below 2^53, which are exact. So the native code of jpeg_transform.c and the numpy code,
which replaces it where it was not built, give the same coefficients.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.files.jpeg_segments import BLOCK
from anonymizer.native import call, library
from anonymizer.types import Pixels

# Weights of red, green and blue in luminance, blue and red difference, in units of 2^-13; weight of gray.
_UNIT = 1 << 13
_COLOURS = ((2449, 4809, 934), (-1382, -2714, 4096), (4096, -3430, -666))
_GRAY = (_UNIT,)
_CENTRE = 128
"""Subtracted from luminance, so that it lies around 0 as the differences do."""
_SCALE = 1 << 11


def _scaled_cosines(angles: npt.NDArray[np.int_]) -> npt.NDArray[np.float64]:
    """Scaled cosines, rounded to integers. The angles are in units of pi / 16."""
    return np.asarray(np.rint(_SCALE * np.cos(angles * np.pi / (2 * BLOCK))), np.float64)


_COSINES = _scaled_cosines(np.arange(BLOCK))


def _basis() -> npt.NDArray[np.float64]:
    """The matrix B, (8, 8): B @ samples @ B.T is the cosine transform of a block, times `_norms`."""
    frequency, position = np.mgrid[0:BLOCK, 0:BLOCK]
    basis: npt.NDArray[np.float64] = _scaled_cosines((2 * position + 1) * frequency)
    basis[0] = 1
    return basis


def _norms() -> npt.NDArray[np.float64]:
    """Divisors of the transform of a block by `_basis`, (8, 8)."""
    one_axis = np.full(BLOCK, 2.0 * _SCALE)
    one_axis[0] = np.sqrt(8)
    return np.outer(one_axis, one_axis)


_BASIS, _NORMS = _basis(), _norms()


def quantised_coefficients(
    pixels: Pixels,
    number: int,
    is_touched: npt.NDArray[np.bool_],
    steps: tuple[int, int],
    table: npt.NDArray[np.float32],
) -> npt.NDArray[np.int16]:
    """The quantised coefficients of some blocks of a component, (N, 8, 8), row by row.

    Args:
        pixels: uint8, (H, W, 1) or (H, W, 3) RGB. Blocks that reach beyond them repeat the last ones.
        number: of the component: 0 luminance, 1 blue difference, 2 red difference.
        is_touched: which blocks, (rows, columns).
        steps: pixels per sample, vertically and horizontally, up to 4.
        table: quantisation table, (8, 8), above 0.
    """
    weights = _COLOURS[number] if pixels.shape[2] == len(_COLOURS[0]) else _GRAY
    of_sample = steps[0] * steps[1]
    offset = -of_sample * _CENTRE * sum(weights)
    factors = 1 / (_NORMS * table * (_UNIT * of_sample))
    native = library()
    if native is None:
        return _by_numpy(pixels, is_touched, steps, np.array(weights), offset, factors)
    pixels, flags = np.ascontiguousarray(pixels), np.ascontiguousarray(is_touched)
    coefficients = np.empty((np.count_nonzero(flags), BLOCK, BLOCK), np.int16)
    call(
        native.transform_blocks,
        *(pixels, *pixels.shape),
        *(flags, *flags.shape),
        *steps,
        *(np.array(weights, np.int32), offset),
        *(_COSINES, factors, coefficients),
    )
    return coefficients


def _by_numpy(
    pixels: Pixels,
    is_touched: npt.NDArray[np.bool_],
    steps: tuple[int, int],
    weights: npt.NDArray[np.int_],
    offset: int,
    factors: npt.NDArray[np.float64],
) -> npt.NDArray[np.int16]:
    rows, columns = is_touched.shape
    height, width = BLOCK * steps[0], BLOCK * steps[1]  # of a block, in pixels
    covered = _goes_on(pixels, rows * height, columns * width)[: rows * height, : columns * width]
    tiles = covered.reshape(rows, height, columns, width, -1).swapaxes(1, 2)[is_touched]
    values = tiles.astype(np.float64) @ weights.astype(np.float64)
    sums = values.reshape(-1, BLOCK, steps[0], BLOCK, steps[1]).sum(axis=(2, 4)) + offset
    transformed = _BASIS @ sums @ _BASIS.T
    return np.asarray(np.rint(transformed * factors), np.int16)


def _goes_on(pixels: Pixels, height: int, width: int) -> Pixels:
    """Pads the pixels to at least this size by repeating the last ones: blocks may reach beyond the picture."""
    below, right = max(0, height - pixels.shape[0]), max(0, width - pixels.shape[1])
    if not below and not right:
        return pixels
    wider = cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.asarray(wider, pixels.dtype).reshape(*wider.shape[:2], -1)
