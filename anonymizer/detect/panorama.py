"""Pictures whose left and right edges belong together: panoramas of 360 degrees, such as equirectangular ones.

A strip from the opposite side is added on either edge, so that models see objects across the seam whole. Distortion
near the poles is not corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

import numpy as np

from anonymizer.detect.merge import merge_detections
from anonymizer.geometry import Box
from anonymizer.outlines import RestOutline
from anonymizer.outlines import moved as along
from anonymizer.types import Detection, Pixels8

STRIP = 1 / 8
"""Width of either strip as a share of the picture's. An object across the seam is seen whole up to twice this width."""


def wrap(picture: Pixels8) -> Pixels8:
    """The picture between two strips of itself, uint8 (H, W + 2 * strip, 3)."""
    strip = _strip(picture.shape[1])
    return np.concatenate((picture[:, -strip:], picture, picture[:, :strip]), axis=1)


def unwrap(detections: Sequence[Detection], width: int) -> list[Detection]:
    """The detections in a wrapped picture, in pixels of the picture itself, which is `width` pixels wide.

    An object across the seam was found twice, on both ends of the wrapped picture. It is merged into one and returned
    as two detections with the same score, one on either side. Detections wholly in a strip are dropped: the picture
    shows the same object.
    """
    strip = _strip(width)
    moved = [_move(detection, -strip) for detection in detections]
    in_picture = [one for one in moved if one.redaction_box.x_max > 0 and one.redaction_box.x_min < width]
    return [
        part for one in merge_detections([_start_in(one, width) for one in in_picture]) for part in _cut(one, width)
    ]


def _strip(width: int) -> int:
    return ceil(width * STRIP)


def _start_in(detection: Detection, width: int) -> Detection:
    """The same object, moved by whole widths until its centre lies in the picture."""
    x, _ = detection.box.center
    return _move(detection, -(x // width) * width)


def _cut(detection: Detection, width: int) -> list[Detection]:
    """Its part in the picture; parts beyond an edge are moved to the opposite side. Outlines may go beyond an edge."""
    parts = []
    for offset in (0, width, -width):
        moved = _move(detection, offset)
        if moved.outline is not None:
            parts += [moved] if _inside(moved.box, width) is not None else []
            continue
        extent, box = _inside(moved.redaction_box, width), _inside(moved.box, width)
        if extent is not None:
            parts.append(replace(moved, box=box or extent, extent=None if box in (None, extent) else extent))
    return parts


def _inside(box: Box, width: int) -> Box | None:
    """The part of a box in the picture; None if there is none."""
    if box.x_max <= 0 or box.x_min >= width:
        return None
    return replace(box, x_min=max(0.0, box.x_min), x_max=min(float(width), box.x_max))


def _move(detection: Detection, offset: float) -> Detection:
    extent, outline = detection.extent, detection.outline
    if outline is not None and not isinstance(outline, RestOutline):
        outline = along(outline, detection.box, _moved(detection.box, offset))
        return replace(detection, box=outline.box, outline=outline)
    return replace(
        detection, box=_moved(detection.box, offset), extent=None if extent is None else _moved(extent, offset)
    )


def _moved(box: Box, offset: float) -> Box:
    return replace(box, x_min=box.x_min + offset, x_max=box.x_max + offset)
