"""Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from threading import Thread
from types import TracebackType

from tqdm import tqdm

from anonymizer.cli.text import counted, echo, pictures_and_films
from anonymizer.types import Result

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Shows how far a run is, and names failures, kept outputs and the first warning at once.

    These are always shown; `verbose` names every picture, `quiet` shows no progress.
    """

    def __init__(self, count: Callable[[], tuple[int, int]], verbose: bool, quiet: bool) -> None:
        """
        Args:
            count: finds out how many files there are, and how many of them are films. It may take a while: the work
                does not wait for it.
        """
        self._verbose = verbose
        self._has_warned = False
        is_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._lines = not is_terminal and not quiet
        self._bar = tqdm(unit="picture", file=sys.stderr, disable=quiet or not is_terminal)
        self._total: int | None = None
        self._what = "pictures"
        if not quiet:
            Thread(target=self._find_total, args=[count], daemon=True).start()
        self._done = 0
        self._start = self._last_line = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def _find_total(self, count: Callable[[], tuple[int, int]]) -> None:
        total, films = count()
        self._what = pictures_and_films(total, films)
        if total and films == total:
            self._bar.unit = "film"
        self._total = self._bar.total = total

    def show(self, result: Result) -> None:
        """Takes note of one more result."""
        if result.status in ("failed", "kept"):
            self._echo(f"anonymize: {result.status}: {result.file}: {result.reason}")
        elif self._verbose:
            found = ", ".join(counted(kind, number) for kind, number in result.counts.items())
            self._echo(f"{result.status}: {result.file}: {result.reason or found}")
        for warning in result.warnings:
            if not self._has_warned:
                self._echo(f"anonymize: warning: {result.file}: {warning}. Further such warnings are in the report.")
                self._has_warned = True
        if result.status != "skipped":
            self.advance()

    def advance(self) -> None:
        """Takes note that one more picture is done."""
        self._done += 1
        self._bar.update()
        self._show_time()

    def tell(self, name: str, text: str) -> None:
        """Takes note of how far a film is."""
        self._bar.set_postfix_str(f"{name}: {text}")
        if self._lines and time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            self._echo(f"{name}: {text}")

    def _show_time(self) -> None:
        if self._lines and time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            self._echo(self._line())

    def _line(self) -> str:
        rate = self._done / (time.monotonic() - self._start)
        if self._total is None or not rate:
            return f"{self._done} {self._what}, {rate:.1f} a second"
        left = tqdm.format_interval((self._total - self._done) / rate)
        return f"{self._done} of {self._total} {self._what}, {rate:.1f} a second, about {left} left"

    def _echo(self, text: str) -> None:
        with tqdm.external_write_mode(file=sys.stderr):  # so that the bar is not torn apart
            echo(text, err=True)
