"""What the gate found, in plain values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from anonymizer.files.inspect import FileIssueKind
from anonymizer.geometry import Box
from anonymizer.types import Kind

Trouble: TypeAlias = Literal["unreadable", "record", "missing", "uncovered", "changed", "extra", "report"]
"""What is wrong with a file or a run as a whole.

unreadable: it cannot be checked. record: its detection JSON is damaged or wrong. missing: an original has no output.
uncovered: something in the original is not hidden. changed: pixels differ where nothing was to be hidden. extra: a file
that belongs to no original. report: the run did not finish.
"""

FindingKind: TypeAlias = Kind | FileIssueKind | Trouble

Level: TypeAlias = Literal["finding", "warning", "noted", "accepted"]
"""Only findings fail the check. Warnings deserve a look, noted ones are explained, accepted ones are known."""

LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the gate reports about one file."""

    file: str
    kind: FindingKind
    text: str
    level: Level = "finding"
    box: Box | None = None
    """In pixels of the upright picture; None if it has no place in it."""
    score: float | None = None
    frame: int = 0
    """Number of the frame or page, from 0 on; in films that in which it shows most."""
    time_s: float | None = None
    """Of films: when that frame is shown, in seconds on the clock of the file."""
    track: int | None = None
    """Of films: the recorded track that it is about; None: none."""
    frames: tuple[int, int] | None = None
    """Of films: the first and the last frame in which it shows."""

    @property
    def label(self) -> str:
        return self.kind if self.score is None else f"{self.kind} {self.score:.2f}"

    def accepted(self) -> Finding:
        return replace(self, level="accepted")


def is_in_doubt(finding: Finding) -> bool:
    """Whether it is a warning of something that the models saw in a picture: there may be many, most of them wrong."""
    return finding.level == "warning" and None not in (finding.box, finding.score) and finding.time_s is None


def without_the_less_likely(finding: Finding, limit: float) -> Finding:
    """The same; a warning of something in doubt, with a score up to a limit, is noted only."""
    if is_in_doubt(finding) and (finding.score or 0.0) <= limit:
        return replace(finding, level="noted", text=f"{finding.text}; less likely than the warnings")
    return finding


def urgency(finding: Finding) -> tuple[int, bool, float, float]:
    """Sort key, what a person should look at first: failures, then low scores, then tiny boxes.

    Warnings with high scores come first, then large ones: these may be objects that were missed.
    """
    size = finding.box.longer_side if finding.box is not None else 0.0
    sign = -1 if finding.level == "warning" else 1
    return LEVELS.index(finding.level), finding.box is not None, sign * (finding.score or 0.0), sign * size


def place_in_time(finding: Finding) -> str:
    """In words; empty for the first frame of a picture. Of films: frame 12 (0.48 s; 10 to 20), track 3."""
    if finding.time_s is None:
        return f"frame {finding.frame}" if finding.frame else ""
    first, last = finding.frames or (finding.frame, finding.frame)
    span = f"; {first} to {last}" if first != last else ""
    track = "" if finding.track is None else f", track {finding.track}"
    return f"frame {finding.frame} ({finding.time_s:.2f} s{span}){track}"
