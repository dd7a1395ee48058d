"""The report of a run: what was done, what was not, with which settings and models."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from anonymizer import __version__
from anonymizer.settings import Settings
from anonymizer.types import Kind, Result

REPORT_NAME = "anonymize-report.json"


@dataclass(frozen=True)
class UsedModel:
    """A model that took part."""

    name: str
    sha256: str
    kinds: tuple[Kind, ...]
    thresholds: Mapping[Kind, float]


@dataclass
class Report:
    """Grows while a run goes on; owns its exit code."""

    settings: Settings
    models: Sequence[UsedModel]
    kinds: tuple[Kind, ...]
    """The kinds that are looked for."""
    results: list[Result] = field(default_factory=list)
    not_looked_at: Counter[str] = field(default_factory=Counter)
    """Files that are no pictures by their extension, counted by it."""
    complete: bool = False
    """Whether the run reached its end."""

    @property
    def exit_code(self) -> int:
        """0, or 1 if pictures failed."""
        return 1 if self.count("failed") else 0

    def count(self, status: str) -> int:
        return sum(result.status == status for result in self.results)

    def detections(self) -> dict[Kind, int]:
        """Detections per kind, over all pictures."""
        return {kind: sum(result.counts.get(kind, 0) for result in self.results) for kind in self.kinds}

    def seconds(self) -> dict[str, float]:
        """Wall-clock seconds per stage, over all pictures."""
        total: Counter[str] = Counter()
        for result in self.results:
            total.update(result.seconds)
        return dict(total)

    def to_json(self) -> bytes:
        """Holds no absolute path, no time and nothing about the machine or its user."""
        content: dict[str, Any] = {
            "program": {"name": "anonymize", "version": __version__},
            "complete": self.complete,
            "settings": self.settings.as_dict(),
            "settings_digest": self.settings.digest(),
            "models": [
                {"name": m.name, "sha256": m.sha256, "kinds": list(m.kinds), "thresholds": dict(m.thresholds)}
                for m in self.models
            ],
            "totals": {
                "pictures": len(self.results),
                **{status: self.count(status) for status in ("anonymized", "failed", "skipped")},
                "detections": self.detections(),
                "seconds": _rounded(self.seconds()),
                "files_not_looked_at": dict(sorted(self.not_looked_at.items())),
            },
            "files": [_entry(result) for result in self.results],
        }
        return json.dumps(content, indent=2).encode() + b"\n"


@dataclass(frozen=True)
class PastRun:
    """What the report of a run that is over says."""

    settings: Mapping[str, object] = field(default_factory=dict)
    """Options, as in a configuration file."""
    complete: bool = True
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The entry of each file, by its name."""


def from_json(content: bytes) -> PastRun:
    """What matters of a report, see `Report.to_json`.

    Raises:
        ValueError: the content is no report.
    """
    report = json.loads(content)
    try:
        files = {str(entry["file"]): dict(entry) for entry in report["files"]}
        return PastRun(dict(report["settings"]), report["complete"] is True, files)
    except (KeyError, TypeError):
        raise ValueError("is no report of this program") from None


def _entry(result: Result) -> dict[str, Any]:
    entry: dict[str, Any] = {"file": result.file, "status": result.status}
    if result.reason is not None:
        entry["reason"] = result.reason
    if result.fidelity is not None:
        entry["fidelity"] = result.fidelity
    entry["detections"] = dict(result.counts)
    entry["seconds"] = _rounded(result.seconds)
    if result.left_out:
        entry["left_out"] = list(result.left_out)
    if result.warnings:
        entry["warnings"] = list(result.warnings)
    return entry


def _rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {stage: round(value, 4) for stage, value in seconds.items()}
