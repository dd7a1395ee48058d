"""`kernel_size,sigma,box_kernel_size`: the fixed blur of the understand.ai anonymizer, for compatibility.

Cosmetic: its strength is the same for a face of 20 pixels and for one of 400, and the latter stays recognisable.
"""

from __future__ import annotations

from functools import lru_cache
from math import erf, sqrt
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.geometry import Box
from anonymizer.redact.scene import RedactionTarget, Scene
from anonymizer.settings import Kernel
from anonymizer.types import Pixels

WEAK_BELOW = 0.14
"""A blur hides a face if its standard deviation is at least this share of the face's longer side.

So strong is a mean filter half as large as the face, behind which a recogniser names few more faces than by chance.
"""
SMALLEST_WEIGHT = 1e-4
"""A smaller sum of weights is only rounding noise."""


@lru_cache(maxsize=8)
def kernel_weights(kernel: Kernel) -> npt.NDArray[np.float64]:
    """The blur kernel along one axis, (kernel_size,), adding up to 1; the blur is separable.

    Each weight is the square root of the probability that a standard normal variable falls into one of
    kernel_size bins, which together span sigma standard deviations (and half a bin) on either side.
    """
    half_bin = (2 * kernel.sigma + 1) / kernel.kernel_size / 2
    limits = np.linspace(-kernel.sigma - half_bin, kernel.sigma + half_bin, kernel.kernel_size + 1)
    cumulative = np.array([(1 + erf(limit / sqrt(2))) / 2 for limit in limits])
    weights = np.sqrt(np.diff(cumulative))
    return np.asarray(weights / weights.sum())


def sigma_px(kernel: Kernel) -> float:
    """Standard deviation of the blur kernel in pixels: 5.2 for 21,2,9."""
    weights = kernel_weights(kernel)
    offsets = np.arange(kernel.kernel_size) - kernel.kernel_size // 2
    return float(np.sqrt((weights * offsets**2).sum()))


def is_weak(kernel: Kernel, box: Box) -> bool:
    """Whether an object of this size may stay recognisable behind the blur."""
    return sigma_px(kernel) < WEAK_BELOW * box.longer_side


def paint(scene: Scene, target: RedactionTarget) -> Pixels:
    """What replaces the target: dtype of the picture, (height, width, C) of its bounds."""
    kernel, bounds = target.style.kernel, target.region.bounds
    assert kernel is not None
    radius = kernel.kernel_size // 2
    source = bounds.grown(radius, radius).inside(scene.size)
    crop, owners = np.ascontiguousarray(scene.pixels[source.slices]), scene.owners[source.slices]
    # What another method hides must not show through the blur.
    readable = (owners == 0) | (owners > scene.bounded)
    blurred = _blur(crop, kernel) if readable.all() else _blur_of_part(crop, readable, kernel)
    top, left = bounds.top - source.top, bounds.left - source.left
    return blurred[top : top + bounds.height, left : left + bounds.width]


def _blur(crop: Pixels, kernel: Kernel) -> Pixels:
    return _filter(crop, kernel).reshape(crop.shape).astype(crop.dtype, copy=False)


def _blur_of_part(crop: Pixels, readable: npt.NDArray[np.bool_], kernel: Kernel) -> Pixels:
    """The weighted mean of the readable pixels alone; black where there are none."""
    share = readable.astype(np.float32)
    total = _filter(crop * share[:, :, np.newaxis], kernel).reshape(crop.shape)
    weight = _filter(share, kernel)[:, :, np.newaxis]
    means = np.divide(total, weight, out=np.zeros_like(total), where=weight > SMALLEST_WEIGHT)
    blurred: Pixels = np.rint(means).clip(0, np.iinfo(crop.dtype).max).astype(crop.dtype)
    return blurred


def _filter(values: npt.NDArray[Any], kernel: Kernel) -> npt.NDArray[Any]:
    weights = kernel_weights(kernel)
    return cv2.sepFilter2D(values, -1, weights, weights, borderType=cv2.BORDER_REPLICATE)
