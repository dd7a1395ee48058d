"""`anonymize config`: the effective settings."""

from __future__ import annotations

from pathlib import Path

import click

from anonymizer.cli.help import GroupedCommand
from anonymizer.cli.options import complete_options, effective_options, setting_options

EPILOG = """
\b
Example:
  anonymize config --face-threshold 0.1 > anonymize.yaml
  anonymize --config anonymize.yaml --input pictures --image-output anonymized
"""


@click.command("config", cls=GroupedCommand, epilog=EPILOG)
@setting_options()
def config_command(config: Path | None, **given: object) -> None:
    """Prints the effective settings as YAML, ready for --config.

    Takes the options of the main job. Settings that read 'null' are decided when the program runs, such as the
    thresholds, which the models bring with them.
    """
    import yaml

    options = complete_options(effective_options(config, given))
    click.echo(yaml.safe_dump(options, sort_keys=False, allow_unicode=True), nl=False)
