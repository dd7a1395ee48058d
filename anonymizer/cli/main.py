"""The command `anonymize`: its main job, its further commands, and its exit codes."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anonymizer._version import __version__
from anonymizer.cli.audit import audit_command
from anonymizer.cli.check import check_command
from anonymizer.cli.config import config_command
from anonymizer.cli.detections import detections_command
from anonymizer.cli.help import MainCommand
from anonymizer.cli.models import models_command
from anonymizer.cli.options import setting_options
from anonymizer.cli.plan import plan_command
from anonymizer.cli.report import report_command
from anonymizer.cli.review import review_command
from anonymizer.cli.serve import serve_command
from anonymizer.cli.text import echo, reserve_standard_streams, silence_closed_streams
from anonymizer.errors import AnonymizerError
from anonymizer.files.library_messages import catch_messages
from anonymizer.native import describe

INTERRUPTED = 130
VERSION_HELP = "Show the version, and whether the native code is there."
EPILOG = """
\b
Examples:
  anonymize --input pictures --image-output anonymized
  anonymize --input pictures --image-output anonymized --face-threshold 0.1 --method solid
  anonymize check --against pictures --html look.html anonymized

\b
Completion with the Tab key, in bash (zsh and fish: zsh_source, fish_source):
  eval "$(_ANONYMIZE_COMPLETE=bash_source anonymize)"

\b
Exit codes:
  0    all pictures are done
  1    finished, but some pictures failed: each is named on stderr and in the report
  2    an option, the configuration file, the input folder, a report or edits are wrong
  3    a model is missing, damaged or not a detection model
  4    the output is refused: the same folder as the input or inside it, holding something
       else without --overwrite, in use by another run, not writable, or the disk is full
  130  interrupted by Ctrl-C, 143 by SIGTERM; the same command goes on from there
"""


def _tell_version(context: click.Context, parameter: click.Parameter, is_asked: bool) -> None:
    if is_asked and not context.resilient_parsing:
        echo(f"anonymize, version {__version__}")
        echo(describe())
        context.exit()


@click.group(
    cls=MainCommand,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_tell_version, help=VERSION_HELP)
@setting_options()
@click.pass_context
def anonymize(context: click.Context, /, config: Path | None, **given: object) -> None:
    """Makes the faces and licence plates in a folder of pictures and films unrecognisable.

    Every picture and film below --input is written to the same place below --image-output, with a JSON file of what
    was found beside it. What cannot be processed is never copied.
    """
    is_main_job = context.invoked_subcommand is None
    if not is_main_job:
        if config is not None or any(value is not None for value in given.values()):
            raise click.UsageError(f"options come after the command: anonymize {context.invoked_subcommand} ...")
        return
    # Imported here: --help and --version must not wait for NumPy and OpenCV.
    from anonymizer.cli.anonymize import anonymize_folder

    context.exit(anonymize_folder(config, given))


anonymize.add_command(models_command)
anonymize.add_command(plan_command)
anonymize.add_command(config_command)
anonymize.add_command(check_command)
anonymize.add_command(report_command)
anonymize.add_command(detections_command)
anonymize.add_command(serve_command)
anonymize.add_command(review_command)
anonymize.add_command(audit_command)


def main() -> None:
    """Runs the command and exits with its code; no error ends in a traceback."""
    reserve_standard_streams()
    exit_code = run(sys.argv[1:])
    silence_closed_streams()
    sys.exit(exit_code)


def run(arguments: list[str]) -> int:
    """Runs the command, prints errors on stderr, and returns the exit code."""
    try:
        with catch_messages():
            return anonymize.main(arguments, prog_name="anonymize", standalone_mode=False) or 0
    except AnonymizerError as error:
        return _fail(str(error), error.exit_code)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted", INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a user gets a sentence, not a traceback
        return _fail(f"unexpected {type(error).__name__}: {error}. Please report this with what --log FILE writes.", 1)


def _fail(message: str, exit_code: int) -> int:
    echo(f"anonymize: {message}", err=True)
    return exit_code
