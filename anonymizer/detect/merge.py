"""Makes one list of detections out of several that may have found the same object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.settings import KINDS
from anonymizer.types import Box, Detection

OVERLAP_LIMIT = 0.4
"""Intersection over union from which on two boxes of a kind stand for one object."""


def merge_detections(detections: Sequence[Detection]) -> list[Detection]:
    """Greedy non-maximum suppression per kind; the rest is sorted by falling score within each kind.

    What a suppressed box covers is not lost: the `extent` of a detection holds all boxes that overlap it so much that
    they stand for the same object. Boxes without an area come first, all of them.
    """
    merged = []
    for kind in KINDS:
        of_kind = [detection for detection in detections if detection.kind == kind]
        # Boxes without an area overlap nothing, which OpenCV sees differently.
        merged += [detection for detection in of_kind if not detection.box.width * detection.box.height]
        of_kind = [detection for detection in of_kind if detection.box.width * detection.box.height]
        boxes = [(d.box.x_min, d.box.y_min, d.box.width, d.box.height) for d in of_kind]
        kept = cv2.dnn.NMSBoxes(boxes, [d.score for d in of_kind], 0.0, OVERLAP_LIMIT)
        corners = _corners(of_kind)
        merged += [_with_extent(of_kind[index], of_kind, corners) for index in kept]
    return merged


def _corners(detections: Sequence[Detection]) -> npt.NDArray[np.float64]:
    """(N, 4): x_min, y_min, x_max, y_max."""
    return np.array([(d.box.x_min, d.box.y_min, d.box.x_max, d.box.y_max) for d in detections])


def _with_extent(kept: Detection, detections: Sequence[Detection], corners: npt.NDArray[np.float64]) -> Detection:
    box = _corners([kept])[0]
    shared = (np.minimum(corners[:, 2:], box[2:]) - np.maximum(corners[:, :2], box[:2])).clip(0).prod(axis=1)
    areas = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
    is_same = shared > OVERLAP_LIMIT * (areas + (box[2:] - box[:2]).prod() - shared)
    extent = _hull([detections[index].hidden_box for index in np.flatnonzero(is_same).tolist()])
    return kept if extent == kept.hidden_box else replace(kept, extent=extent)


def _hull(boxes: Sequence[Box]) -> Box:
    """The smallest box around some."""
    return Box(
        min(box.x_min for box in boxes),
        min(box.y_min for box in boxes),
        max(box.x_max for box in boxes),
        max(box.y_max for box in boxes),
    )
