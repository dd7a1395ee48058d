"""What people chose to show: the report says so of each file, and the gate notes it with their reason."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from anonymizer.check.finding import Finding
from anonymizer.check.verdicts import BROKEN
from anonymizer.geometry import Box, corners_of, share_inside
from anonymizer.outlines import Place, from_plain, place_from_plain
from anonymizer.types import Kind

SAME_FROM = 0.5
"""A finding is what somebody chose to show if its box has at least this IoU with that of the detection, or if at least
this share of it lies in a place that is kept."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A detection that an edit removed or made smaller, or a place that it kept where all else is hidden."""

    kind: Kind | None
    """None for a place: whatever is in it."""
    place: Place
    """Of a detection, its box."""
    frame: int | None
    """None: every one."""
    why: str
    """The reason, and who gave it when."""
    frames: range | None = None
    """Of a film: only these frames."""
    path: Sequence[tuple[int, Box]] = ()
    """Of a track in a film: where it was in some of its frames, in their order. Between them it moved evenly."""

    def place_in(self, frame: int) -> Place:
        """Where it is in a frame."""
        if not self.path:
            return self.place
        after = bisect_left(self.path, frame, key=lambda step: step[0])
        (first, one), (last, other) = self.path[max(0, after - 1)], self.path[min(after, len(self.path) - 1)]
        share = 0.0 if last == first else min(max((frame - first) / (last - first), 0.0), 1.0)
        return Box(*(a + share * (b - a) for a, b in zip(one.xyxy, other.xyxy, strict=True)))

    def is_in(self, frame: int, tolerance: int = 0) -> bool:
        """
        Args:
            tolerance: how many frames away it may be.
        """
        if self.frames is not None:
            return self.frames.start - tolerance <= frame < self.frames.stop + tolerance
        return self.frame is None or abs(frame - self.frame) <= tolerance


def choices_of(entry: Mapping[str, Any]) -> tuple[Choice, ...]:
    """Those in the entry of a file in a report. What makes no sense there explains nothing."""
    edits = entry.get("edits")
    choices = []
    for edit in edits if isinstance(edits, list) else ():
        with suppress(KeyError, TypeError, ValueError, AttributeError):
            if "remove" in edit or "resize" in edit:
                choices.append(_to_choice(edit))
            elif "keep" in edit:
                frame = int(edit["frame"]) if "frame" in edit else None
                frames = range(int(edit["frames"][0]), int(edit["frames"][1]) + 1) if "frames" in edit else None
                choices.append(Choice(None, place_from_plain(edit["keep"]), frame, _why(edit), frames))
    return tuple(choices)


def _to_choice(edit: Mapping[str, Any]) -> Choice:
    found = {key: value for key, value in edit["found"].items() if key not in ("score", "path")}
    box = Box(*map(float, found["box"])) if "box" in found else from_plain(found).box
    path = tuple((int(frame), Box(*map(float, sides))) for frame, *sides in edit["found"].get("path", ()))
    frames = range(path[0][0], path[-1][0] + 1) if path else None
    return Choice(str(edit["kind"]), box, int(edit.get("frame", 0)), _why(edit), frames, path)


def _why(edit: Mapping[str, Any]) -> str:
    who = ", ".join(str(edit[key]) for key in ("by", "at") if key in edit)
    return f"{edit.get('reason') or 'no reason given'}{f' ({who})' if who else ''}"


def places_kept(choices: Sequence[Choice], frame: int) -> list[Place]:
    """The places that somebody kept in a frame."""
    return [choice.place for choice in choices if choice.kind is None and choice.is_in(frame)]


def note_choices(findings: Sequence[Finding], choices: Sequence[Choice], is_animation: bool) -> list[Finding]:
    """The findings of a file; those that somebody chose to show are noted only.

    What is recorded as hidden and is not counts all the same.

    Args:
        is_animation: whether frames also show what is found in their neighbours.
    """
    return [_note(finding, choices, is_animation) for finding in findings]


def _note(finding: Finding, choices: Sequence[Choice], is_animation: bool) -> Finding:
    if finding.box is None or finding.level not in ("finding", "warning") or finding.text == BROKEN:
        return finding
    for choice in choices:
        is_same_kind = choice.kind is None or finding.kind in (choice.kind, "uncovered")
        is_same_frame = choice.is_in(finding.frame, int(is_animation))
        if is_same_kind and is_same_frame and _is_shown(finding.box, choice, finding.frame):
            return replace(finding, level="noted", text=f"{finding.text}, by choice: {choice.why}")
    return finding


def _is_shown(box: Box, choice: Choice, frame: int) -> bool:
    there = choice.place_in(frame)
    place = there if isinstance(there, Box) else there.box
    if choice.kind is not None:
        return place.iou(box) >= SAME_FROM
    return share_inside(box, corners_of(place)) >= SAME_FROM
