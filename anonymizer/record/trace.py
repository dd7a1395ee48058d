"""A trace of where the time went, in the format that browsers' trace viewers open.

Trace Event Format of Chromium, JSON array: one complete event ("ph": "X") per picture and stage.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from anonymizer.addresses import Place
from anonymizer.errors import OutputError
from anonymizer.files.storage import read_beginning
from anonymizer.types import Result


class Trace:
    """Takes down results while a run goes on."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._lanes: list[float] = []
        self._separator = "[\n"
        self._start_s = time.perf_counter()  # since the clock reveals how long the machine has been running

    def add(self, result: Result) -> None:
        """Draws a picture and its stages in the first lane that was free when the work on it began."""
        if result.unchanged or not result.seconds:
            return
        end_s = result.began_s + sum(result.seconds.values())
        lane = next((i for i, free_from_s in enumerate(self._lanes) if free_from_s <= result.began_s), len(self._lanes))
        self._lanes[lane : lane + 1] = [end_s]
        self._draw(result.file, result.began_s, end_s - result.began_s, lane)
        began_s = result.began_s
        for stage, seconds in result.seconds.items():
            self._draw(stage, began_s, seconds, lane)
            began_s += seconds

    def _draw(self, name: str, began_s: float, seconds: float, lane: int) -> None:
        event = {
            "name": name,
            "ph": "X",
            "pid": 1,
            "tid": lane + 1,
            "ts": (began_s - self._start_s) * 1e6,
            "dur": seconds * 1e6,
        }
        with _named(Path(self._file.name)):
            self._file.write(self._separator + json.dumps(event))
        self._separator = ",\n"

    def finish(self) -> None:
        self._file.write("\n]\n" if self._separator == ",\n" else "[]\n")


def is_trace(path: Place) -> bool:
    """Whether a file looks as if it were a trace, or is empty."""
    try:
        return read_beginning(path, 12) in (b"", b"[]\n", b'[\n{"name": "')
    except OSError:
        return False


@contextmanager
def open_trace(path: Path | None) -> Iterator[Trace | None]:
    """
    Raises:
        OutputError: the file cannot be written.
    """
    if path is None:
        yield None
        return
    with _named(path):
        file = open(path, "w", encoding="utf-8")  # noqa: SIM115 - closed below, where its errors are named
    try:
        trace = Trace(file)
        yield trace
        with _named(path):
            trace.finish()
    finally:
        with _named(path):
            file.close()


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """
    Raises:
        OutputError: something goes wrong with the file.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(f"profile {path} cannot be written: {error.strerror}") from None
