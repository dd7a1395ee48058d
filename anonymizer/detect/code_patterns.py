"""Whether a code that cannot be read has what every code of its kind has: a sound shape, and its fixed patterns.

Rings on a dress lie like the three finder patterns of a QR code, and edges in a crowd like the border of a Data Matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

SHORTEST_PX = 8
"""The shortest side. All these codes have more modules than that, and none can be told below a pixel a module."""
UNLIKE_SIDES = 3.0
"""Opposite sides may differ by so much: a side that is seen at a third of the other's size."""
ALIKE = {"QRCode": 0.55, "MicroQRCode": 0.8, "RMQRCode": 0.8, "DataMatrix": 0.5}
"""The correlation with the patterns from which on they count as seen. Measured on codes that cannot be read, blurred by
up to 0.6 modules: 0.66 and more for QR, 0.94 for the others, 0.38 for Data Matrix; on rings of a dress and on 200
photographs 0.54 at most for QR, 0.78 for the small ones with one finder pattern alone, 0.46 for Data Matrix."""
SMALL = {"DataMatrix": 0.05}
"""The share of a picture up to which codes are hidden without their patterns: blur takes those of Data Matrix first."""
SMALLEST_MODULE_PX = 0.9

_NO_MAP: Any = None
_WITHIN = np.array([(x, y) for x in (0.2, 0.5, 0.8) for y in (0.2, 0.5, 0.8)], np.float32)
"""Where in a module its brightness is taken."""
_FINDER = 2 * np.pad(np.pad(np.ones((3, 3), np.int8), 1), 1, constant_values=1) - 1
"""ISO/IEC 18004: seven modules a side, 1 where it is dark, -1 where it is light."""

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Modules of a code that are the same whatever it says."""

    places: Floats
    """(N, 2): x, y of their upper left corners, in modules."""
    signs: Floats
    """(N,): 1 where it is dark, -1 where it is light."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A size that codes of some format have, and the patterns that all of that size have."""

    rows: int
    columns: int
    patterns: tuple[Pattern, ...]


def is_plausible(gray: Gray, corners: Floats, format_name: str) -> bool:
    """Whether a code of two dimensions that cannot be read may be one.

    Args:
        gray: (H, W).
        corners: (4, 2), x and y, in its pixels: upper left, upper right, lower right, lower left, as the code itself
            has them.
        format_name: as the library names it. Of formats that are not in `ALIKE` the shape alone is looked at.
    """
    if not _is_sound(corners):
        return False
    area = abs(float(cv2.contourArea(corners)))
    if format_name not in ALIKE or area < SMALL.get(format_name, 0.0) * gray.size:
        return True
    return likeness(gray, corners, format_name) >= ALIKE[format_name]


def _is_sound(corners: Floats) -> bool:
    """Whether they are those of a convex quadrilateral that is neither tiny nor all too slanted."""
    if not cv2.isContourConvex(corners):
        return False
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    ratios = np.maximum(sides / np.roll(sides, 2), np.roll(sides, 2) / sides) if sides.min() > 0 else np.full(4, np.inf)
    return bool(sides.min() >= SHORTEST_PX and ratios.max() <= UNLIKE_SIDES)


def likeness(gray: Gray, corners: Floats, format_name: str) -> float:
    """The correlation of the least similar pattern with what is there, for the size that fits best; see `is_plausible`.

    Returns:
        -1 to 1; dark codes on light ground and light ones on dark count alike.
    """
    width, height = (float(np.linalg.norm(corners[i] - corners[0])) for i in (1, 3))
    fitting = [
        symbol
        for symbol in symbols(format_name)
        if width >= SMALLEST_MODULE_PX * symbol.columns and height >= SMALLEST_MODULE_PX * symbol.rows
    ]
    return max((_likeness_of(gray, corners, symbol) for symbol in fitting), default=-1.0)


def _likeness_of(gray: Gray, corners: Floats, symbol: Symbol) -> float:
    rows, columns = symbol.rows, symbol.columns
    whole = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32)
    to_picture = cv2.getPerspectiveTransform(whole, corners)
    darkness = [
        -_correlation(_brightness(gray, to_picture, pattern.places), pattern.signs) for pattern in symbol.patterns
    ]
    return max(min(darkness), min(-one for one in darkness))


def _brightness(gray: Gray, to_picture: npt.NDArray[Any], places: Floats) -> Floats:
    """(N,): of modules."""
    points = cv2.perspectiveTransform((places[:, np.newaxis] + _WITHIN).reshape(-1, 1, 2), to_picture)
    there = np.asarray(points.reshape(len(places), -1, 2) - 0.5, np.float32)
    values = cv2.remap(gray, there, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values.mean(axis=1), np.float32)


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other) / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-6)


@cache
def symbols(format_name: str) -> tuple[Symbol, ...]:
    """All sizes of a format."""
    return tuple(_SYMBOLS[format_name]())


def _qr() -> Iterator[Symbol]:
    """ISO/IEC 18004: three finder patterns, each with light modules on its two inner sides."""
    finder = np.pad(_FINDER, ((0, 1), (0, 1)), constant_values=-1)
    for side in range(21, 178, 4):
        far = side - len(finder)
        corners = (_pattern(finder), _pattern(finder[:, ::-1], x=far), _pattern(finder[::-1], y=far))
        yield Symbol(side, side, corners)


def _micro_qr() -> Iterator[Symbol]:
    finder = _pattern(np.pad(_FINDER, ((0, 1), (0, 1)), constant_values=-1))
    for side in range(11, 18, 2):
        yield Symbol(side, side, (finder,))


def _rmqr() -> Iterator[Symbol]:
    """ISO/IEC 23941. The lowest have as many rows as the finder pattern."""
    finder = _pattern(np.pad(_FINDER, ((0, 0), (0, 1)), constant_values=-1))
    for rows in range(7, 18, 2):
        for columns in (27, 43, 59, 77, 99, 139):
            yield Symbol(rows, columns, (finder,))


def _data_matrix() -> Iterator[Symbol]:
    """ISO/IEC 16022: a border that is dark on the left and below, and takes turns above and on the right."""
    squares = (*range(10, 27, 2), *range(32, 53, 4), *range(64, 105, 8), 120, 132, 144)
    oblongs = ((8, 18), (8, 32), (12, 26), (12, 36), (16, 36), (16, 48))
    for rows, columns in (*((side, side) for side in squares), *oblongs):
        border = np.zeros((rows, columns), np.int8)
        border[0] = 1 - 2 * (np.arange(columns) % 2)
        border[:, -1] = 2 * (np.arange(rows) % 2) - 1
        border[-1] = border[:, 0] = 1
        yield Symbol(rows, columns, (_pattern(border),))


_SYMBOLS = {"QRCode": _qr, "MicroQRCode": _micro_qr, "RMQRCode": _rmqr, "DataMatrix": _data_matrix}


def _pattern(signs: npt.NDArray[np.int8], x: int = 0, y: int = 0) -> Pattern:
    """
    Args:
        signs: (rows, columns), 0 where a module depends on what the code says.
        x: of its upper left module.
        y: likewise.
    """
    rows, columns = np.nonzero(signs)
    places = np.stack([columns + x, rows + y], axis=1)
    return Pattern(places.astype(np.float32), signs[rows, columns].astype(np.float32))
