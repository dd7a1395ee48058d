"""The main job: a folder in, the anonymized folder out."""

from __future__ import annotations

from functools import partial
from itertools import islice
from pathlib import Path

from anonymizer.cli.logs import logging_to
from anonymizer.cli.options import effective_options
from anonymizer.cli.progress import Progress
from anonymizer.cli.signals import polite_stop
from anonymizer.cli.text import counted, echo, pictures_and_films, skipped_files
from anonymizer.files.find import find_pictures, has_extension
from anonymizer.formats import FILM_EXTENSIONS
from anonymizer.kinds import DEFAULT_KINDS, MODEL_KINDS, TRAITS, default_kinds
from anonymizer.native import is_available
from anonymizer.record.report import Report
from anonymizer.run.plan import Plan, make_plan
from anonymizer.run.replay import records_at_hand
from anonymizer.run.runner import run
from anonymizer.run.sharding import is_in_shard
from anonymizer.settings import RunSettings, Settings, VerbositySettings, from_options, settings_from_options
from anonymizer.types import STATUSES


def anonymize_folder(config: Path | None, given: dict[str, object]) -> int:
    """Runs the main job and returns the exit code.

    Raises:
        AnonymizerError: the run cannot start, or had to stop.
    """
    options = effective_options(config, given)
    verbosity = from_options(VerbositySettings, options)
    with logging_to(verbosity), records_at_hand(from_options(RunSettings, options)) as what:
        return _run(what, settings_from_options(options), verbosity)


def _run(what: RunSettings, settings: Settings, verbosity: VerbositySettings) -> int:
    plan = make_plan(what, settings)
    if what.dry_run:
        return _print_plan(plan, verbosity.quiet)
    _warn_of_kinds_without_model(plan)
    _warn_of_what_a_preset_adds(plan)
    _warn_of_what_stays_visible(plan)
    _warn_of_missing_native_code()
    with (
        Progress(partial(_count_files, plan), verbosity.verbose > 0, verbosity.quiet) as progress,
        polite_stop() as stop,
    ):
        try:
            report = run(plan, progress.show, stop.is_wanted, lambda job, text: progress.tell(job.name, text))
        except KeyboardInterrupt:
            echo("anonymize: interrupted", err=True)
            return stop.exit_code
    if not verbosity.quiet:
        _print_summary(report, plan)
    if not report.complete:
        again = "the same command, without --overwrite," if what.overwrite else "the same command"
        echo(f"anonymize: interrupted; {again} goes on from here", err=True)
        return stop.exit_code
    return report.exit_code


def _count_files(plan: Plan) -> tuple[int, int]:
    """How many files a run will come upon, and how many of them are films."""
    listing = find_pictures(plan.input, plan.listing.extensions, plan.output)
    number = films = 0
    for job in islice((job for job in listing if is_in_shard(job.name, plan.run.shard)), plan.run.limit):
        number += 1
        films += has_extension(job.source, FILM_EXTENSIONS)
    return number, films


def _print_plan(plan: Plan, is_quiet: bool) -> int:
    def say(text: str) -> None:
        if not is_quiet:
            echo(text)

    number = films = 0
    for job in islice(plan.jobs, plan.run.limit):
        say(f"{job.name} -> {plan.output / plan.outputs_of(job)[0]}")
        number += 1
        films += has_extension(job.source, FILM_EXTENSIONS)
    for job in plan.jobs:
        say(f"skipped: {job.name}: beyond --limit {plan.run.limit}")
    say(f"would {_what_is_done(plan)} in {number} {pictures_and_films(number, films)}; nothing written")
    problems = plan.listing_problems()
    for result in problems:
        if result.status == "failed":
            echo(f"anonymize: failed: {result.file}: {result.reason}", err=True)
        else:
            say(f"{result.status}: {result.file}: {result.reason}")
    if not is_quiet:
        _print_not_looked_at(plan)
    return 1 if any(result.status == "failed" for result in problems) else 0


def _what_is_done(plan: Plan) -> str:
    if plan.replay is not None:
        found = [f"redact what is recorded of {' and '.join(plan.kinds)}"]
    else:
        looked_for = [kind for kind in plan.kinds if kind in MODEL_KINDS]
        found = [f"look for {' and '.join(looked_for)}"] if looked_for else []
    if plan.settings.detect.redact_zone:
        found.append("hide zones")
    if plan.settings.detect.hide_all_but:
        found.append("hide all but what edits keep")
    return " and ".join(found)


def _warn_of_what_stays_visible(plan: Plan) -> None:
    if plan.settings.choose.hide_only is not None:
        echo(
            "anonymize: warning: --hide-only leaves every face visible that is surely none of the people in the "
            "gallery: the output shows recognisable people",
            err=True,
        )
    if plan.settings.choose.text_match is not None:
        text = "--text-match leaves all text visible that surely reads as something else; the report lists where"
        echo(f"anonymize: warning: {text}", err=True)
    if plan.chosen_by:
        options = " and ".join(f"--{key}" for key in plan.chosen_by)
        text = f"the records come from a run with {options}: what that left visible is not in them, and stays visible"
        echo(f"anonymize: warning: {text}", err=True)


def _warn_of_missing_native_code() -> None:
    if not is_available():
        echo("anonymize: warning: the native code is missing, built without a C compiler: this takes longer", err=True)


def _warn_of_kinds_without_model(plan: Plan) -> None:
    missing = [kind for kind in default_kinds(plan.settings.detect.preset) if kind not in plan.kinds]
    if missing and plan.settings.detect.kinds is None:
        echo(
            f"anonymize: warning: no model for {' and '.join(missing)}: looking for {' and '.join(plan.kinds)} only",
            err=True,
        )


def _warn_of_what_a_preset_adds(plan: Plan) -> None:
    preset = plan.settings.detect.preset
    left_out = [kind for kind in default_kinds(preset) if kind not in (*DEFAULT_KINDS, *plan.kinds)]
    if left_out and plan.settings.detect.kinds is not None and plan.replay is None:
        what = " and ".join(TRAITS[kind].plural for kind in left_out)
        text = f"--preset {preset} is there to look for {what}, which --kinds does not name: they are not looked for"
        echo(f"anonymize: warning: {text}", err=True)


def _print_summary(report: Report, plan: Plan) -> None:
    totals = report.totals
    found = ", ".join(counted(kind, number) for kind, number in report.detections().items())
    so_far = "" if report.complete else " so far"
    what = pictures_and_films(totals.pictures, totals.films)
    done = f"{totals.statuses['anonymized']} of {totals.pictures} {what}{so_far} anonymized ({found})"
    unchanged = f", {totals.unchanged} of them by an earlier run" if totals.unchanged else ""
    words = {"kept": "kept as changed by hand"}
    others = "".join(f", {totals.statuses[s]} {words.get(s, s)}" for s in STATUSES[1:] if totals.statuses[s])
    echo(f"{done}{unchanged}{others}")
    if totals.pictures_of_people:
        mean = totals.people / totals.pictures_of_people
        echo(f"people, estimated: {totals.people}, {mean:.1f} a picture")
    _print_speed(report)
    _print_not_looked_at(plan)
    if report.orphaned:
        echo(f"gone from the input, with outputs of earlier runs still there: {len(report.orphaned)}; see the report")
    echo(f"report: {plan.report}")


def _print_speed(report: Report) -> None:
    work_s = report.totals.seconds.total()
    done = report.totals.fresh - report.totals.statuses["failed"]
    if done <= 0 or not work_s or not report.elapsed_s:
        return
    shares = ", ".join(f"{stage} {seconds / work_s:.0%}" for stage, seconds in report.totals.seconds.items())
    by = "in one process" if report.workers < 2 else f"in {report.workers} processes"
    what = pictures_and_films(report.totals.pictures, report.totals.films)
    echo(f"{report.totals.fresh / report.elapsed_s:.1f} {what} a second {by}; of the work: {shares}")


def _print_not_looked_at(plan: Plan) -> None:
    if plan.listing.not_looked_at:
        echo(skipped_files(plan.listing.not_looked_at))
