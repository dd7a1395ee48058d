"""Runs the pipeline over a folder, picture after picture, in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from anonymizer.detect.detector import Detector
from anonymizer.detect.load import load_detectors
from anonymizer.errors import AnonymizerError, OutputError, PictureError
from anonymizer.files.output import make_output
from anonymizer.files.write import write_files
from anonymizer.pipeline import process
from anonymizer.record.report import Report
from anonymizer.run.plan import Plan
from anonymizer.types import Job, Result


def run(plan: Plan, on_result: Callable[[Result], None] = lambda result: None) -> Report:
    """Carries out a plan, and writes the report however the run ends.

    Args:
        on_result: called after each picture.

    Raises:
        ModelError: a model cannot be loaded; nothing has been written.
        OutputError: the output cannot be written, or not any more.
        KeyboardInterrupt: the picture in hand has left no file under a final name.
    """
    detectors = load_detectors(plan.settings.detect)
    make_output(plan.output)
    report = Report(plan.settings, plan.models, plan.kinds, not_looked_at=plan.not_looked_at)
    _write_report(plan, report)  # says "incomplete", should the run be killed, and proves that it can be written
    try:
        for result in plan.settled:
            _note(report, result, on_result)
        for job in plan.jobs:
            _note(report, _process(plan, job, detectors, report), on_result)
    except BaseException:
        with suppress(AnonymizerError):  # the first error is the one to tell
            _write_report(plan, report)
        raise
    report.complete = True
    _write_report(plan, report)
    return report


def _process(plan: Plan, job: Job, detectors: Sequence[Detector], report: Report) -> Result:
    try:
        return process(job, plan.input, plan.output, detectors, plan.settings)
    except OutputError:
        report.results.append(Result(job.name, "failed", "the output folder cannot be written any more"))
        raise


def _note(report: Report, result: Result, on_result: Callable[[Result], None]) -> None:
    report.results.append(result)
    on_result(result)


def _write_report(plan: Plan, report: Report) -> None:
    try:
        write_files(plan.report.parent, {Path(plan.report.name): report.to_json()})
    except PictureError as error:
        raise OutputError(f"report {plan.report} {error}") from None
