"""Makes one list of detections out of several that may have found the same object."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from anonymizer.settings import KINDS
from anonymizer.types import Detection

OVERLAP_LIMIT = 0.4
"""Intersection over union from which on two boxes of a kind stand for one object."""


def merge_detections(detections: Sequence[Detection]) -> list[Detection]:
    """Greedy non-maximum suppression per kind; the rest is sorted by falling score within each kind.

    Boxes without an area come first, all of them.
    """
    merged = []
    for kind in KINDS:
        of_kind = [detection for detection in detections if detection.kind == kind]
        # Boxes without an area overlap nothing, which OpenCV sees differently.
        merged += [detection for detection in of_kind if not detection.box.width * detection.box.height]
        of_kind = [detection for detection in of_kind if detection.box.width * detection.box.height]
        boxes = [(d.box.x_min, d.box.y_min, d.box.width, d.box.height) for d in of_kind]
        kept = cv2.dnn.NMSBoxes(boxes, [d.score for d in of_kind], 0.0, OVERLAP_LIMIT)
        merged += [of_kind[index] for index in kept]
    return merged
