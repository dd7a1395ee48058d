"""Measures how much an area of a picture still shows.

A redacted area depends on a few cells, so it is smooth or flat at finer scales.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.types import Pixels8

Plane: TypeAlias = npt.NDArray[np.float32]

SCALE = 1 / 16
"""Detail is finer than this share of an area's longer side: a quarter of a cell, of which there are four."""
SMALLEST_PX = 6.0
"""Areas with both sides below this hardly have more pixels than cells, so they cannot be judged."""
MAX_DETAIL, MAX_DETAIL_SHARE = 3.0, 0.12
"""An area counts as redacted if its median detail is below one of these: levels of 256, and share of its contrast.

Measured on 7,548 faces found in photographs (tests/benchmarks/gate.py): 99.9 % of them do once they are redacted;
unredacted, 3 % of those of 48 pixels and more, 10 % from 24, 20 % from 16 and 31 % from 12 pixels on. All but one of
1,014 sampled detections behind one cell, the present default, do.
"""
MIN_FLAT_SHARE = 0.5
"""It also counts if this share of its pixels equal their neighbours, as in a mosaic or a solid colour."""


def is_featureless(pixels: Pixels8, where: npt.NDArray[np.bool_]) -> bool:
    """Whether an area shows no more than a few soft or flat patches.

    Args:
        pixels: (h, w, C) of the area.
        where: (h, w), the part of it to look at.
    """
    if max(pixels.shape[:2]) < SMALLEST_PX or not where.any():
        return True
    plane = _gray(pixels)
    values = plane[where]
    detail = float(np.median(np.abs(_detail(plane)[where])))
    is_smooth = detail <= max(MAX_DETAIL, MAX_DETAIL_SHARE * (float(values.std()) + 1))
    return is_smooth or _flat_share(pixels, where) >= MIN_FLAT_SHARE


def is_featureless_within(pixels: Pixels8, where: npt.NDArray[np.bool_], size_px: float) -> bool:
    """The same of a shape such as a thin stroke, with no regard to what lies around it.

    Args:
        pixels: (h, w, C) of the box around the shape.
        where: (h, w), the shape.
        size_px: what its detail is measured by, see `outlines`.
    """
    if size_px < SMALLEST_PX or not where.any():
        return True
    plane = _gray(pixels)
    detail = float(np.median(np.abs(_detail_within(plane, where, size_px)[where])))
    is_smooth = detail <= max(MAX_DETAIL, MAX_DETAIL_SHARE * (float(plane[where].std()) + 1))
    return is_smooth or _flat_share(pixels, where) >= MIN_FLAT_SHARE


def detail_left(original: Pixels8, redacted: Pixels8) -> float:
    """The share of an area's detail that is still there: 1 where nothing changed, about 0 behind cells or a colour.

    The slope of the redacted detail over the original detail (least squares through the origin). About 0 for an
    original without any detail.

    Args:
        original, redacted: (h, w, C) of the same area.
    """
    return _slope(_detail(_gray(original)), _detail(_gray(redacted)))


def levels_of_detail(pixels: Pixels8) -> float:
    """How strong the detail of an area is: levels of 256, root mean square."""
    return float(np.sqrt(np.square(_detail(_gray(pixels))).mean()))


def detail_left_within(original: Pixels8, redacted: Pixels8, where: npt.NDArray[np.bool_], size_px: float) -> float:
    """The same within a shape, see `is_featureless_within`; 0 for one without a pixel."""
    before, after = (_detail_within(_gray(pixels), where, size_px)[where] for pixels in (original, redacted))
    return _slope(before, after) if where.any() else 0.0


def _slope(before: Plane, after: Plane) -> float:
    one_level = before.size  # so that noise below one level of 256 counts as flat
    return float((before * after).sum() / ((before**2).sum() + one_level))


def _gray(pixels: Pixels8) -> Plane:
    gray: Plane = pixels.astype(np.float32).mean(axis=2, dtype=np.float32)
    return gray


def _detail(plane: Plane) -> Plane:
    """What a blur at the scale of the area removes."""
    sigma_px = max(0.5, SCALE * max(plane.shape))
    blurred = cv2.GaussianBlur(plane, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
    detail: Plane = plane - blurred.reshape(plane.shape)
    return detail


def _detail_within(plane: Plane, where: npt.NDArray[np.bool_], size_px: float) -> Plane:
    """What a blur of the shape alone removes; 0 outside of it."""
    sigma_px, share = max(0.5, SCALE * size_px), where.astype(np.float32)
    total, weight = (
        cv2.GaussianBlur(values, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT).reshape(plane.shape)
        for values in (plane * share, share)
    )
    detail: Plane = (plane - total / np.maximum(weight, np.float32(1e-6))) * share
    return detail


def _flat_share(pixels: Pixels8, where: npt.NDArray[np.bool_]) -> float:
    values = pixels.astype(np.int16)
    is_flat = np.zeros(where.shape, bool)
    is_flat[1:, 1:] = (values[1:, 1:] == values[:-1, 1:]).all(axis=2) & (values[1:, 1:] == values[1:, :-1]).all(axis=2)
    return float(is_flat[where].mean())
