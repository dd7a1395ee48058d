"""`anonymize detections`: what runs found, as files of annotation tools, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonymizer.addresses import Place
from anonymizer.cli.places import PLACE
from anonymizer.cli.text import counted, echo
from anonymizer.kinds import DEFAULT_KINDS, KINDS, Kind

if TYPE_CHECKING:
    from anonymizer.record.exchange import Import

FORMAT_NAMES = ("coco", "yolo", "cvat", "label-studio", "voc", "kitti", "csv", "cvat-video", "mot")
NAMED_ON_PAGE = 1000
"""So many pictures the page of the statistics names."""
QUIET = click.option("-q", "--quiet", is_flag=True, help="Say nothing but warnings and errors.")
EPILOG = """
\b
Example, with the folder "anonymized" of a finished run:
  anonymize detections export anonymized --format coco --output labels
  anonymize detections import labels --format coco --against anonymized --into corrected

\b
Exit codes:
  0    all pictures are done
  1    finished, but some pictures have no detections or were refused: each is named on stderr
  2    an option, a report, or a file of the annotation tool is wrong
  4    the output is refused, or cannot be written
"""


@click.group("detections", epilog=EPILOG)
def detections_command() -> None:
    """Takes what a run found to annotation tools, and takes corrections back."""


@detections_command.command("export", epilog=EPILOG)
@click.argument("folder", type=PLACE, metavar="DIR")
@click.option("--format", "format_name", required=True, type=click.Choice(FORMAT_NAMES), help="What to write.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="New or empty folder for the files.  [default: detections-FORMAT]",
)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder that the annotation tool shows, such as that of the originals.  [default: the folder of the run]",
)
@QUIET
@click.pass_context
def export_command(
    context: click.Context, folder: Place, format_name: str, output: Path | None, pictures: Path | None, quiet: bool
) -> None:
    """Writes the detections of a run in the format of annotation tools.

    DIR is the output folder of the run. The names are those of the anonymized pictures, the sizes those of the upright
    pictures, and pictures without detections are listed.
    """
    from anonymizer.record.exchange import export_detections, frame_name
    from anonymizer.record.exports.formats import FILM_FORMATS

    output = Path(f"detections-{format_name}") if output is None else output
    run = _bring_run(context, folder)
    export = export_detections(run, format_name, output, pictures)
    for name, number in export.in_later_frames.items():
        others = f"{number} detection{'' if number == 1 else 's'} in others"
        text = f"of its frames only the first is exported, without {others}, which an import keeps"
        echo(f"anonymize: warning: {name}: {text}", err=True)
    _name_problems(export.problems)
    found = {*DEFAULT_KINDS, *export.detections}
    numbers = ", ".join(counted(kind, export.detections[kind]) for kind in KINDS if kind in found)
    if export.left_out:
        echo(f"anonymize: warning: {_pictures(export.left_out)} left out: {format_name} is a format of films", err=True)
    if not quiet:
        for name, frames in export.frames.items():
            echo(f"{name}: its {frames} frames as pictures, from {frame_name(name, 0)} on")
        what = _pictures(export.pictures, "film" if format_name in FILM_FORMATS else "picture")
        echo(f"{what} ({numbers}): {output}")
    context.exit(1 if export.problems else 0)


@detections_command.command("import", epilog=EPILOG)
@click.argument("path", type=click.Path(path_type=Path), metavar="PATH")
@click.option("--format", "format_name", required=True, type=click.Choice(FORMAT_NAMES), help="What PATH is.")
@click.option(
    "--against",
    required=True,
    type=PLACE,
    metavar="DIR",
    help="Output folder of the run that was exported.",
)
@click.option(
    "--into", required=True, type=click.Path(path_type=Path), metavar="DIR", help="New or empty folder for the records."
)
@click.option(
    "--map",
    "named",
    multiple=True,
    metavar="NAME=KIND",
    help=f"What another name of a kind means: one of {', '.join(KINDS)}. May be repeated.",
)
@QUIET
@click.pass_context
def import_command(
    context: click.Context,
    path: Path,
    format_name: str,
    against: Place,
    into: Path,
    named: tuple[str, ...],
    quiet: bool,
) -> None:
    """Takes corrected detections back as records for --detections.

    PATH is a file, or a folder with files, of the format. Whatever the file holds as it was exported stays exactly as
    the run recorded it. Pictures that PATH does not name keep their detections; a picture with an error gets no record.
    """
    from anonymizer.record.exchange import import_detections

    kinds = _kinds(named)
    run = _bring_run(context, against)
    imported = import_detections(path, format_name, run, into, kinds)
    if not quiet:
        _print_changes(imported)
    _name_problems(imported.problems)
    if not quiet:
        echo(_summary(imported, into))
    context.exit(1 if imported.problems else 0)


def _print_changes(imported: Import) -> None:
    for name, correction in imported.corrections.items():
        changes = [("added", correction.added), ("removed", correction.removed)]
        words = (
            f"{counted(kind, number)} {what}"
            for what, detections in changes
            for kind in KINDS
            if (number := sum(detection.kind == kind for detection in detections))
        )
        echo(f"{name}: {', '.join(words)}")
    for name, changed in imported.film_corrections.items():
        changes_of_film = [("added", changed.added), ("removed", changed.removed)]
        texts = (
            f"{counted(kind, numbers[kind])} {what}"
            for what, numbers in changes_of_film
            for kind in KINDS
            if numbers.get(kind)
        )
        echo(f"{name}: {', '.join(texts)}, over all frames")


@detections_command.command("stats", epilog=EPILOG)
@click.argument("folder", type=PLACE, metavar="DIR")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Writes a page that needs nothing else.")
@click.option("--png", type=click.Path(path_type=Path), metavar="FILE", help="Writes the charts as a picture.")
@click.option("--top", type=click.IntRange(0), default=20, show_default=True, help="How many pictures are named.")
@click.pass_context
def stats_command(context: click.Context, folder: Place, html: Path | None, png: Path | None, top: int) -> None:
    """Counts what a run found, and names the pictures that need an eye first.

    DIR is the output folder of a run, or one that an import wrote. Pictures without a record come first, then those
    with doubtful scores, then those with tiny objects. The page names up to 1000 pictures.
    """
    from anonymizer.errors import OutputError
    from anonymizer.record.recorded import RecordedPictures
    from anonymizer.record.recording import read_recording
    from anonymizer.record.statistics import collect_statistics, thresholds_of
    from anonymizer.record.statistics_page import draw_statistics, to_html, to_lines

    run = _bring_run(context, folder)
    for path in (html, png):
        if path is not None and path.resolve().is_relative_to(run.resolve()):
            raise OutputError(f"{path} lies in {folder}, which holds the anonymized pictures; choose another place")
    recording = read_recording(run)
    statistics, thresholds = collect_statistics(RecordedPictures(run, recording)), thresholds_of(recording)
    for line in to_lines(statistics, top):
        echo(line)
    if html is not None:
        _write(html, to_html(statistics, thresholds, NAMED_ON_PAGE))
    if png is not None:
        _write(png, [draw_statistics(statistics, thresholds)])
    context.exit(1 if statistics.failures else 0)


def _write(path: Path, content: Iterable[bytes]) -> None:
    from anonymizer.errors import OutputError, PictureError
    from anonymizer.files.write import write_files

    try:
        write_files(path.parent, {Path(path.name): content})
    except PictureError as error:
        raise OutputError(f"{path} {error}") from None


def _summary(imported: Import, into: Path) -> str:
    corrected = len(imported.corrections) + len(imported.film_corrections)
    text = f"{_pictures(imported.pictures)}, {corrected} of them corrected"
    if imported.not_named:
        text += f", {imported.not_named} not named and kept as they were"
    return f"{text}: {into}"


def _bring_run(context: click.Context, folder: Place) -> Path:
    """The output folder of a run, or a local copy of what a run took down in a store, for as long as the command lasts.

    Raises:
        SettingsError: it holds no report, or cannot be read.
    """
    from anonymizer.errors import SettingsError
    from anonymizer.files.store_reading import records_fetched
    from anonymizer.record.shards import find_reports

    local = context.with_resource(records_fetched(folder))
    if not local.is_dir() or not find_reports(local):
        raise SettingsError(f"{folder} is not the output folder of a run: it holds no report")
    return local


def _kinds(named: tuple[str, ...]) -> Mapping[str, Kind]:
    kinds = {}
    for pair in named:
        name, _, kind = pair.rpartition("=")
        if kind not in KINDS or not name:
            raise click.UsageError(f"--map {pair}: is not NAME=KIND with one of {', '.join(KINDS)}")
        kinds[name] = kind
    return kinds


def _name_problems(problems: Mapping[str, str]) -> None:
    for name, reason in problems.items():
        echo(f"anonymize: failed: {name}: {reason}", err=True)


def _pictures(number: int, what: str = "picture") -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
