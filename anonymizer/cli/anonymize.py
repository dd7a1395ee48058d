"""The main job: a folder in, the anonymized folder out."""

from __future__ import annotations

from functools import partial
from itertools import islice
from pathlib import Path

from anonymizer.cli.options import effective_options
from anonymizer.cli.progress import Progress
from anonymizer.cli.signals import polite_stop
from anonymizer.cli.text import say, skipped_files
from anonymizer.files.find import find_pictures
from anonymizer.kinds import DEFAULT_KINDS
from anonymizer.native import is_available
from anonymizer.record.report import Report
from anonymizer.run.plan import Plan, make_plan
from anonymizer.run.runner import run
from anonymizer.run.sharding import is_in_shard
from anonymizer.settings import RunSettings, VerbositySettings, from_options, settings_from_options
from anonymizer.types import STATUSES


def anonymize_folder(config: Path | None, given: dict[str, object]) -> int:
    """Runs the main job and returns the exit code.

    Raises:
        AnonymizerError: the run cannot start, or had to stop.
    """
    options = effective_options(config, given)
    what, talk = from_options(RunSettings, options), from_options(VerbositySettings, options)
    plan = make_plan(what, settings_from_options(options))
    if what.dry_run:
        return _tell_plan(plan)
    _warn_of_kinds_without_model(plan)
    _warn_of_missing_native_code()
    with Progress(partial(_count_pictures, plan), talk.verbose > 0, talk.quiet) as progress, polite_stop() as stop:
        try:
            report = run(plan, progress.tell, stop.is_wanted)
        except KeyboardInterrupt:
            say("anonymize: interrupted", err=True)
            return stop.exit_code
    if not talk.quiet:
        _tell_summary(report, plan)
    if not report.complete:
        again = "the same command, without --overwrite," if what.overwrite else "the same command"
        say(f"anonymize: interrupted; {again} goes on from here", err=True)
        return stop.exit_code
    return report.exit_code


def _count_pictures(plan: Plan) -> int:
    """How many pictures a run will come upon."""
    listing = find_pictures(plan.input, plan.listing.extensions, plan.output)
    number = sum(is_in_shard(job.name, plan.run.shard) for job in listing)
    return number if plan.run.limit is None else min(number, plan.run.limit)


def _tell_plan(plan: Plan) -> int:
    only_detects = plan.settings.redact.only_detects(plan.kinds)
    number = 0
    for job in islice(plan.jobs, plan.run.limit):
        say(f"{job.name} -> {plan.output / (job.detections_path if only_detects else job.target)}")
        number += 1
    for job in plan.jobs:
        say(f"skipped: {job.name}: beyond --limit {plan.run.limit}")
    say(f"would look for {' and '.join(plan.kinds)} in {number} pictures; nothing written")
    settled = plan.settled()
    for result in settled:
        say(f"{result.status}: {result.file}: {result.reason}")
    _tell_not_looked_at(plan)
    return 1 if any(result.status == "failed" for result in settled) else 0


def _warn_of_missing_native_code() -> None:
    if not is_available():
        say("anonymize: warning: the native code is missing, built without a C compiler: this takes longer", err=True)


def _warn_of_kinds_without_model(plan: Plan) -> None:
    missing = [kind for kind in DEFAULT_KINDS if kind not in plan.kinds]
    if missing and plan.settings.detect.kinds is None:
        say(
            f"anonymize: warning: no model for {' and '.join(missing)}: looking for {' and '.join(plan.kinds)} only",
            err=True,
        )


def _tell_summary(report: Report, plan: Plan) -> None:
    totals = report.totals
    found = ", ".join(f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in report.detections().items())
    so_far = "" if report.complete else " so far"
    done = f"{totals.statuses['anonymized']} of {totals.pictures} pictures{so_far} anonymized ({found})"
    unchanged = f", {totals.unchanged} of them by an earlier run" if totals.unchanged else ""
    others = "".join(f", {totals.statuses[s]} {s}" for s in STATUSES[1:] if totals.statuses[s])
    say(f"{done}{unchanged}{others}")
    _tell_speed(report)
    _tell_not_looked_at(plan)
    if report.vanished:
        say(f"gone from the input, with outputs of earlier runs still there: {len(report.vanished)}; see the report")
    say(f"report: {plan.report}")


def _tell_speed(report: Report) -> None:
    work_s = report.totals.seconds.total()
    if not work_s or not report.elapsed_s:
        return
    shares = ", ".join(f"{stage} {seconds / work_s:.0%}" for stage, seconds in report.totals.seconds.items())
    by = "in one process" if report.workers < 2 else f"in {report.workers} processes"
    say(f"{report.totals.fresh / report.elapsed_s:.1f} pictures a second {by}; of the work: {shares}")


def _tell_not_looked_at(plan: Plan) -> None:
    if plan.listing.not_looked_at:
        say(skipped_files(plan.listing.not_looked_at))
