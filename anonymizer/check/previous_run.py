"""Reports and manifests of the anonymizing run: one of each, or one for each share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonymizer.errors import SettingsError
from anonymizer.record.report import REPORT_NAME, is_report
from anonymizer.record.shards import merge_reports, read_report
from anonymizer.run.manifest import MANIFEST_NAME


def _pattern(name: str) -> str:
    """Pattern for the names of a file and of its counterparts for shares, see `Shard`."""
    path = Path(name)
    return rf"{re.escape(path.stem)}(-(?P<number>\d+)-of-(?P<count>\d+))?{re.escape(path.suffix)}"


_REPORT, _MANIFEST = re.compile(_pattern(REPORT_NAME)), re.compile(_pattern(MANIFEST_NAME))


@dataclass(frozen=True)
class PreviousRun:
    """What the reports of a finished run say."""

    settings: Mapping[str, object] = field(default_factory=dict)
    """Options, as in a configuration file."""
    complete: bool = True
    """Whether the run reached its end, in all its shares."""
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The entry of each file, by its name."""


def is_of_the_run(path: Path) -> bool:
    """Whether a file at the top of an output folder is a report, whatever its name, or a manifest."""
    return bool(_REPORT.fullmatch(path.name) or _MANIFEST.fullmatch(path.name)) or _is_whole_report(path)


def _is_whole_report(path: Path) -> bool:
    if not is_report(path):
        return False
    try:
        read_report(path)
    except SettingsError:
        return False
    return True


def find_reports(folder: Path) -> list[Path]:
    """The report in an output folder, otherwise those of all shares, otherwise the only one under another name."""
    if (folder / REPORT_NAME).is_file():
        return [folder / REPORT_NAME]
    files = sorted(path for path in folder.iterdir() if path.is_file())
    shares = [path for path in files if _REPORT.fullmatch(path.name)]
    if shares:
        return shares
    others = [path for path in files if path.suffix.lower() == ".json" and _is_whole_report(path)]
    return others if len(others) == 1 else []


def read_previous_run(reports: Sequence[Path]) -> PreviousRun:
    """
    Raises:
        SettingsError: a report cannot be read or is damaged, or the reports are not of one run.
    """
    if not reports:
        return PreviousRun()
    merged = merge_reports([read_report(path) for path in reports])
    settings = merged.head["settings"]
    if not isinstance(settings, dict):
        raise SettingsError(f"report {reports[0]} is damaged: its settings are none")
    matches = [match for path in reports if (match := _REPORT.fullmatch(path.name)) and match["count"]]
    has_all = all(len(reports) == int(match["count"]) for match in matches)
    is_complete = bool(merged.head["complete"]) and has_all
    return PreviousRun(settings, is_complete, {entry["file"]: entry for entry in merged.files})
