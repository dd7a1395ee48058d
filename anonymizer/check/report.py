"""All findings of a check: counts, exit code, JSON and a table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from anonymizer._version import __version__
from anonymizer.check.finding import LEVELS, Finding, Level
from anonymizer.check.thresholds import Thresholds


@dataclass
class CheckReport:
    """Grows while a check goes on; owns its exit code."""

    thresholds: Thresholds
    files: list[str] = field(default_factory=list)
    """Names of the files that were looked at."""
    findings: list[Finding] = field(default_factory=list)
    not_looked_at: Counter[str] = field(default_factory=Counter)
    """Files that are no pictures, counted by extension."""
    complete: bool = False
    """Whether the check reached its end."""

    @property
    def exit_code(self) -> int:
        """0, or 1 if something was found."""
        return 1 if self.count("finding") else 0

    def count(self, level: Level) -> int:
        return sum(finding.level == level for finding in self.findings)

    def files_with(self, level: Level) -> int:
        return len({finding.file for finding in self.findings if finding.level == level})

    def summary(self) -> str:
        """One sentence."""
        text = f"{len(self.files)} files checked: {_number(self.count('finding'), 'finding')}"
        if self.count("finding"):
            text += f" in {_number(self.files_with('finding'), 'file')}"
        text += f", {_number(self.count('warning'), 'warning')}, {self.count('noted')} noted"
        return text + (f", {self.count('accepted')} accepted" if self.count("accepted") else "")

    def to_json(self) -> bytes:
        content: dict[str, Any] = {
            "program": {"name": "anonymize check", "version": __version__},
            "complete": self.complete,
            "thresholds": {
                "told": dict(self.thresholds.told),
                "run": dict(self.thresholds.run),
                "sure": dict(self.thresholds.sure),
            },
            "totals": {
                "files": len(self.files),
                **{level: self.count(level) for level in LEVELS},
                "files_not_looked_at": dict(sorted(self.not_looked_at.items())),
            },
            "findings": [_entry(finding) for finding in self.findings],
        }
        return json.dumps(content, indent=2).encode() + b"\n"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _entry(finding: Finding) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "file": finding.file,
        "level": finding.level,
        "kind": finding.kind,
        "text": finding.text,
    }
    if finding.box is not None:
        box = finding.box
        entry |= {"y_min": box.y_min, "x_min": box.x_min, "y_max": box.y_max, "x_max": box.x_max}
    if finding.frame:
        entry["frame"] = finding.frame
    if finding.score is not None:
        entry["score"] = finding.score
    return entry


def to_table(findings: Sequence[Finding]) -> list[str]:
    """Lines of a table, in columns: file, what was found, where, and what it means."""
    rows = [("file", "found", "x, y, size", "")]
    rows += [(finding.file, _what(finding), _where(finding), finding.text) for finding in findings]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return ["  ".join([*map(str.ljust, row[:3], widths), row[3]]).rstrip() for row in rows] if findings else []


def _what(finding: Finding) -> str:
    return finding.label if finding.level == "finding" else f"({finding.level}) {finding.label}"


def _where(finding: Finding) -> str:
    if finding.box is None:
        return ""
    box = finding.box
    frame = f" of frame {finding.frame}" if finding.frame else ""
    return f"{box.x_min:.0f}, {box.y_min:.0f}, {box.width:.0f} x {box.height:.0f}{frame}"
