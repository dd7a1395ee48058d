"""`anonymize serve`: the API over HTTP."""

from __future__ import annotations

import os
from pathlib import Path

import click

from anonymizer.cli.help import GroupedCommand
from anonymizer.cli.options import effective_options, setting_options
from anonymizer.cli.text import echo
from anonymizer.errors import SettingsError
from anonymizer.settings import SERVE_SETTINGS, ServeSettings, from_options, settings_from_options

TOKEN_VARIABLE = "ANONYMIZE_TOKEN"
EPILOG = """
\b
Example:
  anonymize serve
  curl --data-binary @photo.jpg http://127.0.0.1:8000/v1/redact --output anonymized.jpg

\b
Exit codes:
  0    ended by Ctrl-C or SIGTERM
  1    the worker processes could not go on
  2    an option, the configuration file, the address or the port is wrong
  3    a model is missing, damaged or not a detection model
"""


@click.command("serve", cls=GroupedCommand, epilog=EPILOG)
@setting_options(SERVE_SETTINGS)
def serve_command(config: Path | None, **given: object) -> None:
    """Hides faces and plates in pictures and films that come over HTTP, and stores nothing.

    It listens on this machine alone. What requests do not say is as the options say; /docs explains the API.
    """
    options = effective_options(config, given)
    if options.get("token") is None:
        options["token"] = os.environ.get(TOKEN_VARIABLE)
    serve, settings = from_options(ServeSettings, options), settings_from_options(options)
    try:
        from anonymizer.web.server import run_server
    except ModuleNotFoundError as error:
        text = f"anonymize serve needs the package {error.name}: pip install starlette uvicorn"
        raise SettingsError(text) from None
    run_server(serve, settings, lambda address: echo(f"serving on {address}; Ctrl-C ends it"))
