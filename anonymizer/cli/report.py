"""`anonymize report`: what to do with reports."""

from __future__ import annotations

from pathlib import Path

import click

from anonymizer.addresses import Place
from anonymizer.cli.places import PLACE
from anonymizer.cli.text import echo

EPILOG = """
\b
Example:
  anonymize report merge --output report.json anonymized/anonymize-report-*-of-8.json
"""


@click.group("report", epilog=EPILOG)
def report_command() -> None:
    """Works with the reports of runs."""


@report_command.command("merge", epilog=EPILOG)
@click.argument("reports", nargs=-1, required=True, type=PLACE, metavar="FILE...")
@click.option("--output", required=True, type=PLACE, metavar="FILE", help="Where the report goes.")
def merge_command(reports: tuple[Place, ...], output: Place) -> None:
    """Joins the reports of runs with --shard over one folder.

    The runs must have had the same settings and models. The exit code is 0, or 1 if pictures failed, a run did not come
    to its end, or the report of a share is missing.
    """
    from anonymizer.errors import OutputError
    from anonymizer.files.storage import is_file
    from anonymizer.record.report import is_report, write_report
    from anonymizer.record.shards import merge_reports, missing_shares, read_report

    try:
        is_taken = is_file(output) or (isinstance(output, Path) and output.exists())
    except OSError as error:
        raise OutputError(f"{output}: {error.strerror}") from None
    if is_taken and not is_report(output):
        raise OutputError(f"{output} exists and is not a report; choose another place with --output")
    shares = [read_report(path) for path in reports]
    merged = merge_reports(shares)
    write_report(output, merged.to_json())
    echo(f"{len(merged.files)} pictures of {len(reports)} reports: {output}")
    missing = ", ".join(missing_shares(shares))
    if missing:
        echo(f"anonymize: warning: the reports of these shares are missing: {missing}", err=True)
    click.get_current_context().exit(merged.exit_code)
