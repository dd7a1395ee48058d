"""The log: what the program does, for whoever looks for the cause of a failure."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tqdm import tqdm

from anonymizer.cli.text import echo
from anonymizer.errors import OutputError
from anonymizer.formats import EXTENSIONS
from anonymizer.settings import VerbositySettings

_FORMAT, _SHORT_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s", "%(message)s"
_FIRST_LINE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ [A-Z]+ anonymizer")
_PACKAGE = __name__.partition(".")[0]
logger = logging.getLogger(__name__)


@contextmanager
def logging_to(verbosity: VerbositySettings) -> Iterator[None]:
    """Logs as the user wants it: on stderr, with -v what libraries say and with -vv all; all into the file of --log.

    An error that ends the command is logged with its traceback. Afterwards the loggers are as they were before.

    Raises:
        OutputError: the file cannot be written, or is something else.
    """
    handlers: list[logging.Handler] = []
    if verbosity.verbose:
        handlers.append(_Terminal())
        handlers[0].setLevel(logging.INFO if verbosity.verbose == 1 else logging.DEBUG)
    if verbosity.log is not None:
        handlers.append(_open(verbosity.log))
    package = logging.getLogger(_PACKAGE)
    before = package.level
    with ExitStack() as cleanup:
        cleanup.callback(package.setLevel, before)
        if handlers:
            package.setLevel(logging.INFO if verbosity.verbose == 1 and verbosity.log is None else logging.DEBUG)
        for handler in handlers:
            handler.setFormatter(logging.Formatter(_SHORT_FORMAT if handler.level == logging.INFO else _FORMAT))
            package.addHandler(handler)
            cleanup.callback(handler.close)
            cleanup.callback(package.removeHandler, handler)
        try:
            yield
        except BaseException:
            logger.debug("the command ends with an error", exc_info=True)
            raise


def _open(path: Path) -> logging.FileHandler:
    """Appends to the log of an earlier run."""
    if path.suffix.lower().removeprefix(".") in EXTENSIONS:
        raise OutputError(f"log {path} has the name of a picture; choose another file with --log")
    try:
        if path.exists() and path.stat().st_size:
            with open(path, "rb") as file:
                if not _FIRST_LINE.match(file.read(200)):
                    raise OutputError(f"log {path} exists and is not a log; choose another file with --log")
        return logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(f"log {path} cannot be written: {error.strerror}") from None


class _Terminal(logging.Handler):
    """Writes to stderr without tearing the progress bar apart."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            with tqdm.external_write_mode(file=sys.stderr):
                for line in self.format(record).splitlines():
                    echo(line, err=True)
        except (OSError, ValueError):
            self.handleError(record)
