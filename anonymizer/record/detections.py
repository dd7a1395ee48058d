"""The detection JSON of a picture: written without loss, read strictly.

A list of entries, one for each detection. Every reader of such lists finds {"y_min", "x_min", "y_max", "x_max",
"score", "kind"}; all other keys may be missing. What a replay needs beside them stands in the report of the run: the
number of frames, and how many detections did not count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, BinaryIO

from anonymizer.geometry import Box
from anonymizer.kinds import KINDS
from anonymizer.outlines import PolygonOutline, RestOutline, from_plain, to_plain
from anonymizer.types import Detection, FrameDetections

_SIDES = ("y_min", "x_min", "y_max", "x_max")
_KEYS = (*_SIDES, "score", "kind", "frame", "extent", "outline", "silhouette", "in_alpha", "track", "time_s")
_OWN_LAYOUT = re.compile(rb"\[\n +\{.*\},?\n")
"""Of the first two lines of what `film_to_json` writes."""
_ROUNDING_PX = 0.01
"""Machines may compute the box around an outline with other roundings."""


def to_json(frames: Sequence[FrameDetections]) -> bytes:
    """A list of {"y_min", "x_min", "y_max", "x_max", "score", "kind"}, boxes as the model said, unwidened.

    Where weaker detections of the object reach further, "extent" holds the box around all of them, with the same
    four keys: that is what is widened and hidden. Where the exact shape is known, "outline" holds it as
    `outlines.to_plain` writes it, and it is hidden in place of the box. Where a network drew one, "silhouette"
    holds, in the same form, what is hidden together with the box. Coordinates are float pixels of the upright
    picture, half open. Where a file has several frames or pages, each entry also says in which "frame" it is, from
    0 on. Where it is known, "in_alpha" says whether the alpha channel shows something of the object, and "track" is
    the object's number in a film.
    """
    entries = [
        {**({"frame": number} if len(frames) > 1 else {}), **entry}
        for number, frame in enumerate(frames)
        for entry in _to_entries(frame)
    ]
    return json.dumps(entries, indent=2).encode() + b"\n"


def film_to_json(frames: Iterable[tuple[float, Sequence[Detection]]]) -> Iterator[bytes]:
    """The same list for a film, in pieces, since it may be long. Each entry has its "frame", and its "time_s".

    Args:
        frames: of each frame, in their order, its time on the film's clock in seconds, and what is in it.
    """
    entries = ((number, time_s, one) for number, (time_s, found) in enumerate(frames) for one in found)
    yield from film_entries_to_json(entries)


def film_entries_to_json(entries: Iterable[tuple[int, float | None, Detection]]) -> Iterator[bytes]:
    """The inverse of `film_from_json`."""
    separator = b"["
    for number, time_s, detection in entries:
        when = {} if time_s is None else {"time_s": round(time_s, 6)}
        yield separator + b"\n  " + json.dumps({"frame": number, **when, **_to_entry(detection, None)}).encode()
        separator = b","
    yield b"[]\n" if separator == b"[" else b"\n]\n"


def film_from_json(file: BinaryIO) -> Iterator[tuple[int, float | None, Detection]]:
    """The inverse of `film_to_json`: frame, time in seconds and detection of each entry, one after the other.

    Raises:
        ValueError: the content is not such a list, or its frames do not come in their order.
    """
    last = 0
    for number, entry in enumerate(_streamed(file), 1):
        try:
            detection, _, frame = _to_detection(entry)
            time_s = _to_number(entry, "time_s") if isinstance(entry, dict) and "time_s" in entry else None
            if frame < last:
                raise ValueError(f"frame {frame} comes after frame {last}")
        except ValueError as error:
            raise ValueError(f"entry {number}: {error}") from None
        last = frame
        yield frame, time_s, detection


def _streamed(file: BinaryIO) -> Iterator[object]:
    """The items of a list in JSON: line by line as `film_to_json` wrote it; in another layout it is read as a whole."""
    start = file.readline() + file.readline()
    if not _OWN_LAYOUT.fullmatch(start):
        yield from _entries(start + file.read())
        return
    file.seek(len(b"[\n"))
    has_more = True
    for line in file:
        if not has_more:
            if line != b"]\n" or file.read(1):
                raise ValueError("not JSON: the list does not end with its last entry")
            return
        has_more = line.endswith(b",\n")
        yield _parsed(line.removesuffix(b"\n").removesuffix(b","))
    raise ValueError("truncated or not JSON: the list has no end")


def _to_entries(frame: FrameDetections) -> Iterator[dict[str, object]]:
    in_alpha = None if frame.in_alpha is None else set(frame.in_alpha)
    for detection in frame.detections:
        yield _to_entry(detection, None if in_alpha is None else detection in in_alpha)


def _to_entry(detection: Detection, in_alpha: bool | None) -> dict[str, object]:
    optional = {
        "extent": None if detection.extent is None else _corners(detection.extent),
        "outline": None if detection.outline is None else to_plain(detection.outline),
        "silhouette": None if detection.silhouette is None else to_plain(detection.silhouette),
        "in_alpha": in_alpha,
        "track": detection.track,
    }
    return {
        **_corners(detection.box),
        "score": float(detection.score),
        "kind": detection.kind,
        **{key: value for key, value in optional.items() if value is not None},
    }


def _corners(box: Box) -> dict[str, float]:
    return {side: float(getattr(box, side)) for side in _SIDES}


def from_json(content: bytes, sizes: Sequence[tuple[int, int]] | None = None) -> dict[int, FrameDetections]:
    """The inverse of `to_json`: what is in each frame that an entry names. Entries without "frame" are of frame 0.

    What the alpha channel shows is taken for unknown in frames of which no entry says it. An entry without "in_alpha"
    among others that have it counts as shown there.

    Args:
        sizes: height and width of each frame of the picture; None: not known, so that boxes may lie anywhere.

    Raises:
        ValueError: the content is not such a list. The message says what is wrong, and in which entry, from 1 on.
    """
    frames: dict[int, list[tuple[Detection, bool | None]]] = {}
    for number, entry in enumerate(_entries(content), 1):
        try:
            detection, in_alpha, frame = _to_detection(entry)
            _check_place(detection, frame, sizes)
        except ValueError as error:
            raise ValueError(f"entry {number}: {error}") from None
        frames.setdefault(frame, []).append((detection, in_alpha))
    return {number: _to_frame(of_frame) for number, of_frame in frames.items()}


def _entries(content: bytes) -> list[object]:
    entries = _parsed(content)
    if not isinstance(entries, list):
        raise ValueError("not a list of detections")
    return entries


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise ValueError(f"truncated or not JSON: {error.msg} in line {error.lineno}") from None
    except RecursionError:
        raise ValueError("not a list of detections: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None


def _to_frame(of_frame: Sequence[tuple[Detection, bool | None]]) -> FrameDetections:
    detections = [detection for detection, _ in of_frame]
    if all(in_alpha is None for _, in_alpha in of_frame):
        return FrameDetections(detections)
    return FrameDetections(detections, [detection for detection, in_alpha in of_frame if in_alpha is not False])


def _to_detection(entry: object) -> tuple[Detection, bool | None, int]:
    """A detection, whether the alpha channel shows it, and its frame."""
    if not isinstance(entry, dict):
        raise ValueError("it is not a mapping of keys to values")
    for key in entry:
        if key not in _KEYS:
            raise ValueError(f"{key!r} is not one of {', '.join(_KEYS)}")
    kind = entry.get("kind")
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is not one of {', '.join(KINDS)}")
    score = _to_number(entry, "score")
    if not 0 <= score <= 1:
        raise ValueError(f"score {score} is not in the range 0..1")
    extent = entry.get("extent")
    if extent is not None and not isinstance(extent, dict):
        raise ValueError("extent is not a box")
    in_alpha = entry.get("in_alpha")
    if not (in_alpha is None or isinstance(in_alpha, bool)):
        raise ValueError("in_alpha is neither true nor false")
    track = _to_count(entry, "track") if "track" in entry else None
    detection = Detection(_to_box(entry), score, kind, None if extent is None else _to_box(extent), track=track)
    if "outline" in entry:
        detection = _with_outline(detection, entry["outline"])
    if "silhouette" in entry:
        silhouette = from_plain(entry["silhouette"])
        if not isinstance(silhouette, PolygonOutline):
            raise ValueError("silhouette is not a polygon")
        detection = replace(detection, silhouette=silhouette)
    return detection, in_alpha, _to_count(entry, "frame") if "frame" in entry else 0


def _with_outline(detection: Detection, plain: object) -> Detection:
    outline = from_plain(plain)
    differences = (abs(a - b) for a, b in zip(outline.box.xyxy, detection.box.xyxy, strict=True))
    if detection.extent is not None or max(differences) > _ROUNDING_PX:
        raise ValueError("the box is not that of the outline, or there is an extent beside it")
    return replace(detection, box=outline.box, outline=outline)


def _to_box(corners: Mapping[str, Any]) -> Box:
    sides = {side: _to_number(corners, side) for side in _SIDES}
    for low, high in (("x_min", "x_max"), ("y_min", "y_max")):
        if sides[high] < sides[low]:
            raise ValueError(f"{high} {sides[high]:g} is below {low} {sides[low]:g}")
    return Box(**sides)


def _to_number(entry: Mapping[str, Any], key: str) -> float:
    value = entry.get(key)
    if value is None:
        raise ValueError(f"{key} is missing")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} is not a number")
    try:
        number = float(value)
    except OverflowError:  # an integer beyond the range of float
        number = float("inf")
    if not isfinite(number):
        raise ValueError(f"{key} is not a finite number")
    return number


def _to_count(entry: Mapping[str, Any], key: str) -> int:
    value = entry[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{key} is not a whole number from 0 on")
    return value


def _check_place(detection: Detection, frame: int, sizes: Sequence[tuple[int, int]] | None) -> None:
    if sizes is None:
        return
    if frame >= len(sizes):
        raise ValueError(f"frame {frame} is beyond the {len(sizes)} frames of the picture")
    check_place(detection, sizes[frame])


def check_place(detection: Detection, size: tuple[int, int]) -> None:
    """
    Args:
        size: height and width of the picture.

    Raises:
        ValueError: the detection cannot be one of such a picture.
    """
    height, width = size
    if not detection.redaction_box.touches(size):
        raise ValueError(f"the box lies outside the {width} x {height} pixels of the picture")
    if isinstance(detection.outline, RestOutline) and detection.outline.size != (height, width):
        raise ValueError(f"the rest is not of a picture of {width} x {height} pixels")
