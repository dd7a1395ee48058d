"""What the gate found, in plain values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from anonymizer.files.inspect import FileIssueKind
from anonymizer.geometry import Box
from anonymizer.types import Kind

Trouble: TypeAlias = Literal["unreadable", "record", "missing", "uncovered", "changed", "extra", "report"]
"""What is wrong with a file or a run as a whole.

unreadable: it cannot be looked at. record: its detection JSON is damaged, or says what is not so. missing: an original
has no output. uncovered: something in the original is not hidden. changed: pixels differ where nothing was to be
hidden. extra: a file that belongs to no original. report: the run did not finish, or differs.
"""

FindingKind: TypeAlias = Kind | FileIssueKind | Trouble

Level: TypeAlias = Literal["finding", "warning", "noted", "accepted"]
"""Only a finding counts. A warning is worth a look, noted is what has an explanation, accepted what is known."""

LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the gate has to say about one file."""

    file: str
    kind: FindingKind
    text: str
    level: Level = "finding"
    box: Box | None = None
    """In pixels of the upright picture, where there is a place."""
    score: float | None = None
    frame: int = 0
    """Which of the pictures in the file, from 0 on."""

    @property
    def label(self) -> str:
        return self.kind if self.score is None else f"{self.kind} {self.score:.2f}"

    def accepted(self) -> Finding:
        return replace(self, level="accepted")


def urgency(finding: Finding) -> tuple[int, bool, float, float]:
    """Sorts by what needs a person's eye first: failures, then low scores, then tiny boxes.

    Among warnings, what was seen most surely comes first, then what is large: there something may have been missed.
    """
    size = finding.box.longer_side if finding.box is not None else 0.0
    sign = -1 if finding.level == "warning" else 1
    return LEVELS.index(finding.level), finding.box is not None, sign * (finding.score or 0.0), sign * size


def printable(text: str) -> str:
    """The text on one line, with everything escaped that a terminal or a browser would obey or cannot show.

    File names may hold line breaks, escape sequences, bytes that are not text, and what turns round their direction.
    """
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
