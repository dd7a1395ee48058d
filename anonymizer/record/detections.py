"""The detection JSON of a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence

from anonymizer.types import Detection


def to_json(frames: Sequence[Sequence[Detection]]) -> bytes:
    """A list of {"y_min", "x_min", "y_max", "x_max", "score", "kind"}, boxes as the model said, unwidened.

    Coordinates are float pixels of the upright picture, half open. Where a file has several frames or pages, each entry
    also says in which "frame" it is, from 0 on.

    Args:
        frames: the detections of each frame.
    """
    entries = [
        {
            **({"frame": number} if len(frames) > 1 else {}),
            "y_min": detection.box.y_min,
            "x_min": detection.box.x_min,
            "y_max": detection.box.y_max,
            "x_max": detection.box.x_max,
            "score": detection.score,
            "kind": detection.kind,
        }
        for number, detections in enumerate(frames)
        for detection in detections
    ]
    return json.dumps(entries, indent=2).encode() + b"\n"
