"""`kernel_size,sigma,box_kernel_size`: the fixed blur of the understand.ai anonymizer, for compatibility.

Cosmetic: its strength is the same for a face of 20 and of 400 pixels, and the latter stays recognisable.
"""

from __future__ import annotations

from functools import lru_cache
from math import erf, sqrt

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.redact.mask import Region
from anonymizer.settings import Kernel
from anonymizer.types import Box, Pixels

WEAK_BELOW = 0.14
"""A blur hides a face if its standard deviation is at least this share of the face's longer side.

That of a mean filter half as large as the face, which lets a recogniser name little more faces than chance.
"""


@lru_cache(maxsize=8)
def kernel_weights(kernel: Kernel) -> npt.NDArray[np.float64]:
    """The blur kernel along one axis, (kernel_size,), adding up to 1; the blur is separable.

    Each weight is the square root of the probability that a standard normal variable falls into one of
    kernel_size bins, which together span sigma standard deviations (and half a bin) to either side.
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


def paint(pixels: Pixels, region: Region, kernel: Kernel) -> Pixels:
    """What replaces the region's reach: as `pixels`, (height, width, C) of `region.reach`."""
    reach = region.reach
    radius = kernel.kernel_size // 2
    source = reach.grown(radius, (pixels.shape[0], pixels.shape[1]))
    weights = kernel_weights(kernel)
    crop = np.ascontiguousarray(pixels[source.slices])
    blurred = cv2.sepFilter2D(crop, -1, weights, weights, borderType=cv2.BORDER_REPLICATE)
    top, left = reach.top - source.top, reach.left - source.left
    same_type: Pixels = blurred.reshape(crop.shape).astype(pixels.dtype, copy=False)
    return same_type[top : top + reach.height, left : left + reach.width]
