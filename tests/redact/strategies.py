"""Pictures, detections and settings that the tests of redaction draw, and how they are redacted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any, TypeAlias

import numpy as np
import pytest
from fakes import noise, noise16
from hypothesis import strategies as st

from anonymizer import native
from anonymizer.geometry import SHAPES, Box, PixelBox
from anonymizer.outlines import Drawn, EllipseOutline, PolygonOutline, StrokeOutline
from anonymizer.redact.methods import leaked_values
from anonymizer.redact.planes import Integers, Mask, Planes
from anonymizer.redact.redaction import redact
from anonymizer.redact.targets import to_style, to_targets
from anonymizer.settings import METHODS, Kernel, RedactSettings
from anonymizer.types import Detection, Pixels

SIZE = (36, 48)
"""Of the pictures in `cases`."""
_LEAKS = {method: leaked_values(to_style("face", RedactSettings(method=method, cells=2))) for method in METHODS}
READ_NOTHING = [method for method in METHODS if method != "none" and _LEAKS[method] == 0]
WITH_CELLS = [method for method in METHODS if 0 < _LEAKS[method] < inf]
"""Methods by what they claim to read of what they hide, which test_methods.py proves."""

CLASSIC = RedactSettings(obfuscation_kernel=Kernel(21, 2, 9))
EVERY_METHOD = [
    *(pytest.param(RedactSettings(method=method), id=method) for method in METHODS if method != "none"),
    pytest.param(CLASSIC, id="kernel"),
]

PLANES_SIZE = (40, 300)
"""Of `planes_of`: wider than the part of a row that the native code does at once."""

needs_native_code = pytest.mark.skipif(native.library() is None, reason="installed without a C compiler")

Case: TypeAlias = tuple[Pixels, list[Detection], RedactSettings]


@contextmanager
def by_numpy() -> Iterator[None]:
    """Redaction without native code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "library", lambda: None)
        yield


def redacted_with_mask(pixels: Pixels, found: Sequence[Detection], settings: RedactSettings) -> tuple[Pixels, Mask]:
    result, scene = redact(pixels, to_targets(found, (pixels.shape[0], pixels.shape[1]), settings))
    return result, scene.mask


def redacted(pixels: Pixels, found: Sequence[Detection], settings: RedactSettings) -> Pixels:
    return redacted_with_mask(pixels, found, settings)[0]


def bare(method: str, **options: Any) -> RedactSettings:
    """Replaces the boxes of faces alone, without margin and soft edge."""
    return RedactSettings(method=method, shape="box", face_margin=0.0, feather=0.0, **options)


def points(size: tuple[int, int] = SIZE) -> st.SearchStrategy[tuple[float, float]]:
    """In a picture of this height and width, or beside it."""
    height, width = size
    x, y = st.floats(-10, width + 10), st.floats(-10, height + 10)
    return st.tuples(x | st.integers(0, width).map(float), y | st.integers(0, height).map(float))


@st.composite
def shapes_of_people(draw: st.DrawFn, size: tuple[int, int] = SIZE) -> Drawn:
    """A polygon, which may cross itself, an ellipse or a stroke whose box touches a picture of this size."""
    place, some = points(size), st.floats(0.01, 20) | st.integers(1, 20).map(float)
    polygons = st.lists(place, min_size=3, max_size=7).map(tuple).filter(_has_area).map(PolygonOutline)
    ellipses = st.builds(EllipseOutline, place, st.tuples(some, some), st.floats(-400, 400) | st.just(0.0))
    strokes = st.builds(StrokeOutline, st.lists(place, min_size=1, max_size=5).map(tuple), some)
    return draw((polygons | ellipses | strokes).filter(lambda outline: _touches(outline.box, size)))


def _has_area(corners: Sequence[tuple[float, float]]) -> bool:
    return all(min(values) < max(values) for values in zip(*corners, strict=True))


def _touches(box: Box, size: tuple[int, int]) -> bool:
    return box.x_max > 0 and box.y_max > 0 and box.x_min < size[1] and box.y_min < size[0]


@st.composite
def detections(draw: st.DrawFn) -> Detection:
    """A face or a plate that touches a picture of SIZE, and may extend beyond it; with or without an outline."""
    height, width = SIZE
    if draw(st.integers(0, 3)) == 0:
        return Detection.of(draw(shapes_of_people()), draw(st.sampled_from(["face", "plate"])), 0.5)
    x_min, y_min = draw(st.floats(-10, width - 1)), draw(st.floats(-10, height - 1))
    x_max, y_max = draw(st.floats(max(x_min, 0), width + 10)), draw(st.floats(max(y_min, 0), height + 10))
    return Detection(Box(x_min, y_min, x_max, y_max), 0.5, draw(st.sampled_from(["face", "plate"])))


@st.composite
def cases(draw: st.DrawFn, face_methods: Sequence[str], plate_methods: Sequence[str]) -> Case:
    """Pixels of some depth, detections, and settings."""
    shapes, margins = st.sampled_from(SHAPES), st.sampled_from([0.0, 0.2, 1.0])
    make, channels = draw(st.sampled_from([noise, noise16])), draw(st.sampled_from([1, 3]))
    pixels = make(*SIZE, channels, draw(st.integers(0, 99)))
    settings = RedactSettings(
        face_method=draw(st.sampled_from(face_methods)),
        plate_method=draw(st.sampled_from(plate_methods)),
        cells=draw(st.sampled_from([0, 1, 2, 4, 16])),
        color=draw(st.sampled_from(["black", "#4080c0", "mean"])),
        face_shape=draw(shapes),
        plate_shape=draw(shapes),
        face_margin=draw(margins),
        plate_margin=draw(margins),
        feather=draw(st.sampled_from([0.0, 0.1, 1.0])),
    )
    return pixels, draw(st.lists(detections(), min_size=1, max_size=6)), settings


@st.composite
def boxes_in_pictures(draw: st.DrawFn) -> tuple[tuple[int, int], Box]:
    """The size of a picture, (height, width), and a box that touches it."""
    height, width = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    x_min, y_min = draw(st.floats(0, width - 1)), draw(st.floats(0, height - 1))
    box = Box(x_min, y_min, draw(st.floats(x_min, width)), draw(st.floats(y_min, height)))
    return (height, width), box


def planes_of(seed: int, channels: int = 3) -> Planes:
    """Planes of PLANES_SIZE on which some targets lie already, wholly and in part."""
    random = np.random.default_rng(seed)
    mask = random.choice(np.array([0, 0.25, 0.7, 1], np.float32), PLANES_SIZE)
    owners = np.where(mask > 0, random.integers(1, 3, mask.shape), 0).astype(np.int32)
    owners[:, 20:] = owners[:, 20:21]
    mask[:, 20:] = mask[:, 20:21]
    return Planes(noise(*PLANES_SIZE, channels, seed), mask, owners)


@st.composite
def areas(draw: st.DrawFn) -> PixelBox:
    """Of a picture of PLANES_SIZE."""
    height, width = PLANES_SIZE
    top, bottom = sorted(draw(st.lists(st.integers(0, height), min_size=2, max_size=2, unique=True)))
    left, right = sorted(draw(st.lists(st.integers(0, width), min_size=2, max_size=2, unique=True)))
    return PixelBox(top, left, bottom, right)


@st.composite
def wholes(draw: st.DrawFn) -> PixelBox:
    """Of shapes that may extend beyond a picture of PLANES_SIZE on any side, or lie wholly outside."""
    top, left = draw(st.integers(-60, 80)), draw(st.integers(-220, 500))
    return PixelBox(top, left, top + draw(st.integers(1, 80)), left + draw(st.integers(1, 400)))


@st.composite
def edges(draw: st.DrawFn, length: int) -> Integers:
    """Of the cells of two grids with the same number of cells, which may be empty, along an axis of this length."""
    count = draw(st.integers(2, 6))
    grid = st.lists(st.integers(0, length), min_size=count, max_size=count).map(sorted)
    return np.array([draw(grid), draw(grid)], np.int32)
