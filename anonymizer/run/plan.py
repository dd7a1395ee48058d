"""Decides what a run will do, and refuses what it must not, before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from anonymizer.detect.catalogue import checksum
from anonymizer.detect.load import choose_models, chosen_kinds, thresholds_of
from anonymizer.errors import OutputError, SettingsError
from anonymizer.files.find import find_pictures
from anonymizer.files.output import check_output
from anonymizer.files.overlay import read_overlay
from anonymizer.record.report import REPORT_NAME, UsedModel
from anonymizer.settings import RunSettings, Settings
from anonymizer.types import Job, Kind, Result


@dataclass(frozen=True)
class Plan:
    """Everything that a runner needs to know."""

    input: Path
    output: Path
    report: Path
    settings: Settings
    models: Sequence[UsedModel]
    kinds: tuple[Kind, ...]
    jobs: Sequence[Job]
    settled: Sequence[Result]
    """What is known already: folders that cannot be listed or came up before, pictures beyond the limit."""
    not_looked_at: Counter[str]
    """Files that are no pictures by their extension, counted by it."""


def make_plan(run: RunSettings, settings: Settings) -> Plan:
    """Lists the pictures and checks models and folders. Loads no model and writes nothing.

    Raises:
        SettingsError: the input is no folder or holds no picture, a folder is not named, the overlay is no picture, or
            nothing would be written.
        ModelError: a model is missing or damaged.
        OutputError: the output is refused.
    """
    if run.input is None or run.image_output is None:
        missing = "--input" if run.input is None else "--image-output"
        raise SettingsError(f"missing {missing}; try 'anonymize --help'")
    check_output(run.input, run.image_output, run.overwrite)
    listing = find_pictures(run.input, settings.find.image_extensions, run.image_output)
    report = run.report if run.report is not None else run.image_output / REPORT_NAME
    _check_report(report, run, listing.jobs)
    if not listing.jobs and not run.allow_empty:
        raise SettingsError(
            f"input folder {run.input} holds no picture ({', '.join(settings.find.image_extensions)}); "
            "see --image-extensions, or add --allow-empty if that is no mistake"
        )
    models = choose_models(settings.detect)
    used = [
        UsedModel(model.name, checksum(model), model.found_kinds, thresholds_of(model, settings.detect))
        for model in models
    ]
    kinds = chosen_kinds(models, settings.detect)
    if settings.redact.only_detects(kinds) and not settings.record.write_detections:
        raise SettingsError("--no-write-detections: with --method none there is nothing else to write")
    if settings.redact.overlay is not None:
        read_overlay(settings.redact.overlay)
    limit = run.limit if run.limit is not None else len(listing.jobs)
    settled = [Result(f"{folder}/", "failed", reason) for folder, reason in listing.unreadable.items()]
    settled += [
        Result(f"{link}/", "skipped", f"the same folder as {folder}/") for link, folder in listing.repeated.items()
    ]
    settled += [Result(job.name, "skipped", f"beyond --limit {limit}") for job in listing.jobs[limit:]]
    return Plan(
        input=run.input,
        output=run.image_output,
        report=report,
        settings=settings,
        models=used,
        kinds=kinds,
        jobs=listing.jobs[:limit],
        settled=settled,
        not_looked_at=listing.not_looked_at,
    )


def _check_report(report: Path, run: RunSettings, jobs: Sequence[Job]) -> None:
    assert run.input is not None
    assert run.image_output is not None
    real, output = report.resolve(), run.image_output.resolve()
    if real.is_relative_to(run.input.resolve()):
        raise OutputError(f"report {report} lies inside the input folder; choose another place with --report")
    if report.exists() and not report.is_file():
        raise OutputError(f"report {report} is no file; choose another place with --report")
    if report.exists() and not run.overwrite:
        raise OutputError(f"report {report} exists; add --overwrite to replace it")
    if real.is_relative_to(output) and real.relative_to(output) in {
        path for job in jobs for path in (job.target, job.record)
    }:
        raise OutputError(f"report {report} would take the place of an output; choose another place with --report")
