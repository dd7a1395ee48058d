"""Carries out a check, and writes what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from anonymizer.check import baseline
from anonymizer.check.file_check import CheckedFile, FileCheck, NumberedFile
from anonymizer.check.html_page import make_card, to_html
from anonymizer.check.plan import CheckPlan
from anonymizer.check.report import CheckReport
from anonymizer.errors import AnonymizerError, OutputError, PictureError
from anonymizer.files.output import make_output
from anonymizer.files.write import write_files
from anonymizer.run.executor import Executor
from anonymizer.run.pool import make_executor

WARNINGS_A_FILE = 2
"""So many places in doubt are warned of, on average over all files, the likeliest ones: nobody looks at more."""


def run_check(
    plan: CheckPlan,
    on_checked: Callable[[str], None] = lambda name: None,
    on_beat: Callable[[str, str], None] = lambda name, text: None,
) -> CheckReport:
    """Looks at all files, and writes what the plan asks for, however the check ends.

    The findings of the report lie in a temporary database, so that memory does not grow with their number: close it.

    Args:
        on_checked: called with the name of each file after it was looked at.
        on_beat: called while a film is looked at, with its name and how far it is.

    Raises:
        ModelError: a model cannot be loaded.
        OutputError: something that is asked for cannot be written.
    """
    if plan.check.annotate is not None:
        make_output(plan.check.annotate)
    task = FileCheck(replace(plan, files=(), known=()))
    executor: Executor[NumberedFile, CheckedFile] = make_executor(
        task, plan.check.workers, plan.check.timeout, on_beat=lambda numbered, text: on_beat(numbered[1].name, text)
    )
    report = CheckReport(plan.thresholds, plan.not_looked_at)
    try:
        for finding in plan.known:
            report.findings.add([finding], make_card(finding.file, [finding], None))
        with closing(executor):
            executor.start()
            _check_files(plan, executor, report, on_checked)
    except BaseException:
        report.close()
        raise
    return report


def _check_files(
    plan: CheckPlan,
    executor: Executor[NumberedFile, CheckedFile],
    report: CheckReport,
    on_checked: Callable[[str], None],
) -> None:
    accepted: list[baseline.Entry] = []
    # Says "incomplete", should the check be killed, and proves that it can be written.
    _write_report(plan, report)
    try:
        for (number, file), checked in executor.run(enumerate(plan.files)):
            report.findings.add(checked.findings, checked.card, number)
            report.files += 1
            accepted += checked.accepted
            on_checked(file.name)
    except BaseException:
        with suppress(AnonymizerError):  # the first error is the one to report
            _write_report(plan, report)
        raise
    report.findings.limit_doubts(WARNINGS_A_FILE * report.files)
    report.complete = True
    _write_report(plan, report)
    if plan.check.write_baseline and plan.check.baseline is not None:
        renewed = baseline.renew(plan.accepted, accepted, {file.name for file in plan.files})
        _write(plan.check.baseline, [baseline.to_json(renewed)])


def _write_report(plan: CheckPlan, report: CheckReport) -> None:
    if plan.check.json is not None:
        _write(plan.check.json, report.to_json())
    if plan.check.html is not None:
        summary = report.summary() if report.complete else "The check did not finish."
        _write(plan.check.html, to_html(report.findings.articles(), summary))


def _write(path: Path, content: Iterable[bytes]) -> None:
    try:
        write_files(path.parent, {Path(path.name): content})
    except PictureError as error:
        raise OutputError(f"{path} {error}") from None
