"""All findings of a check: counts, exit code, JSON and a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from textwrap import indent
from typing import Any

from anonymizer._version import __version__
from anonymizer.check.finding import LEVELS, Finding, Level, place_in_time
from anonymizer.check.store import FindingStore
from anonymizer.check.thresholds import Thresholds
from anonymizer.text import printable


class CheckReport:
    """Grows while a check goes on; owns its exit code."""

    def __init__(self, thresholds: Thresholds, not_looked_at: Mapping[str, int]) -> None:
        """
        Args:
            not_looked_at: files that are not pictures, counted by extension.
        """
        self.thresholds = thresholds
        self.not_looked_at = not_looked_at
        self.findings = FindingStore()
        self.files = 0
        """How many files were looked at."""
        self.complete = False
        """Whether the check reached its end."""

    def close(self) -> None:
        """The findings can no longer be read; counts can."""
        self.findings.close()

    @property
    def exit_code(self) -> int:
        """0, or 1 if something was found."""
        return 1 if self.count("finding") else 0

    def count(self, level: Level) -> int:
        return self.findings.levels[level]

    def summary(self) -> str:
        """One sentence."""
        text = f"{self.files} files checked: {_number(self.count('finding'), 'finding')}"
        if self.count("finding"):
            text += f" in {_number(self.findings.files_with('finding'), 'file')}"
        text += f", {_number(self.count('warning'), 'warning')}, {self.count('noted')} noted"
        return text + (f", {self.count('accepted')} accepted" if self.count("accepted") else "")

    def to_json(self) -> Iterator[bytes]:
        """In pieces, as it may be large."""
        head: dict[str, Any] = {
            "program": {"name": "anonymize check", "version": __version__},
            "complete": self.complete,
            "thresholds": {
                "reported": dict(self.thresholds.reported),
                "run": dict(self.thresholds.run),
                "sure": dict(self.thresholds.sure),
            },
            "totals": {
                "files": self.files,
                **{level: self.count(level) for level in LEVELS},
                "files_not_looked_at": dict(sorted(self.not_looked_at.items())),
            },
        }
        yield json.dumps(head, indent=2).removesuffix("\n}").encode() + b',\n  "findings": ['
        separator = "\n"
        for finding in self.findings:
            yield (separator + indent(json.dumps(_entry(finding), indent=2), "    ")).encode()
            separator = ",\n"
        yield b"]\n}\n" if separator == "\n" else b"\n  ]\n}\n"


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
    if finding.frame or finding.time_s is not None:
        entry["frame"] = finding.frame
    of_film = {"time_s": finding.time_s, "track": finding.track, "frames": finding.frames}
    entry |= {key: value for key, value in of_film.items() if value is not None}
    if finding.score is not None:
        entry["score"] = finding.score
    return entry


def to_table(findings: Iterable[Finding]) -> Iterator[str]:
    """The lines of a table with the columns file, what was found, where, and what it means.

    Args:
        findings: are iterated over twice, first for the widths of the columns.
    """
    header = ("file", "found", "x, y, size", "")
    widths = [len(text) for text in header[:3]]
    is_empty = True
    for finding in findings:
        is_empty = False
        widths = [max(width, len(text)) for width, text in zip(widths, _row(finding), strict=False)]
    if is_empty:
        return
    for row in chain([header], map(_row, findings)):
        yield "  ".join([*map(str.ljust, row[:3], widths), row[3]]).rstrip()


def _row(finding: Finding) -> tuple[str, str, str, str]:
    # Escaped before the widths are measured, as escapes make names longer.
    return printable(finding.file), _what(finding), _where(finding), printable(finding.text)


def _what(finding: Finding) -> str:
    return finding.label if finding.level == "finding" else f"({finding.level}) {finding.label}"


def _where(finding: Finding) -> str:
    frame = place_in_time(finding)
    if finding.box is None:
        return frame
    box = finding.box
    return f"{box.x_min:.0f}, {box.y_min:.0f}, {box.width:.0f} x {box.height:.0f}{frame and f' of {frame}'}"
