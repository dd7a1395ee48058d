"""The detection JSON of a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from anonymizer.geometry import Box
from anonymizer.kinds import KINDS
from anonymizer.types import Detection


def to_json(frames: Sequence[Sequence[Detection]]) -> bytes:
    """A list of {"y_min", "x_min", "y_max", "x_max", "score", "kind"}, boxes as the model said, unwidened.

    Where weaker detections of the object reach further, "extent" holds the box around all of them, with the same four
    keys: that is what is widened and hidden. Coordinates are float pixels of the upright picture, half open. Where a
    file has several frames or pages, each entry also says in which "frame" it is, from 0 on.

    Args:
        frames: the detections of each frame.
    """
    entries = [
        {
            **({"frame": number} if len(frames) > 1 else {}),
            **_corners(detection.box),
            "score": detection.score,
            "kind": detection.kind,
            **({"extent": _corners(detection.extent)} if detection.extent is not None else {}),
        }
        for number, detections in enumerate(frames)
        for detection in detections
    ]
    return json.dumps(entries, indent=2).encode() + b"\n"


def _corners(box: Box) -> dict[str, float]:
    return {"y_min": box.y_min, "x_min": box.x_min, "y_max": box.y_max, "x_max": box.x_max}


def from_json(content: bytes) -> dict[int, list[Detection]]:
    """The inverse of `to_json`: the detections of each "frame", where entries name one; else all are of frame 0.

    Raises:
        ValueError: the content is not a list of detections.
    """
    entries = json.loads(content)
    if not isinstance(entries, list):
        raise ValueError("is not a list of detections")
    frames: dict[int, list[Detection]] = {}
    try:
        for entry in entries:
            frames.setdefault(int(entry.get("frame", 0)), []).append(_to_detection(entry))
    except (KeyError, TypeError, AttributeError, OverflowError):
        raise ValueError("holds something that is not a detection") from None
    return frames


def _to_detection(entry: dict[str, Any]) -> Detection:
    if entry["kind"] not in KINDS:
        raise ValueError("holds a detection of an unknown kind")
    extent = _to_box(entry["extent"]) if "extent" in entry else None
    return Detection(_to_box(entry), float(entry["score"]), entry["kind"], extent)


def _to_box(corners: dict[str, Any]) -> Box:
    return Box(*(float(corners[side]) for side in ("x_min", "y_min", "x_max", "y_max")))
