"""Folders that were anonymized, and what a check of them finds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from fakes import Folders
from PIL import Image

from anonymizer.addresses import Place
from anonymizer.api import anonymize_folder
from anonymizer.check.finding import Finding
from anonymizer.check.plan import make_check_plan
from anonymizer.check.run import run_check
from anonymizer.record.report import REPORT_NAME
from anonymizer.settings import settings_from_options
from anonymizer.types import Pixels


def anonymize(folders: Folders, options: dict[str, object] | None = None, **run_settings: Any) -> Path:
    """Anonymizes the input folder in this process; returns the output folder.

    Args:
        options: as in a configuration file.
        run_settings: see `anonymize_folder`.
    """
    anonymize_folder(*folders, settings_from_options(options or {}), workers=0, **run_settings)
    return folders[1]


def check(folder: Place, **options: object) -> list[Finding]:
    """All findings of a check in this process; options with underscores."""
    plan = make_check_plan([folder], {"workers": 0, **{key.replace("_", "-"): value for key, value in options.items()}})
    with closing(run_check(plan)) as report:
        assert report.complete
        return list(report.findings)


def kinds_of(findings: Iterable[Finding], level: str = "finding") -> list[tuple[str, str]]:
    """File and kind of the findings of a level."""
    return [(finding.file, finding.kind) for finding in findings if finding.level == level]


def texts_of(findings: Iterable[Finding]) -> list[str]:
    return [finding.text for finding in findings]


def change_report(output: Path, **changes: object) -> None:
    """Replaces entries of the report of a run."""
    path = output / REPORT_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def save_moving(path: Path, *frames: Pixels) -> Path:
    """An animation, or a TIFF file of several pages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = map(Image.fromarray, frames)
    options: dict[str, Any] = {"lossless": True, "exact": True} if path.suffix == ".webp" else {}
    first.save(path, save_all=True, append_images=others, duration=100, **options)
    return path
