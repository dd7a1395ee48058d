"""`anonymize check`: the gate."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonymizer.addresses import Place
from anonymizer.cli.help import GroupedCommand
from anonymizer.cli.options import effective_options, setting_options
from anonymizer.cli.places import PLACE
from anonymizer.cli.text import echo, skipped_files
from anonymizer.formats import FILM_EXTENSIONS
from anonymizer.settings import CHECK_SETTINGS, VerbositySettings, from_options

if TYPE_CHECKING:
    from anonymizer.check.report import CheckReport

EPILOG = """
\b
Example:
  anonymize check --html findings.html anonymized
  anonymize check --against pictures anonymized

\b
Exit codes:
  0    nothing is found
  1    something is found
  2    an option, the configuration file, the baseline, a report or a path is wrong
  3    a model is missing, damaged or not a detection model
  4    an output cannot be written, or is refused
  130  interrupted by Ctrl-C, 143 by SIGTERM
"""


@click.command("check", cls=GroupedCommand, epilog=EPILOG)
@click.argument("paths", nargs=-1, metavar="DIR|FILE...", type=PLACE)
@setting_options(CHECK_SETTINGS)
@click.pass_context
def check_command(context: click.Context, /, paths: tuple[Place, ...], config: Path | None, **given: object) -> None:
    """Looks for what pictures and films that are to be published still show or reveal.

    Faces and plates are looked for from lower scores on than the anonymizing run takes, and each file is searched for
    previews, positions, serial numbers, names and bytes behind the end of the picture. Where the detection JSON of the
    run lies beside a picture, what is seen again in areas that are redacted indeed is noted only.

    With --against, every picture and every frame of a film is also compared with its original.
    """
    if not paths:
        raise click.UsageError("name a folder or files to look at, as in 'anonymize check anonymized'")
    # Imported here: --help must not wait for NumPy and OpenCV.
    from anonymizer.check.plan import make_check_plan
    from anonymizer.check.run import run_check
    from anonymizer.cli.logs import logging_to
    from anonymizer.cli.progress import Progress
    from anonymizer.files.find import has_extension

    options = effective_options(config, given)
    verbosity = from_options(VerbositySettings, options)
    with logging_to(verbosity):
        plan = make_check_plan(paths, options)
        films = sum(has_extension(Path(one.below), FILM_EXTENSIONS) for one in plan.files)
        with Progress(lambda: (len(plan.files), films), verbosity.verbose > 0, verbosity.quiet) as progress:
            report = run_check(plan, lambda name: progress.advance(), progress.tell)
        with closing(report):
            _print_report(report, verbosity)
            context.exit(report.exit_code)


def _print_report(report: CheckReport, verbosity: VerbositySettings) -> None:
    from anonymizer.check.report import to_table

    for line in to_table(report.findings if verbosity.verbose else report.findings.of("finding")):
        echo(line)
    if not verbosity.quiet:
        echo(
            report.summary() + ("; -v shows the warnings" if report.count("warning") and not verbosity.verbose else "")
        )
        if report.not_looked_at:
            echo(skipped_files(report.not_looked_at))
