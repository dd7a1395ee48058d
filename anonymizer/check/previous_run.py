"""Reports and manifests of the anonymizing run: one of each, or one for each share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from anonymizer.addresses import Place
from anonymizer.errors import SettingsError
from anonymizer.record.shards import NAMES, is_whole_report, merge_reports, name_pattern, read_report
from anonymizer.run.manifest import MANIFEST_NAME

_MANIFEST = re.compile(name_pattern(MANIFEST_NAME))


@dataclass(frozen=True)
class PreviousRun:
    """What the reports of a finished run say."""

    settings: Mapping[str, object] = field(default_factory=dict)
    """Options, as in a configuration file."""
    complete: bool = True
    """Whether the run reached its end, in all its shares."""
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The entry of each file, by its name."""


def is_of_the_run(path: Place) -> bool:
    """Whether a file at the top of an output folder is a report, whatever its name, or a manifest."""
    return bool(NAMES.fullmatch(path.name) or _MANIFEST.fullmatch(path.name)) or is_whole_report(path)


def read_previous_run(reports: Sequence[Place]) -> PreviousRun:
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
    matches = [match for path in reports if (match := NAMES.fullmatch(path.name)) and match["count"]]
    has_all = all(len(reports) == int(match["count"]) for match in matches)
    is_complete = bool(merged.head["complete"]) and has_all
    return PreviousRun(settings, is_complete, {entry["file"]: entry for entry in merged.files})
