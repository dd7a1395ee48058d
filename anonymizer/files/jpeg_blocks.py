"""The blocks of a JPEG file. Blocks that the mask touches are re-encoded with the file's own quantisation tables and
sampling; the quantised coefficients of all others stay bit for bit the same.

Nearly all files have a single scan and go through jpeg_scan, which is quick. Other files go through jpeglib, and so do
all files if the native code was not built.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import jpeglib
import numpy as np
import numpy.typing as npt
from jpeglib import dct_jpeg

from anonymizer.files import jpeg_scan
from anonymizer.files.global_state import private_files
from anonymizer.files.jpeg_segments import (
    BLOCK,
    DHT,
    DQT,
    CoefficientsError,
    Header,
    adobe_transform,
    first_scan,
    is_jfif,
    is_progressive,
    markers_behind,
    picture_data,
    quantisation_tables,
    read_header,
    read_segments,
)
from anonymizer.files.jpeg_transform import quantised_coefficients
from anonymizer.types import Pixels

logger = logging.getLogger(__name__)

_STANDARD_CODES = bytes([0x10, 0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D])  # of luminance, at their start
_LIBRARY = "turbo210"  # the quickest of those that come with jpeglib
_RGB = tuple(b"RGB")


@dataclass(frozen=True)
class NewBlocks:
    """Replacements of blocks of one component."""

    is_touched: npt.NDArray[np.bool_]
    """Which blocks are replaced, (rows, columns)."""
    coefficients: npt.NDArray[np.int16]
    """(N, 8, 8): quantised coefficients of these blocks, row by row."""


def replace_blocks(content: bytes, pixels: Pixels, changed: npt.NDArray[np.bool_]) -> bytes:
    """The picture data of the file, in which the blocks with a changed pixel are re-encoded, in all components.

    Args:
        content: a JPEG file, 8 bit, gray or YCbCr.
        pixels: uint8 (H, W, 1) or (H, W, 3) RGB, as stored (not turned upright).
        changed: (H, W), as stored.

    Returns:
        Picture data without metadata; baseline, also if the source was progressive.

    Raises:
        CoefficientsError: coefficients of this JPEG type are not accessible.
    """
    header = read_header(content)
    if not is_gray_or_ycbcr(header, content):
        raise CoefficientsError("colours other than gray and YCbCr")
    tables = quantisation_tables(content)
    new_blocks = encode_blocks(header, tables, pixels, changed)
    try:
        return jpeg_scan.replace_blocks(
            content, header, [(blocks.is_touched, blocks.coefficients) for blocks in new_blocks]
        )
    except CoefficientsError as error:
        logger.debug("blocks are replaced by jpeglib: %s", error)
        if any(marker == DQT for _, marker in markers_behind(content, first_scan(content))):
            raise CoefficientsError("quantisation tables that change from scan to scan") from None
    result = rewrite(content, new_blocks)
    _check_tables(header, tables, result)
    return picture_data(result)


def _check_tables(header: Header, tables: Mapping[int, npt.NDArray[np.float32]], result: bytes) -> None:
    """Raises an error if jpeglib lost tables, as it does if their numbers have a gap."""
    written, now = quantisation_tables(result), read_header(result)
    for one, other in zip(header.components, now.components, strict=True):
        if other.table not in written or not np.array_equal(tables[one.table], written[other.table]):
            raise CoefficientsError("quantisation tables that cannot be written")


def with_one_scan(content: bytes) -> bytes:
    """The same coefficients in a single scan, without any metadata.

    Raises:
        CoefficientsError: coefficients of this JPEG type are not accessible.
    """
    return rewrite(content, [])


def is_gray_or_ycbcr(header: Header, content: bytes) -> bool:
    """Whether the components are gray or YCbCr, as libjpeg and other decoders guess it."""
    if len(header.components) == 1:
        return True
    if len(header.components) != 3:
        return False
    identifiers = tuple(one.identifier for one in header.components)
    return is_jfif(content) or (adobe_transform(content) != 0 and identifiers != _RGB)


def rewrite(content: bytes, new_blocks: Sequence[NewBlocks]) -> bytes:
    """Reads and writes all coefficients by jpeglib, with blocks of each component replaced if there are any given.

    Raises:
        CoefficientsError: coefficients of this JPEG type are not accessible.
    """
    data, has_own_codes = b"\xff\xd8" + picture_data(content), _has_own_codes(content)
    try:
        with private_files(dct_jpeg) as new_file, jpeglib.version(_LIBRARY) if _has_library() else nullcontext():
            source, target = Path(new_file()), Path(new_file())
            source.write_bytes(data)
            jpeg = jpeglib.read_dct(str(source))
            if jpeg.jpeg_color_space.name not in ("JCS_GRAYSCALE", "JCS_YCbCr", *([] if new_blocks else ["JCS_RGB"])):
                raise CoefficientsError(f"colours {jpeg.jpeg_color_space.name}")  # jpeglib does not write black
            jpeg.load()
            components = [component for component in (jpeg.Y, jpeg.Cb, jpeg.Cr) if component is not None]
            for coefficients, new in zip(components, new_blocks, strict=False):
                coefficients[new.is_touched] = new.coefficients
            jpeg.content = None  # else it is decoded once more
            jpeg.write_dct(str(target), flags=["+OPTIMIZE_CODING"] if has_own_codes else [])
            return target.read_bytes()
    except OSError as error:
        raise CoefficientsError(str(error)) from None


@cache
def _has_library() -> bool:
    return _LIBRARY in jpeglib.version.versions()


def reach_of_blocks(content: bytes, changed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Pixels, (H, W) as stored, that may differ if the blocks with changed pixels are replaced: those of the blocks of
    the coarsest component, and around them those that decoders interpolate from its samples."""
    vertical, horizontal = _steps(content)
    height, width = changed.shape
    rows, columns = -(-height // (BLOCK * vertical)), -(-width // (BLOCK * horizontal))
    touched = _coarser(_touched(changed, (rows * vertical, columns * horizontal)), (vertical, horizontal))
    reach = touched.repeat(BLOCK * vertical, axis=0).repeat(BLOCK * horizontal, axis=1).astype(np.uint8)
    neighbours = np.ones((2 * vertical + 1, 2 * horizontal + 1), np.uint8)
    return np.asarray(cv2.dilate(reach, neighbours)[:height, :width] > 0)


def _steps(content: bytes) -> tuple[int, int]:
    """Pixels per sample of the coarsest component, vertically and horizontally."""
    try:
        return read_header(content).steps
    except CoefficientsError:
        return 1, 1


def _has_own_codes(content: bytes) -> bool:
    """Whether the Huffman codes are optimised for this picture, not those of the standard, annex K.3."""
    tables = b"".join(segment.payload for segment in read_segments(content) if segment.marker == DHT)
    return is_progressive(content) or _STANDARD_CODES not in tables


def encode_blocks(
    header: Header, tables: Mapping[int, npt.NDArray[np.float32]], pixels: Pixels, changed: npt.NDArray[np.bool_]
) -> list[NewBlocks]:
    """Re-encodes the blocks that hold a changed pixel, for each component.

    Raises:
        CoefficientsError: sizes do not match, or a quantisation table is missing or holds zeros.
    """
    if pixels.shape != (header.height, header.width, len(header.components)):
        raise CoefficientsError("its header says another size than its decoder")
    new_blocks = []
    rows = max(one.rows * one.steps[0] for one in header.components)
    columns = max(one.columns * one.steps[1] for one in header.components)
    squares = _touched(changed, (rows, columns))
    for number, one in enumerate(header.components):
        if one.table not in tables or not tables[one.table].all():
            raise CoefficientsError("a quantisation table is missing, or holds zeros")
        near = squares[: one.rows * one.steps[0], : one.columns * one.steps[1]]
        is_touched = _coarser(near, one.steps)
        coefficients = quantised_coefficients(pixels, number, is_touched, one.steps, tables[one.table])
        new_blocks.append(NewBlocks(is_touched, coefficients))
    return new_blocks


def _touched(changed: npt.NDArray[np.bool_], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which squares of 8 x 8 pixels hold a changed pixel. `shape`: number of squares, vertically and horizontally."""
    height, width = shape[0] * BLOCK, shape[1] * BLOCK
    covered = np.ascontiguousarray(changed)
    if changed.shape != (height, width):
        covered = np.zeros((height, width), bool)
        covered[: changed.shape[0], : changed.shape[1]] = changed
    rows_of_squares = covered.view(np.uint64).reshape(shape[0], BLOCK, shape[1])  # eight pixels in each number
    return np.asarray(np.bitwise_or.reduce(rows_of_squares, axis=1) != 0)


def _coarser(squares: npt.NDArray[np.bool_], steps: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which groups of squares hold a touched one. `steps`: squares in a group, vertically and horizontally."""
    return np.asarray(np.logical_or.reduce([squares[y :: steps[0], x :: steps[1]] for y, x in np.ndindex(steps)]))
