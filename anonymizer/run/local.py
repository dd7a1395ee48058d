"""Runs the pipeline over a folder, picture after picture, in this process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from anonymizer.detect.load import load_detectors
from anonymizer.errors import AnonymizerError
from anonymizer.files.output import make_output
from anonymizer.files.write import write_file
from anonymizer.pipeline import process
from anonymizer.record.report import Report
from anonymizer.run.plan import Plan
from anonymizer.types import Result


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
    try:
        for result in plan.settled:
            _note(report, result, on_result)
        for job in plan.jobs:
            _note(report, process(job, plan.input, plan.output, detectors, plan.settings), on_result)
    except BaseException:
        with suppress(AnonymizerError):  # the first error is the one to tell
            _write_report(plan, report)
        raise
    report.complete = True
    _write_report(plan, report)
    return report


def _note(report: Report, result: Result, on_result: Callable[[Result], None]) -> None:
    report.results.append(result)
    on_result(result)


def _write_report(plan: Plan, report: Report) -> None:
    write_file(plan.report.parent, Path(plan.report.name), report.to_json())
