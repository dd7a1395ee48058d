"""`anonymize review`: the page on a finished folder."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import click

from anonymizer.cli.help import GroupedCommand
from anonymizer.cli.options import effective_options, setting_options
from anonymizer.cli.text import echo
from anonymizer.errors import SettingsError
from anonymizer.settings import ReadSettings, ReviewSettings, ServeSettings, from_options

_MAX_BYTES = 1_000_000_000
"""Of a picture or film: it is the user's own."""
_MAX_FILM_S = 24 * 3600.0
EPILOG = """
\b
Example:
  anonymize --input pictures --image-output anonymized
  anonymize review anonymized --against pictures

\b
Exit codes:
  0    ended by Ctrl-C or SIGTERM
  1    the worker processes could not go on
  2    an option, the configuration file, the report, the edits, a folder or the port is wrong
  3    a model is missing, damaged or not a detection model
"""


@click.command("review", cls=GroupedCommand, epilog=EPILOG)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@setting_options([ReviewSettings])
def review_command(folder: Path, config: Path | None, **given: object) -> None:
    """Shows what a run has found and hidden, the doubtful first, and lets people correct it in a browser.

    DIR is the output of the run. Decisions are written to edits.yaml in it, which --detections takes; one key redacts
    again, into another folder. Only this machine reaches the page, by the address that is printed.
    """
    review = from_options(ReviewSettings, effective_options(config, given))
    try:
        from anonymizer.web.review import open_review
        from anonymizer.web.server import run_server
    except ModuleNotFoundError as error:
        text = f"anonymize review needs the package {error.name}: pip install starlette uvicorn"
        raise SettingsError(text) from None
    opened = open_review(folder, review)
    token = secrets.token_urlsafe(24)
    pixels = max(opened.settings.read.max_pixels, ReadSettings().max_pixels)
    serve = ServeSettings(
        port=review.port,
        token=token,
        workers=review.workers,
        max_bytes=_MAX_BYTES,
        max_pixels=pixels,
        film_timeout=_MAX_FILM_S,
        max_film_bytes=_MAX_BYTES,
        max_film_pixels=pixels,
        max_film_frames=10_000_000,
        max_film_seconds=_MAX_FILM_S,
    )
    # Thresholds are the page's to move, and what zones had hidden is in the records.
    settings = replace(opened.settings, detect=replace(opened.settings.detect, redact_zone=(), hide_all_but=False))
    run_server(
        replace(serve, max_memory=4 * _MAX_BYTES),
        settings,
        lambda address: echo(f"review on {address}#{token}; Ctrl-C ends it"),
        review=opened,
    )
