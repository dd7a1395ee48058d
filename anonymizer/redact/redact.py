"""Replaces the detections in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from anonymizer.redact import gaussian, kernel
from anonymizer.redact.mask import Mask, Region, to_region
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection, Pixels


def to_regions(detections: Sequence[Detection], shape: tuple[int, int], settings: RedactSettings) -> list[Region]:
    """What is replaced in a picture of this height and width, the smallest object first."""
    by_size = sorted(detections, key=lambda detection: detection.hidden_box.longer_side)
    return [_to_region(detection, shape, settings) for detection in by_size]


def redact(pixels: Pixels, regions: Sequence[Region], mask: Mask, settings: RedactSettings) -> Pixels:
    """A copy of the picture in which every region is replaced as far as the mask says.

    Every replacement is computed from the source, so that none brings back what another hid. Where they
    overlap, the later one counts: that of the larger object, whose blur is the stronger. Where the mask is 0 the
    result equals the input.

    Args:
        regions: by rising size, see `to_regions`.
        mask: of these regions, see `union_mask`.
    """
    replacement = np.empty_like(pixels)
    for region in regions:
        replacement[region.reach.slices] = _paint(pixels, region, settings)

    result: Pixels = pixels.copy()
    for region in regions:
        part = region.reach.slices
        share = mask[part][:, :, np.newaxis]
        source = pixels[part].astype(np.float32)
        result[part] = np.rint(source + (replacement[part] - source) * share).astype(pixels.dtype)
    return result


def _to_region(detection: Detection, shape: tuple[int, int], settings: RedactSettings) -> Region:
    margin = {"face": settings.face_margin, "plate": settings.plate_margin}[detection.kind]
    if settings.obfuscation_kernel is not None:
        feather_px = settings.obfuscation_kernel.box_kernel_size - 1
    else:
        feather_px = ceil(settings.feather * detection.hidden_box.longer_side)
    return to_region(detection.hidden_box, margin, feather_px, shape)


def _paint(pixels: Pixels, region: Region, settings: RedactSettings) -> Pixels:
    if settings.obfuscation_kernel is not None:
        return kernel.paint(pixels, region, settings.obfuscation_kernel)
    return gaussian.paint(pixels, region)


def weaknesses(detections: Sequence[Detection], settings: RedactSettings) -> list[str]:
    """What a user should know about how well these detections are hidden."""
    triple = settings.obfuscation_kernel
    if triple is None:
        return []
    weak = [detection.box.longer_side for detection in detections if kernel.is_weak(triple, detection.box)]
    if not weak:
        return []
    return [
        f"the kernel {triple.kernel_size},{triple.sigma:g},{triple.box_kernel_size} is too weak for {len(weak)} of "
        f"{len(detections)} objects (the largest has {max(weak):.0f} px): they may stay recognisable; "
        "use --obfuscation-kernel auto"
    ]
