"""Joins what is found in the frames of a film: the same thing in many frames is one finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from anonymizer.check.finding import Finding
from anonymizer.geometry import Box

SAME_FROM = 0.3
"""Boxes in frames next to each other with at least this IoU show the same thing."""
GAP_S = 1.0
"""What is seen again after so long is another finding."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The same thing in frames next to each other."""

    finding: Finding
    """Where it shows most."""
    frames: int
    """In how many it was seen."""
    close_up: bytes | None
    """JPEG."""


@dataclass(slots=True)
class _Span:
    """A finding that may go on."""

    worst: Finding
    last_box: Box | None
    last_s: float
    first: int
    last: int
    number: int
    """How many frames it was seen in."""
    close_up: bytes | None


class Spans:
    """Findings of a film, frame by frame; in memory are only those of the last second."""

    def __init__(self) -> None:
        self._open: list[_Span] = []

    def add(
        self,
        frame: int,
        time_s: float,
        findings: Sequence[Finding],
        crop: Callable[[Finding], bytes | None] = lambda finding: None,
    ) -> list[Joined]:
        """Takes the findings of the next frame, and gives those that are over.

        Args:
            crop: makes a close-up of a finding in this frame.
        """
        gone = [span for span in self._open if time_s - span.last_s > GAP_S]
        self._open = [span for span in self._open if time_s - span.last_s <= GAP_S]
        taken: set[int] = set()
        for finding in findings:
            one = replace(finding, frame=frame, time_s=round(time_s, 6))
            found = self._match(one, taken)
            if found is None:
                found = _Span(one, one.box, time_s, frame, frame, 0, crop(one))
                self._open.append(found)
            elif (one.score or 0.0) > (found.worst.score or 0.0):
                found.worst, found.close_up = one, crop(one)
            taken.add(id(found))
            found.last_box, found.last_s, found.last = one.box, time_s, frame
            found.number += 1
        return [_joined(span) for span in gone]

    def finish(self) -> list[Joined]:
        """Those that are left at the end."""
        rest, self._open = self._open, []
        return [_joined(span) for span in rest]

    def _match(self, finding: Finding, taken: set[int]) -> _Span | None:
        same = [span for span in self._open if id(span) not in taken and _is_alike(span.worst, finding)]
        if finding.box is None:
            return next(iter(same), None)
        overlaps = [(span.last_box.iou(finding.box), span) for span in same if span.last_box is not None]
        likeness, best = max(overlaps, key=lambda pair: pair[0], default=(0.0, None))
        return best if likeness >= SAME_FROM else None


def _joined(span: _Span) -> Joined:
    return Joined(replace(span.worst, frames=(span.first, span.last)), span.number, span.close_up)


def _is_alike(one: Finding, other: Finding) -> bool:
    return (one.kind, one.level, one.text, one.track) == (other.kind, other.level, other.text, other.track)
