"""The detection JSON of a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from anonymizer.settings import KINDS
from anonymizer.types import Box, Detection


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


def from_json(content: bytes) -> dict[int, list[Detection]]:
    """The inverse of `to_json`: the detections of each "frame", where entries name one; else all are of frame 0.

    Raises:
        ValueError: the content is no list of detections.
    """
    entries = json.loads(content)
    if not isinstance(entries, list):
        raise ValueError("is no list of detections")
    frames: dict[int, list[Detection]] = {}
    try:
        for entry in entries:
            frames.setdefault(int(entry.get("frame", 0)), []).append(_to_detection(entry))
    except (KeyError, TypeError, AttributeError, OverflowError):
        raise ValueError("holds something that is no detection") from None
    return frames


def _to_detection(entry: dict[str, Any]) -> Detection:
    if entry["kind"] not in KINDS:
        raise ValueError("holds a detection of an unknown kind")
    box = Box(*(float(entry[side]) for side in ("x_min", "y_min", "x_max", "y_max")))
    return Detection(box, float(entry["score"]), entry["kind"])
