"""The main job: a folder in, the anonymized folder out."""

from __future__ import annotations

from pathlib import Path

from anonymizer.cli.options import effective_options
from anonymizer.cli.progress import Progress
from anonymizer.cli.text import say
from anonymizer.record.report import Report
from anonymizer.run.local import run
from anonymizer.run.plan import Plan, make_plan
from anonymizer.settings import KINDS, RunSettings, TalkSettings, from_options, settings_from_options
from anonymizer.types import STATUSES


def anonymize_folder(config: Path | None, given: dict[str, object]) -> int:
    """Runs the main job and returns the exit code.

    Raises:
        AnonymizerError: the run cannot start, or had to stop.
    """
    options = effective_options(config, given)
    what, talk = from_options(RunSettings, options), from_options(TalkSettings, options)
    plan = make_plan(what, settings_from_options(options))
    if what.dry_run:
        _tell_plan(plan)
        return 1 if any(result.status == "failed" for result in plan.settled) else 0
    _warn_of_kinds_without_model(plan)
    with Progress(len(plan.jobs), talk.verbose, talk.quiet) as progress:
        report = run(plan, progress.tell)
    if not talk.quiet:
        _tell_summary(report, plan)
    return report.exit_code


def _tell_plan(plan: Plan) -> None:
    only_detects = plan.settings.redact.only_detects(plan.kinds)
    for job in plan.jobs:
        say(f"{job.name} -> {plan.output / (job.record if only_detects else job.target)}")
    say(f"would look for {' and '.join(plan.kinds)} in {len(plan.jobs)} pictures; nothing written")
    for result in plan.settled:
        say(f"{result.status}: {result.file}: {result.reason}")
    _tell_not_looked_at(plan)


def _warn_of_kinds_without_model(plan: Plan) -> None:
    missing = [kind for kind in KINDS if kind not in plan.kinds]
    if missing and plan.settings.detect.kinds is None:
        say(
            f"anonymize: warning: no model for {' and '.join(missing)}: looking for {' and '.join(plan.kinds)} only",
            err=True,
        )


def _tell_summary(report: Report, plan: Plan) -> None:
    found = ", ".join(f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in report.detections().items())
    done = f"{report.count('anonymized')} of {len(report.results)} pictures anonymized ({found})"
    others = "".join(f", {report.count(status)} {status}" for status in STATUSES[1:] if report.count(status))
    say(f"{done}{others}")
    _tell_not_looked_at(plan)
    say(f"report: {plan.report}")


def _tell_not_looked_at(plan: Plan) -> None:
    if plan.not_looked_at:
        counts = ", ".join(
            f"{number} {extension or 'without extension'}" for extension, number in sorted(plan.not_looked_at.items())
        )
        say(f"not looked at, since no pictures by their extension: {counts}")
