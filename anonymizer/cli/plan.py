"""`anonymize plan`: what a run would take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonymizer.addresses import to_place
from anonymizer.cli.help import GroupedCommand
from anonymizer.cli.options import effective_options, setting_options
from anonymizer.cli.text import echo
from anonymizer.errors import SettingsError
from anonymizer.settings import PLAN_SETTINGS, PlanSettings, from_options, settings_from_options

if TYPE_CHECKING:
    from anonymizer.run.estimate import Estimate, Range

EPILOG = """
\b
Example:
  anonymize plan pictures --cores 640 --price 0.04

\b
Exit codes:
  0    done
  1    pictures of the sample failed: each is named on stderr
  2    an option, the configuration file or the folder is wrong
  3    a model is missing, damaged or not a detection model
"""
_TIMES = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
_SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "bytes"))


@click.command("plan", cls=GroupedCommand, epilog=EPILOG)
@click.argument("folder", metavar="DIR")
@setting_options(PLAN_SETTINGS)
@click.pass_context
def plan_command(context: click.Context, /, folder: str, config: Path | None, **given: object) -> None:
    """Says what a run over a folder would take: hours, cost and memory, by a sample of its pictures.

    The folder is listed, and the sample is worked on here by one process, with the same options as the run. Nothing of
    it is kept. Behind each figure stands the range in which it lies with nine chances of ten.
    """
    from anonymizer.detect.frames import load_finder
    from anonymizer.run.estimate import estimate
    from anonymizer.run.machine import auto_workers

    options = effective_options(config, given)
    plan, settings = from_options(PlanSettings, options), settings_from_options(options)
    try:
        place = to_place(folder)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    found = estimate(place, settings, load_finder, plan.sample)
    for result in found.failed:
        echo(f"anonymize: failed: {result.file}: {result.reason}", err=True)
    for name, text in _rows(found, plan.cores or auto_workers(), plan.price):
        echo(f"{name:10}{text}")
    context.exit(1 if found.failed else 0)


def _rows(found: Estimate, cores: int, price: float | None) -> list[tuple[str, str]]:
    rows = [
        ("pictures", f"{found.pictures}, {len(found.failed)} of {found.sampled} in the sample failed"),
        ("size", _in(_SIZES, found.picture_bytes.times(found.pictures))),
        ("each", f"{_text(found.picture_s)} seconds on a core of this machine"),
        ("memory", f"{found.worker_bytes / 1e9:.1f} GB for each worker, one to a core"),
        ("time", f"{_in(_TIMES, found.seconds(cores))} on {cores} cores"),
    ]
    if price is not None:
        rows.append(("cost", f"{_text(found.cost(price))} at {price:g} for a core and hour"))
    if found.films:
        rows.append(("films", f"{found.films}, which none of this counts"))
    return rows


def _in(units: Sequence[tuple[float, str]], value: Range) -> str:
    """In the largest unit of which it has one."""
    factor, unit = next((each for each in units if value.mean >= each[0]), units[-1])
    return f"{_text(value.times(1 / factor))} {unit}"


def _text(value: Range) -> str:
    mean, low, high = (f"{number:,.3g}" if number < 1000 else f"{number:,.0f}" for number in value)
    return f"{mean} ({low} to {high})"
